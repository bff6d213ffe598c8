"""Matching decides who is asked, in what order, and who meets whom.
It subscribes to what intake publishes, and to reply.received, notification.failed and letter_link.made.
It publishes offer.*, match.*, suggestions.*, request.*, coordinator.*, note.*, reply.*, words.erased, way_in.granted and team_*.
"""
