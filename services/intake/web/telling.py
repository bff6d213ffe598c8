"""A request's state in sentences: what is so, what happens next, and by when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext

from services.intake.labels import listed
from services.intake.rules import Entry, Fact, Standing, answer_by, in_order
from shared import i18n
from shared.mongo import Doc
from shared.programme import Programme
from shared.web.locale import language

Step = tuple[str, str, str]


def _(text: str, **values: str) -> str:
    return str(gettext(text, **values))


@dataclass(frozen=True)
class Telling:
    """`steps`: (done, now or later; what; when)."""

    title: str
    next: tuple[str, ...]
    steps: tuple[Step, ...]
    standing: Standing


def telling(row: Doc, found: Standing, known: Mapping[str, Entry], programme: Programme) -> Telling:
    teller = _Teller(row, found, known, programme)
    return Telling(teller.title(), tuple(filter(None, teller.next())), tuple(teller.steps()), found)


class _Teller:
    def __init__(self, row: Doc, found: Standing, known: Mapping[str, Entry], programme: Programme) -> None:
        self.row, self.found, self.known, self.programme = row, found, known, programme
        self.names = listed([self.name(who) for who in found.practitioner_ids], _)

    def name(self, practitioner_id: str) -> str:
        entry = self.known.get(practitioner_id)
        return entry.name if entry and entry.name else _("this person")

    def day(self, moment: datetime) -> str:
        return i18n.day(moment, self.row["time_zone"], language())

    def title(self) -> str:
        kind, names = self.found.kind, self.names
        if kind == "suggestions":
            return self._how_many()
        if kind == "your_word" and names:
            return self._not_now(names)
        if kind == "reaching_out" and self.found.why == "nobody_suits":
            return _("Nobody who suits you is free right now")
        titles = {
            "received": _("Your request is here"),
            "asking": _("%(name)s is reading your request", name=names),
            "cannot": self._cannot(names),
            "waiting": _("You are waiting for %(name)s", name=names) if names else _("You are waiting for a free place"),
            "your_word": _("What would you like to happen next?"),
            "reaching_out": _("A coordinator is writing to you"),
            "matched": _("%(name)s would like to meet you", name=names),
            "going_on": _("We heard you"),
            "withdrawn": _("You have left"),
        }
        return titles[kind]

    def _how_many(self) -> str:
        titles = {1: _("One person you could meet"), 2: _("Two people you could meet"), 3: _("Three people you could meet")}
        return titles.get(len(self.found.practitioner_ids), _("People you could meet"))

    def _not_now(self, names: str) -> str:
        return _("%(name)s cannot meet right now. What would you like?", name=names)

    def _cannot(self, names: str) -> str:
        if self.found.why == "chose_another":
            return _("%(name)s is no longer asked", name=names)
        return _("%(name)s cannot meet right now", name=names)

    def next(self) -> list[str]:
        before = self._what_was_before()
        says: dict[str, Callable[[], list[str]]] = {
            "received": self._received,
            "asking": self._asking,
            "cannot": lambda: [_("You do not have to do anything. The next step you chose happens by itself.")],
            "suggestions": self._suggestions,
            "waiting": self._waiting,
            "your_word": lambda: [_("Nothing happens until you choose. There is no hurry.")],
            "reaching_out": self._reaching_out,
            "matched": self._matched,
            "going_on": self._going_on,
            "withdrawn": self._withdrawn,
        }
        return [before, *says[self.found.kind]()]

    def _what_was_before(self) -> str:
        if self.found.kind in {"cannot", "your_word"}:
            return self._time_ran_out() if self.found.why == "lapsed" else ""
        reasons = {
            "declined": _("The person we asked before cannot meet right now."),
            "lapsed": _("The person we asked before could not answer in time. That says nothing about you."),
            "resting": _("The person we asked before is resting now."),
        }
        return reasons.get(self.found.why, "")

    def _time_ran_out(self) -> str:
        return _("The time to answer ran out. That happens, and it says nothing about you.")

    def _received(self) -> list[str]:
        if self.row["mode"] == "reach_out":
            return [_("Someone from the team reads it and writes to you by %(day)s.", day=self._latest())]
        return [_("It is being passed on now. This page shows who is asked and by when they answer.")]

    def _asking(self) -> list[str]:
        assert self.found.by is not None
        by = self.day(self.found.by)
        lines = [
            _("%(name)s will answer by %(day)s. You do not need to do anything.", name=self.names, day=by),
            _("If there is no answer by then, the next step you chose happens by itself and this page shows it."),
        ]
        return (
            [*lines, _("A coordinator knows that you would like to hear from a person.")] if self.found.why == "person" else lines
        )

    def _suggestions(self) -> list[str]:
        return [_("Read about them and choose. Nobody is asked until you do, and there is no hurry.")]

    def _waiting(self) -> list[str]:
        full = _("No place is free at this moment. Somebody else may have been there just before you.")
        nobody = _("Everyone who could suit you is full or resting right now.")
        order = _("Places that come free are offered in the order in which people began to wait. We tell you as soon as one is.")
        return [full if self.names else nobody, order]

    def _reaching_out(self) -> list[str]:
        line = _("A person reads your request and writes to you by %(day)s.", day=self._latest())
        few = _("We looked at everyone, and nobody fits what you asked for. That is about us being few, not about you.")
        return [few, line] if self.found.why == "nobody_suits" else [line]

    def _matched(self) -> list[str]:
        return [
            _("You both said yes. Next you find a first time that suits you both; a coordinator helps if that is hard."),
            _("If it does not feel right, you can stop at any point and never have to say why."),
        ]

    def _going_on(self) -> list[str]:
        if self.found.why == "ask" and self.names:
            return [_("We are asking %(name)s. In a moment this page shows by when they answer.", name=self.names)]
        if self.found.why == "person":
            return [_("A person reads your request and writes to you by %(day)s.", day=self._latest(from_choice=True))]
        return [_("In a moment this page shows what happens next.")]

    def _withdrawn(self) -> list[str]:
        return [
            _("Your request has ended, and what you wrote is deleted here. Nobody asks you why."),
            _("You can come back and ask again whenever you like."),
        ]

    def _latest(self, from_choice: bool = False) -> str:
        start = self.row["chosen"]["at"] if from_choice and self.row["chosen"] else self.row["sent_at"]
        return self.day(answer_by(start, self.programme.answer_days))

    def steps(self) -> list[Step]:
        done: list[Step] = [("done", _("You sent your request"), self.day(self.row["sent_at"]))]
        facts = in_order(self.row["happened"])
        for fact in facts:
            line = self._line(fact)
            if line:
                done.append(("done", line, self.day(fact["at"])))
        if self.found.kind == "withdrawn":
            return [*done, ("now", _("You left"), self.day(self.row["withdrawn_at"]))]
        done = [step for step in done if step[1] != self.title()]
        return [*done, ("now", self.title(), self._by()), ("later", _("You meet for the first time"), "")]

    def _by(self) -> str:
        return _("by %(day)s", day=self.day(self.found.by)) if self.found.by else ""

    def _line(self, fact: Fact) -> str:
        name = self.name(fact.get("practitioner_id", ""))
        lines: dict[str, Callable[[], str]] = {
            "offer.made.v1": lambda: _("We asked %(name)s", name=name),
            "offer.declined.v1": lambda: _("%(name)s cannot meet right now", name=name),
            "offer.expired.v1": lambda: _("The time to answer ran out for %(name)s", name=name),
            "offer.released.v1": lambda: _("%(name)s is no longer asked", name=name),
            "match.made.v1": lambda: _("%(name)s said yes", name=name),
            "suggestions.made.v1": lambda: _("We suggested people to you"),
            "request.waiting.v1": lambda: _("You began to wait") if fact["waiting_for"] == "place" else "",
            "coordinator.needed.v1": lambda: _("A coordinator was asked to write to you") if fact["reaching_out"] else "",
        }
        return lines[fact["kind"]]()
