"""Notify decides how and when a person is told.
It subscribes to contacts and everything that somebody should be told.
It publishes reply.received (an SMS came back), notification.failed, letter_link.made and contact.erased.
"""
