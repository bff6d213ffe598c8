"""Intake decides what a supportee asks for, and shows them where it stands.
It subscribes to practitioner.changed, offer.*, match.made, suggestions.made, request.*, coordinator.needed, note.written.
It publishes request.* about what its supportee does, contact.shared, choice.made, note.answered and sign_in.requested.
"""
