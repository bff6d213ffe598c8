"""Matching decides who is asked, in what order, and who meets whom.
It subscribes to request.*, choice.made, note.answered, reply.received and notification.failed.
It publishes offer.*, match.made, suggestions.*, request.*, coordinator.*, note.*, reply.processed, practitioner.*, team_*.
"""
