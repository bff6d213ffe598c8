"""Intake decides what a supportee asks for, and shows them where it stands.
It subscribes to practitioner.changed, offer.*, match.made, suggestions.made, request.waiting, coordinator.needed, note.written.
It publishes request.submitted, request.withdrawn, contact.shared, choice.made, note.answered and sign_in.requested.
"""
