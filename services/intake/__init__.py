"""Intake decides what a supportee asks for, and shows them where it stands.
It subscribes to practitioner.changed, to what matching publishes about requests, and to words.erased and contact.erased.
It publishes request.*, contact.*, choice.made, match.*, note.answered, feedback.given, sign_in.requested and erasure.delayed.
"""
