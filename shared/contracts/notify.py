"""Published by notify: what came of telling somebody something."""

from datetime import datetime

from shared.contracts.common import Answer, EncryptedFields
from shared.messages import Event, contract


@contract("letter_link.made.v1", subject="request_id", published_by="notify")
class LetterLinkMade(Event):
    """An e-mail to a supportee carries a link of its own (`link_id`: the digest of its token). `secret` is for matching, which
    answers with `way_in.granted`."""

    request_id: str
    link_id: str
    expires_at: datetime
    secret: EncryptedFields


@contract("reply.received.v1", subject="offer_id", published_by="notify")
class ReplyReceived(Event):
    """A text came back with an offer's code. The sender's number was checked against the practitioner's."""

    offer_id: str
    practitioner_id: str
    reply_id: str
    answer: Answer


@contract("contact.erased.v1", subject="request_id", published_by="notify")
class ContactErased(Event):
    """They left, and notify holds nothing of theirs any more."""

    request_id: str


@contract("notification.failed.v1", subject="person_id", published_by="notify")
class NotificationFailed(Event):
    """Every channel to this person failed for good; a coordinator should know. `template`: what they were to be told."""

    person_id: str
    request_id: str | None = None
    template: str


@contract("notify_message.stranded.v1", subject="event_id", published_by="notify")
class NotifyMessageStranded(Event):
    """As `intake_message.stranded`, of notify."""

    event_id: str
    failed_at: datetime


@contract("notify_rows.kept.v1", subject="check_id", published_by="notify")
class NotifyRowsKept(Event):
    """As `intake_rows.kept`, of notify."""

    check_id: str
    collections: tuple[str, ...]


@contract("room.made.v1", subject="request_id", published_by="notify")
class RoomMade(Event):
    """The video provider made the room that these meetings want. `encrypted` is for matching: room (the address to join by)."""

    room_id: str
    match_id: str
    request_id: str
    encrypted: EncryptedFields


@contract("room.failed.v1", subject="request_id", published_by="notify")
class RoomFailed(Event):
    """The video provider made no room, and is not asked any more."""

    room_id: str
    match_id: str
    request_id: str


@contract("room.left_over.v1", subject="room_id", published_by="notify")
class RoomLeftOver(Event):
    """A room that nobody needs any more could not be deleted at the video provider for days."""

    room_id: str
