"""How long each row of each database is kept: the one table that says so. Every collection of every service is in it.

sweeper.py deletes by it. A programme may shorten what is counted in days (`[retention]` in programme.toml), never lengthen it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

DAYS: Mapping[str, float] = {
    "draft": 14,
    "request": 14,
    "words": 7,
    "contact": 14,
    "pair": 30,
    "application": 90,
    "task": 30,
    "audit": 180,
    "feedback": 180,
    "notification": 1,
    "number": 1,
    "token": 1,
    "events": 7,
    "inbox": 90,
    "erasure": 35,
    "dead_letter": 3,
    "log": 7,
}
"""The longest that each may be kept after what ends it."""
SERVICES = ("intake", "matching", "notify")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Rows of one collection. `since`: the field with the moment from which days count, `days`: a name in DAYS; empty: that field
    is itself the moment of the end. Without `since` no day ends them: `why` says what does. `only`: these rows alone.
    `removes`: these fields go, not the row, unless it has none of `else_row_goes` either."""

    service: str
    collection: str
    why: str
    readers: str
    since: str = ""
    days: str = ""
    only: Mapping[str, Any] = field(default_factory=dict)
    removes: tuple[str, ...] = ()
    else_row_goes: tuple[str, ...] = ()

    @property
    def longest(self) -> timedelta:
        return self.kept({})

    def kept(self, days: Mapping[str, float]) -> timedelta:
        """`days`: what a programme shortens."""
        return timedelta(days=days.get(self.days, DAYS[self.days])) if self.days else timedelta()


def _everywhere(collection: str, **about: Any) -> list[Kept]:
    return [Kept(service=service, collection=collection, **about) for service in SERVICES]


TABLE: tuple[Kept, ...] = (
    *_everywhere("inbox", since="at", days="inbox", why="no event and no form is dealt with twice", readers="the service itself"),
    *_everywhere(
        "outbox", since="sent_at", days="events",
        why="a broker that lost its data is filled again", readers="the service; events are encrypted for whoever needs them",
    ),
    *_everywhere(
        "broker", why="which broker the events went to: one that lost its data is noticed", readers="the service itself"
    ),
    *_everywhere("checks", why="where the daily checks stand, and how often they found what", readers="the service itself"),
    # intake: pages
    Kept(
        service="intake", collection="drafts", since="expires_at",
        why="come back and go on; the time is counted from the last change", readers="whoever wrote it",
    ),
    Kept(
        service="intake", collection="requests", since="ended_at", days="request",
        why="the page says where it stands while the request lives, and afterwards what became of it",
        readers="the person, with their words or a link",
    ),
    Kept(
        service="intake", collection="meetings", since="ended_at", days="pair",
        why="the page says when and where two people meet", readers="the person, with their words or a link",
    ),
    Kept(
        service="intake", collection="agreements", since="ended_at", days="pair",
        why="two people write down what they agree on", readers="the person, with their words or a link",
    ),
    Kept(
        service="intake", collection="look_backs", since="ended_at", days="pair",
        why="two people who met some times look back", readers="the person, with their words or a link",
    ),
    Kept(
        service="intake", collection="links", since="expires_at", days="token",
        why="links and code words open a page or a calendar; those of a request end with it", readers="the person",
    ),
    Kept(
        service="intake", collection="sessions", since="expires_at", days="token",
        why="a browser that was let in", readers="the person",
    ),
    Kept(
        service="intake", collection="erasures", since="at", days="erasure",
        why="nothing brings back who was erased, and each service has said that it erased", readers="nobody",
    ),
    Kept(
        service="intake", collection="team", why="as long as a coordinator lets people choose them by their first name",
        readers="whoever has a request",
    ),
    Kept(service="intake", collection="directory", why="as long as somebody offers meetings here", readers="everybody"),
    # matching: who is asked and who meets
    Kept(
        service="matching", collection="practitioners",
        why="as long as they belong to the collective; whom they are not asked about, until they take it off their list or leave",
        readers="coordinators; their list they alone",
    ),
    Kept(
        service="matching", collection="applications", since="moved_at", days="application",
        why="somebody would like to become a practitioner; the days count anew from what either side last did",
        readers="whoever applied, coordinators",
    ),
    Kept(service="matching", collection="coordinators", why="as long as they belong to the collective", readers="coordinators"),
    Kept(
        service="matching", collection="requests", since="matched_at", days="words",
        removes=("encrypted.fields.words", "encrypted.fields.anything", "matched_at"),
        why="what somebody wrote about themselves is there to be asked with", readers="who is asked, coordinators who open it",
    ),
    Kept(
        service="matching", collection="requests", since="ended_at", days="request",
        why="whom somebody wants to meet, while the request lives", readers="who is asked, coordinators who open it",
    ),
    Kept(
        service="matching", collection="offers", since="ended_at", days="pair", only={"holds_place": False},
        why="who was asked, so that nobody is asked twice", readers="that practitioner, coordinators",
    ),
    Kept(
        service="matching", collection="matches", since="ended_at", days="pair",
        why="two people meet", readers="the two, coordinators",
    ),
    Kept(
        service="matching", collection="meetings", since="ended_at", days="pair",
        why="when and where two people meet", readers="the two",
    ),
    Kept(
        service="matching", collection="agreements", since="ended_at", days="pair",
        why="two people write down what they agree on", readers="the two",
    ),
    Kept(
        service="matching", collection="look_backs", since="ended_at", days="pair",
        why="two people who met some times look back", readers="the two, once both have answered",
    ),
    Kept(
        service="matching", collection="notes", since="ended_at", days="pair",
        why="two people write to each other", readers="the two",
    ),
    Kept(
        service="matching", collection="coordinator_tasks", since="resolved_at", days="task",
        why="what a person of the collective has to do", readers="coordinators",
    ),
    Kept(
        service="matching", collection="feedback", since="week", days="feedback",
        why="what was good and what should change, from nobody that we know", readers="coordinators, once three have written",
    ),
    Kept(
        service="matching", collection="audit", since="at", days="audit",
        why="which coordinator opened which request, without a name of whoever asked", readers="coordinators",
    ),
    Kept(
        service="matching", collection="links", since="expires_at", days="token",
        why="a link opens a page", readers="practitioners, coordinators",
    ),
    Kept(
        service="matching", collection="sessions", since="expires_at", days="token",
        why="a browser that was let in", readers="practitioners, coordinators",
    ),
    Kept(
        service="matching", collection="assignment_triggers",
        why="emptied within moments, by the job that gives free places", readers="nobody",
    ),
    Kept(service="matching", collection="jobs", why="one row for each job: which worker has it", readers="nobody"),
    # notify: what people are told
    Kept(
        service="notify", collection="contacts", since="ended_at", days="contact",
        why="to write to somebody while their request or pair lives, or while they belong to the collective", readers="nobody",
    ),
    Kept(
        service="notify", collection="phone_numbers", since="texted_at", days="number",
        removes=("texted_at", "texted_by"), else_row_goes=("stopped_at", "wrong_codes_at", "codes_blocked_until"),
        why="no number is texted twice in a short time, nor after a stop until it says start", readers="nobody",
    ),
    Kept(
        service="notify", collection="phone_numbers", since="codes_blocked_until", days="number",
        removes=("codes_blocked_until",), else_row_goes=("stopped_at", "wrong_codes_at", "texted_at"),
        why="codes are not guessed by text", readers="nobody",
    ),
    Kept(
        service="notify", collection="phone_numbers", since="wrong_codes_at", days="number",
        removes=("wrong_codes_at",), else_row_goes=("stopped_at", "texted_at", "codes_blocked_until"),
        why="codes are not guessed by text", readers="nobody",
    ),
    Kept(
        service="notify", collection="notifications", since="finished_at", days="notification",
        why="a receipt may still come", readers="nobody",
    ),
    Kept(
        service="notify", collection="notifications", since="expires_at", days="notification",
        why="tried for three days at most", readers="nobody",
    ),
    Kept(
        service="notify", collection="meetings", since="ended_at", days="pair",
        why="nothing old is told of when two people meet after something new", readers="nobody",
    ),
    Kept(
        service="notify", collection="rooms", since="finished_at", days="notification",
        why="a room at the video provider is deleted, whose it was is gone with the person", readers="nobody",
    ),
    Kept(
        service="notify", collection="digests", since="due_at", days="notification",
        why="what one e-mail a day will say, for those who want that", readers="nobody",
    ),
    Kept(
        service="notify", collection="desk_calls", since="delete_at",
        why="the desk is called once in some hours at most", readers="nobody",
    ),
    Kept(
        service="notify", collection="first_emails", since="at", days="contact",
        why="an address that nobody confirmed gets one e-mail", readers="nobody",
    ),
    Kept(service="notify", collection="offers", since="delete_at", why="a text with its code is understood", readers="nobody"),
    Kept(
        service="notify", collection="request_updates", since="delete_at",
        why="nothing old is told after something new", readers="nobody",
    ),
)  # fmt: skip


def rules_of(service: str) -> list[Kept]:
    """Those that a day ends."""
    return [rule for rule in TABLE if rule.service == service and rule.since]


def wrong_settings(days: Mapping[str, object]) -> Iterator[str]:
    """What a programme says of retention and may not."""
    for name, kept in days.items():
        if name not in DAYS:
            yield f"retention.{name} is none of {', '.join(DAYS)}"
        elif not isinstance(kept, int | float) or not 0 < kept <= DAYS[name]:
            yield f"retention.{name} has to be more than 0 and at most {DAYS[name]:g} days"
    inbox, events = ({**DAYS, **days}[name] for name in ("inbox", "events"))
    if isinstance(inbox, int | float) and isinstance(events, int | float) and inbox <= events + 1:
        yield "retention.inbox has to be longer than retention.events, or an event may be dealt with twice"
