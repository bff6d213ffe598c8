"""Intake decides what a supportee asks for, and shows them where it stands.
It subscribes to practitioner.changed, to what matching publishes about requests, and to words.erased and contact.erased.
It publishes request.*, contact.shared, choice.made, match.left, note.answered, sign_in.requested and erasure.delayed.
"""
