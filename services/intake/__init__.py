"""Intake decides what a supportee asks for, and shows them where it stands.
It hears news of practitioners, offers and matches.
It says request.*, contact.shared, choice.made.
"""
