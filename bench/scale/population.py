"""Who is there: 100,000 practitioners and everybody who asked for one, each by a number from which everything about them follows.

The waiting list is one that can exist. Whoever has room speaks Spanish, whoever waits speaks English: so nobody waits who could
be assigned at once. Half of those who wait named one to three practitioners who are full, four of ten would meet anyone, the
rest asked for suggestions.

What is encrypted is really encrypted for everybody whom the measurement opens: each practitioner's profile, the contacts of those
who are listed, and every OPENED-th request. The others share one such value for each shape. It has the same size and cannot be
decrypted for them, since each value is bound to its person; nothing that is measured decrypts it.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any

from services.intake.domain import AccessCode, AccessLink
from services.intake.domain import Request as SentRequest
from services.intake.rules import StatusEvent
from services.matching.domain import CoordinatorTask, Match, Offer, Practitioner, Request
from services.notify.domain import Contact, Notification, expires_at
from shared import vault
from shared.clock import now
from shared.contracts import Choice, EncryptedFields, MatchMade, Mode, OfferMade, PractitionerChanged, RequestWaiting
from shared.outbox import OutboxMessage
from shared.tokens import digest
from shared.vault import Vault

PRACTITIONERS = int(os.environ.get("PRACTITIONERS") or 100_000)
WITH_ROOM = range(150)
ASKED = range(150, 650)  # one place is taken, the other is held by an open offer
FULL = range(650, 1650)  # two places are taken
SAY_FULL = range(1650, 2100)  # no place is taken; they want nobody new now
RESTING = range(2100, 2200)
LISTED = range(2200)
NAMED_BY_THOSE_WHO_WAIT = range(ASKED.start, SAY_FULL.stop)
PLACES_OF_THOSE_WITH_ROOM = 20
OPENED = 50
TASKS = 3000
CODE = "A7"
DAYS_OF_REQUESTS = 80
ZONES = ("America/New_York", "America/Chicago", "America/Los_Angeles")
MEETING_TYPES = ("video", "phone", "text")
PARTS = ("weekday_morning", "weekday_afternoon", "weekday_evening", "weekend_morning")
HELP = ("listening", "planning", "making_sense", "forms")
PROFILE = ("pronouns", "words", "can_sit_with", "first_meeting", "not_offered", "access")
SENTENCE = "I have been there myself, I like to walk while we talk, and I do not mind silence. "
WRITTEN = {
    "name": "Wren",
    "pronouns": "they",
    "words": SENTENCE * 5,
    "access": "I need captions.",
    "anything": SENTENCE,
}
TYPED: dict[int, dict[str, Any]] = {
    1: {"mode": "anyone"},
    2: {"name": "Wren", "pronouns": "they"},
    3: {"help": ["listening"], "words": SENTENCE * 5},
    4: {"reach": ["email"], "email": "wren@scale.example", "phone": "", "quiet_from": "21", "quiet_until": "9"},
    5: {"meeting_types": ["video"], "parts": ["weekday_evening"], "time_zone": ZONES[0], "access": "I need captions."},
    6: {"language": "en", "language_other": ""},
    7: {"age_group": "", "anything": SENTENCE},
}


def id_of(kind: str, number: int) -> str:
    """As scattered as the ids that the product makes."""
    return str(uuid.UUID(hashlib.md5(f"{kind} {number}".encode()).hexdigest()))


def practitioner_id(number: int) -> str:
    return id_of("practitioner", number)


def slug_of(number: int) -> str:
    return f"peer-{number}"


def request_id(number: int) -> str:
    return id_of("request", number)


def supportee_id(number: int) -> str:
    return id_of("supportee", number)


def offer_id(number: int) -> str:
    return id_of("offer", number)


def own_key(number: int) -> bytes:
    """Of the supportee with this number."""
    return hashlib.sha256(f"key of {number}".encode()).digest()


def _some(values: tuple[Any, ...], random: Random) -> tuple[Any, ...]:
    """In the order in which a form lists them."""
    chosen = random.sample(values, random.randint(1, len(values)))
    return tuple(value for value in values if value in chosen)


@dataclass(frozen=True)
class Population:
    """Requests 0 to `waiting` wait; those after them have an offer that is open (ASKED) or led to a match (ASKED, FULL twice)."""

    waiting: int
    intake: Vault
    matching: Vault
    notify: Vault
    moment: datetime

    @cached_property
    def placed(self) -> range:
        return range(self.waiting, self.waiting + 2 * len(ASKED) + 2 * len(FULL))

    def is_real(self, number: int) -> bool:
        """Whether what is encrypted of this person can be decrypted."""
        return number % OPENED == 0

    # practitioners

    def practitioner(self, number: int) -> Practitioner:
        id, random = practitioner_id(number), Random(number)
        slots, pending = self._slots(number)
        free = number in WITH_ROOM
        state = self._state(number)
        one = Practitioner(
            id=id,
            version=1,
            state=state,
            places=PLACES_OF_THOSE_WITH_ROOM if free else 2,
            offers_at_once=PLACES_OF_THOSE_WITH_ROOM if free else 2,
            occupied_slots=slots,
            pending_codes=(CODE,) * pending,
            codes_given=pending,
            last_asked_at=self.moment - timedelta(minutes=random.randrange(50_000)),
            languages=("es",) if free else ("en",),
            meeting_types=_some(MEETING_TYPES, random),
            parts=_some(PARTS, random),
            help=_some(HELP, random),
            time_zone=random.choice(ZONES),
            slug_index=self.matching.blind_index("slug", slug_of(number)),
            email_index=self.matching.blind_index("email", f"{slug_of(number)}@scale.example"),
            encrypted_profile=self._profile(number),
            contact=self.contact_of_practitioner(number).encrypted,
            contact_version=1,
        )
        one.published_state = one.public_state
        return one

    def entry(self, one: Practitioner) -> PractitionerChanged:
        """What intake heard of them."""
        return PractitionerChanged(
            practitioner_id=one.id,
            version=one.version,
            state=one.public_state,
            languages=one.languages,
            meeting_types=one.meeting_types,
            parts=one.parts,
            help=one.help,
            encrypted_profile=one.encrypted_profile,
        )

    def contact_of_practitioner(self, number: int) -> Contact:
        id, fields = practitioner_id(number), {"email": f"{slug_of(number)}@scale.example", "link": "x" * 40, "known_as": "Wren"}
        shared = replace(self._shared_contact, person_id=id)
        encrypted = self.intake.encrypt_for("notify", id, fields) if number in LISTED or self.is_real(number) else shared
        return self._contact(id, "practitioner", None, encrypted)

    def _state(self, number: int) -> Any:
        states = {"full": SAY_FULL, "resting": RESTING}
        found = next((state for state, numbers in states.items() if number in numbers), "open")
        return found if number in LISTED else "stepped_back"

    def _slots(self, number: int) -> tuple[tuple[int, ...], int]:
        """The places that are taken, and how many of them by an offer that is open."""
        return ((0, 1), int(number in ASKED)) if number in ASKED or number in FULL else ((), 0)

    def _profile(self, number: int) -> str:
        written = {"slug": slug_of(number), "name": f"Peer {number}", **dict.fromkeys(PROFILE, ""), "pronouns": "they"}
        written |= {"words": SENTENCE * 3, "can_sit_with": "grief, anger, voices", "first_meeting": SENTENCE}
        return self.intake.encrypt_profile(practitioner_id(number), json.dumps(written))

    # requests, as matching keeps them

    def request(self, number: int) -> Request:
        random = Random(number)
        wanted = self.wanted(number, random)
        one = Request(
            id=request_id(number),
            supportee_id=supportee_id(number),
            mode=self._mode(number),
            submitted_at=self.sent_at(number),
            choices=tuple(Choice(practitioner_id=id, if_not="wait") for id in wanted),
            choice_index=0 if wanted else None,
            languages=("en",),
            meeting_types=_some(MEETING_TYPES, random),
            parts=_some(PARTS, random),
            time_zone=random.choice(ZONES),
            help=_some(HELP, random),
            encrypted=self.words(number),
        )
        if number < self.waiting:
            one.wait_for_place(wanted)
        else:
            one.state = "asking" if number < self.waiting + len(ASKED) else "matched"
            one.version = 2
        return one

    def wanted(self, number: int, random: Random) -> tuple[str, ...]:
        if number >= self.waiting:
            return (practitioner_id(self._offered(number)[0]),)
        if number % 10 >= 5:
            return ()
        return tuple(practitioner_id(who) for who in random.sample(NAMED_BY_THOSE_WHO_WAIT, random.randint(1, 3)))

    def _mode(self, number: int) -> Mode:
        if number >= self.waiting or number % 10 < 5:
            return "chosen"
        return "anyone" if number % 10 < 9 else "suggest"

    def sent_at(self, number: int) -> datetime:
        """Spread over the days in which what was sent is still kept, in no order; so are other changes with a number."""
        share = int(hashlib.md5(f"sent {number}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
        sent = self.moment - timedelta(days=DAYS_OF_REQUESTS * share)
        return sent.replace(microsecond=0)

    def words(self, number: int) -> EncryptedFields:
        id = supportee_id(number)
        if not self.is_real(number):
            return replace(self._shared_words, person_id=id)
        return self.intake.encrypt_for("matching", id, WRITTEN, vault.words_key(own_key(number)))

    @cached_property
    def _shared_words(self) -> EncryptedFields:
        return self.intake.encrypt_for("matching", "nobody", WRITTEN)

    # offers and matches

    def _offered(self, number: int) -> tuple[int, int]:
        """Practitioner and slot of the offer about this request, which does not wait."""
        place = number - self.waiting
        if place < 2 * len(ASKED):
            return ASKED[place % len(ASKED)], 1 - place // len(ASKED)
        place -= 2 * len(ASKED)
        return FULL[place % len(FULL)], place // len(FULL)

    def offer(self, number: int) -> Offer:
        who, slot = self._offered(number)
        is_open = number < self.waiting + len(ASKED)
        made_at = self.moment - timedelta(hours=6) if is_open else self.sent_at(number)
        one = Offer(
            id=offer_id(number),
            version=1,
            request_id=request_id(number),
            supportee_id=supportee_id(number),
            practitioner_id=practitioner_id(who),
            slot=slot,
            code=CODE,
            made_at=made_at,
            answer_by=made_at + timedelta(days=5),
            remind_at=made_at + timedelta(days=2.5),
        )
        if not is_open:
            one.accept(made_at + timedelta(hours=1))
        return one

    def match(self, offer: Offer) -> Match:
        return Match(
            id=id_of("match of", int(uuid.UUID(offer.id))),
            offer_id=offer.id,
            request_id=offer.request_id,
            practitioner_id=offer.practitioner_id,
            supportee_id=offer.supportee_id,
            made_at=offer.made_at + timedelta(hours=1),
        )

    def task(self, number: int) -> CoordinatorTask:
        """Something for the desk about one of the requests that can be opened."""
        reason = ("reach_out", "nobody_suits", "wrote")[number % 3]
        about = number * max(1, self.waiting // TASKS)
        since = self.moment - timedelta(hours=number % 2000)
        due_at, about_request = since + timedelta(days=2), request_id(about)
        return CoordinatorTask(
            id=id_of("task", number),
            reason=reason,  # type: ignore[arg-type]
            request_id=about_request,
            since=since,
            due_at=due_at,
        )

    # requests, as intake keeps them

    def sent_request(self, number: int) -> SentRequest:
        person_id, sent_at, random = supportee_id(number), self.sent_at(number), Random(number)
        wanted = self.wanted(number, random)
        return SentRequest(
            id=request_id(number),
            person_id=person_id,
            mode=self._mode(number),
            choices=wanted,
            language="en",
            time_zone=ZONES[0],
            sent_at=sent_at,
            silent_since=sent_at,
            next_look_at=self.moment + timedelta(days=1 + number % 14),
            encrypted_answers=self._answers(number),
            email_index=id_of("email", number).replace("-", "") * 2,
            history=tuple(self._history(number, wanted)),
        )

    def _history(self, number: int, wanted: tuple[str, ...]) -> Iterator[StatusEvent]:
        at = self.sent_at(number)
        if number < self.waiting:
            yield StatusEvent(
                event_type=RequestWaiting.event_type, version=1, at=at, practitioner_ids=wanted, waiting_for="place"
            )
            return
        answer_by = at + timedelta(days=5)
        yield StatusEvent(event_type=OfferMade.event_type, version=1, at=at, practitioner_ids=wanted, answer_by=answer_by)
        if number >= self.waiting + len(ASKED):
            yield StatusEvent(event_type=MatchMade.event_type, version=2, at=at, practitioner_ids=wanted)

    def _answers(self, number: int) -> str:
        return self._encrypt_answers(number) if self.is_real(number) else self._shared_answers

    @cached_property
    def _shared_answers(self) -> str:
        return self._encrypt_answers(0)

    def _encrypt_answers(self, number: int) -> str:
        return vault.encrypt(own_key(number), supportee_id(number), "answers", json.dumps(TYPED))

    def code(self, number: int) -> AccessCode:
        return AccessCode(id=digest(f"code {number}"), person_id=supportee_id(number), wrap=self._wrap(number, "code"))

    def link(self, number: int) -> AccessLink:
        return AccessLink(
            id=digest(token_of(number)),
            subject_id=request_id(number),
            person_id=supportee_id(number),
            expires_at=self.sent_at(number) + timedelta(days=14),
            purpose="letter",
            note_wraps={"words": self._note_wrap(number)},
        )

    def _note_wrap(self, number: int) -> str:
        secret, key = vault.link_secret(token_of(number)), vault.words_key(own_key(number))
        return vault.wrap_under(secret, supportee_id(number), key) if self.is_real(number) else self._shared_wrap

    def _wrap(self, number: int, secret: str) -> str:
        return vault.wrap_under(secret, supportee_id(number), own_key(number)) if self.is_real(number) else self._shared_wrap

    @cached_property
    def _shared_wrap(self) -> str:
        return vault.wrap_under("nobody's", "nobody", vault.new_key())

    # what notify keeps

    def contact_of_supportee(self, number: int) -> Contact:
        id = supportee_id(number)
        fields = {"email": f"wren-{number}@scale.example", "link": "x" * 80, "known_as": "Wren"}
        encrypted = (
            self.intake.encrypt_for("notify", id, fields, vault.contact_key(own_key(number)))
            if self.is_real(number)
            else replace(self._shared_contact, person_id=id)
        )
        return self._contact(id, "supportee", request_id(number), encrypted)

    def _contact(self, id: str, role: Any, request: str | None, encrypted: EncryptedFields) -> Contact:
        return Contact(
            person_id=id,
            role=role,
            request_id=request,
            version=1,
            channels=("email",),
            language="en",
            time_zone=ZONES[0],
            quiet_from=21,
            quiet_until=9,
            encrypted=encrypted,
        )

    @cached_property
    def _shared_contact(self) -> EncryptedFields:
        fields = {"email": "wren-123456@scale.example", "link": "x" * 80, "known_as": "Wren"}
        return self.intake.encrypt_for("notify", "nobody", fields)

    def finished_notification(self, number: int) -> Notification:
        """Sent within the last day; what is older is deleted."""
        created = self.moment - timedelta(minutes=number % 1400)
        template = "waiting"
        return Notification(
            id=id_of("notification", number),
            channel="email",
            person_id=supportee_id(number),
            request_id=request_id(number),
            created_at=created,
            expires_at=expires_at(template, created, None),
            template=template,
            cause=f"{request_id(number)}/1",
            state="accepted",
        )

    # history

    def published(self, service: str, number: int) -> OutboxMessage:
        """One that the broker confirmed within the last 30 days."""
        made_at = self.moment - timedelta(days=29 * (number % 1000) / 1000)
        body = json.dumps({"specversion": "1.0", "id": id_of(service, number), "data": {"words": "x" * 1200}})
        return OutboxMessage(id_of(f"{service} event", number), "request.submitted.v1", request_id(number), body, made_at)


def token_of(number: int) -> str:
    return f"token-of-{number}-{'x' * 24}"


def make_population(waiting: int, keys: dict[str, Vault]) -> Population:
    return Population(waiting, keys["intake"], keys["matching"], keys["notify"], now())
