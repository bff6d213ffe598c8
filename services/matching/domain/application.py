"""Somebody on the way to become a practitioner."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.matching.domain.versioned import Versioned, check
from shared.contracts import EncryptedFields, PractitionerMovedOn, WelcomeNews, WelcomeState

NEEDED = {"two_coordinators": 2}


class WelcomeStep(Protocol):
    """A step of the programme's."""

    @property
    def key(self) -> str: ...

    @property
    def who_says_yes(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Yes:
    """`by`: the coordinator who said it; None: the applicant."""

    step: str
    by: str | None = None
    at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class Said:
    """What was written on the page of an application, encrypted for matching. `by`: a coordinator; None: the applicant."""

    id: str
    by: str | None = None
    at: datetime
    encrypted: EncryptedFields


@dataclass(kw_only=True)
class Application(Versioned):
    """Its id is that of the practitioner they become. `contact` is encrypted for notify alone, `encrypted` (their answers) for
    matching. `moved_at`: when either side last did something; `told_at`: when they were told that it ends without that."""

    state: WelcomeState = "applied"
    email_index: str | None = None
    contact: EncryptedFields
    encrypted: EncryptedFields = field(repr=False)
    language: str
    sent_at: datetime
    moved_at: datetime
    told_at: datetime | None = None
    yeses: tuple[Yes, ...] = ()
    said: tuple[Said, ...] = field(default=(), repr=False)

    @property
    def waits_for_coordinators(self) -> bool:
        """They applied, or wrote something that nobody has answered."""
        return self.state == "applied" or bool(self.said and self.said[-1].by is None)

    def who_said_yes(self, step: WelcomeStep) -> tuple[str | None, ...]:
        return tuple(each.by for each in self.yeses if each.step == step.key)

    def is_done(self, step: WelcomeStep) -> bool:
        return len(self.who_said_yes(step)) >= NEEDED.get(step.who_says_yes, 1)

    def may_say_yes(self, step: WelcomeStep, by: str | None) -> bool:
        """Each once; what is the applicant's own to say nobody says for them."""
        theirs = (step.who_says_yes == "self") == (by is None)
        is_going_on = self.state not in ("applied", "not_now")
        return is_going_on and theirs and not self.is_done(step) and by not in self.who_said_yes(step)

    def talk(self, moment: datetime) -> list[PractitionerMovedOn]:
        """A coordinator begins to talk with them, or goes on after a "not now"."""
        check(self.state in ("applied", "not_now"), "begin to talk", self.state)
        self.state = "in_training" if self.yeses else "in_conversation"
        return self._moved(moment, "news")

    def say_yes(
        self, step: WelcomeStep, by: str | None, moment: datetime, steps: Sequence[WelcomeStep]
    ) -> list[PractitionerMovedOn]:
        check(self.may_say_yes(step, by), f"say yes to {step.key}", self.state)
        self.yeses += (Yes(step=step.key, by=by, at=moment),)
        self.state = "welcomed" if all(map(self.is_done, steps)) else "in_training"
        return self._moved(moment, "news" if by and self.is_done(step) else None, step.key)

    def write(self, said: Said, *, not_now: bool = False) -> list[PractitionerMovedOn]:
        self.said += (said,)
        if not_now:
            self.state = "not_now"
        elif said.by and self.state == "applied":
            self.state = "in_conversation"
        return self._moved(said.at, "news" if said.by else None)

    def tell(self, moment: datetime) -> list[PractitionerMovedOn]:
        """That it ends when nothing happens. What they are told is nothing that happened."""
        self.told_at = moment
        self.version += 1
        return [self._published("ending")]

    def received(self) -> list[PractitionerMovedOn]:
        self.version += 1
        return [self._published("received")]

    def end(self, state: WelcomeState) -> list[PractitionerMovedOn]:
        """They became a practitioner, took it back, or nothing happened for long. The caller deletes it."""
        self.state = state
        self.version += 1
        return [self._published(None)]

    def _moved(self, moment: datetime, news: WelcomeNews | None, step: str | None = None) -> list[PractitionerMovedOn]:
        self.moved_at, self.told_at = moment, None
        self.version += 1
        return [self._published(news, step)]

    def _published(self, news: WelcomeNews | None, step: str | None = None) -> PractitionerMovedOn:
        return PractitionerMovedOn(practitioner_id=self.id, version=self.version, state=self.state, step=step, news=news)
