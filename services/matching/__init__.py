"""Matching decides who is asked, in what order, and who meets whom.
It hears requests, choices and replies.
It says offer.*, match.made, suggestions.made, practitioner.changed and what a request waits for.
"""
