"""Intake decides what a supportee asks for, and shows them where it stands.
It hears of practitioners, offers, matches and notes.
It says request.*, contact.shared, choice.made, note.answered and sign_in.requested.
"""
