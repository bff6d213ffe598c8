"""Notify decides how and when a person is told.
It hears contacts and everything that somebody should be told.
It says reply.received (an SMS came back) and notification.failed.
"""
