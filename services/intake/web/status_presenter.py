"""A request's state in sentences: what is so, what happens next, and by when."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext

from services.intake import lifetimes
from services.intake.domain import Meetings, Request
from services.intake.labels import listed
from services.intake.rules import Action, Entry, RequestStatus, StatusEvent, answer_by, end_to_undo, in_order, may_wait_for_chosen
from shared import i18n
from shared.clock import now
from shared.contracts import (
    CoordinatorNeeded,
    MatchEnded,
    MatchEndingSettled,
    MatchEndingUndone,
    MatchMade,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferReleased,
    OfferSeen,
    RequestLapsed,
    RequestWaiting,
    SuggestionsMade,
)
from shared.programme import Programme
from shared.web.locale import language
from shared.web.meetings import MeetingsView, present

Step = tuple[str, str, str]


def _(text: str, **values: str) -> str:
    return str(gettext(text, **values))


@dataclass(frozen=True)
class StatusView:
    """`lines`: what happens next, in sentences. `steps`: (done, now or later; what; when). `undo`: (with whom they could meet
    again, until when) while they may take back that they ended their meetings. `ends`: the day on which it ends if they do not
    say a word; empty while it does not end by a date. `may_keep`: whether they can move that day. `waits_for_a_person`: who asked
    that a person writes to them sees people to choose meanwhile. `meetings`: when the two meet. `may_wait_for_chosen`: whether
    somebody whom they chose may still come free."""

    title: str
    lines: tuple[str, ...]
    steps: tuple[Step, ...]
    status: RequestStatus
    actions: tuple[Action, ...] = ()
    undo: tuple[str, str] | None = None
    ends: str = ""
    may_keep: bool = False
    waits_for_a_person: bool = False
    meetings: MeetingsView | None = None
    may_wait_for_chosen: bool = False


def present_status(
    request: Request, known: Mapping[str, Entry], programme: Programme, times: Meetings | None = None
) -> StatusView:
    """`times`: when the two meet, while they are with each other."""
    meetings = present(times, "supportee", now(), programme) if times else None
    presenter = _StatusPresenter(request, known, programme, meetings)
    lines, steps, moment = tuple(filter(None, presenter.lines())), tuple(presenter.steps()), now()
    ends = presenter.day(lifetimes.ends_at(request, moment)) if lifetimes.waits(request) else ""
    may_keep, actions = lifetimes.may_be_kept_longer(request, moment), request.allowed_actions(moment)
    waits = presenter.status.state == "suggested" and presenter.waits_for_a_person()
    chosen = may_wait_for_chosen(request.choices, request.history)
    return StatusView(
        presenter.title(), lines, steps, presenter.status, actions, presenter.undo(), ends, may_keep, waits, meetings, chosen
    )


class _StatusPresenter:
    def __init__(self, request: Request, known: Mapping[str, Entry], programme: Programme, meetings: MeetingsView | None) -> None:
        self.meetings = meetings
        self.request, self.status, self.known, self.programme = request, request.status, known, programme
        self.names = self._names(self.status.practitioner_ids)

    def _names(self, practitioner_ids: tuple[str, ...]) -> str:
        return listed([self.name(practitioner_id) for practitioner_id in practitioner_ids], _)

    def name(self, practitioner_id: str) -> str:
        entry = self.known.get(practitioner_id)
        return entry.name if entry and entry.name else _("this person")

    def day(self, moment: datetime) -> str:
        return i18n.day(moment, self.request.time_zone, language())

    def title(self) -> str:
        state, names = self.status.state, self.names
        if state == "suggested":
            return self._a_person_writes() if self.waits_for_a_person() else self._how_many()
        if state == "choice_needed" and names:
            return self._not_now(names)
        if state == "reaching_out" and self.status.reason == "nobody_suits":
            return _("Nobody who suits you is free right now")
        titles = {
            "received": _("Your request is here"),
            "asking": self._asked(names),
            "offer_ended": self._cannot(names),
            "waiting": _("You are waiting for %(name)s", name=names) if names else _("You are waiting for a free place"),
            "choice_needed": _("What would you like to happen next?"),
            "reaching_out": self._a_person_writes(),
            "matched": self._when_they_meet(names),
            "on_hold": _("Your meetings with %(name)s are paused", name=names),
            "meetings_ended": _("Your meetings with %(name)s have come to an end", name=names),
            "choice_sent": _("We heard you"),
            "lapsed": _("Your request has ended"),
        }
        return titles[state]

    def _when_they_meet(self, name: str) -> str:
        found = self.meetings
        known = found and (found.is_set or found.offered or found.mine)
        return found.title(name) if found and known else _("You and %(name)s: find a first time", name=name)

    def _asked(self, name: str) -> str:
        if self.status.asks_first:
            return _("%(name)s asks you something first", name=name)
        if self.status.seen:
            return _("%(name)s has opened your request", name=name)
        return _("We have asked %(name)s", name=name)

    def _a_person_writes(self) -> str:
        if self.request.has_no_reader:
            return _("Nobody can write to you yet")
        if self._is_late():
            return _("A person is still to write to you")
        return _("A person will write to you by %(day)s", day=self._latest())

    def _is_late(self) -> bool:
        """The day that we said is over, and no coordinator has written."""
        return self._latest_at() < now() and not any(note.author == "coordinator" for note in self.request.notes)

    def _it_is_late(self) -> list[str]:
        if self.request.has_no_reader:
            return [
                _("Everybody who could is among the people you would rather not meet."),
                _("You can take a name out, choose somebody yourself, or leave it as it is."),
            ]
        if not self._is_late():
            return []
        return [
            _(
                "We said by %(day)s, and nobody has written yet. That is about us, not about you. "
                "You can also write to %(address)s.",
                day=self._latest(),
                address=self.programme.write_to,
            )
        ]

    def waits_for_a_person(self) -> bool:
        """They asked for a person, and no coordinator has written to them yet."""
        return self.request.mode == "reach_out" and not any(note.author == "coordinator" for note in self.request.notes)

    def _how_many(self) -> str:
        titles = {1: _("One person you could meet"), 2: _("Two people you could meet"), 3: _("Three people you could meet")}
        return titles.get(len(self.status.practitioner_ids), _("People you could meet"))

    def _not_now(self, names: str) -> str:
        return _("%(name)s cannot meet right now. What would you like?", name=names)

    def _cannot(self, names: str) -> str:
        if self.status.reason == "chose_another":
            return _("%(name)s is no longer asked", name=names)
        return _("%(name)s cannot meet right now", name=names)

    def lines(self) -> list[str]:
        before = self._line_about_the_step_before()
        lines: dict[str, Callable[[], list[str]]] = {
            "received": self._received,
            "asking": self._asking,
            "offer_ended": lambda: [self._follows(), _("You do not need to do anything.")],
            "suggested": self._suggestions,
            "waiting": self._waiting,
            "choice_needed": lambda: [_("Nothing happens until you choose. There is no hurry.")],
            "reaching_out": self._reaching_out,
            "matched": self._matched,
            "on_hold": self._on_hold,
            "meetings_ended": self._meetings_ended,
            "choice_sent": self._going_on,
            "lapsed": self._lapsed,
        }
        return [before, *lines[self.status.state]()]

    def _line_about_the_step_before(self) -> str:
        if self.status.state in {"offer_ended", "choice_needed"}:
            return self._time_ran_out() if self.status.reason == "expired" else ""
        reasons = {
            "declined": _("The person we asked before cannot meet right now."),
            "expired": _("The person we asked before could not answer in time. That says nothing about you."),
        }
        return reasons.get(self.status.reason, "")

    def _time_ran_out(self) -> str:
        return _("The time to answer ran out. That happens, and it says nothing about you.")

    def _received(self) -> list[str]:
        if self.request.held:
            return [_("A person reads it first. Until then nobody is asked, and you do not need to do anything.")]
        if self.request.mode == "reach_out":
            by = _("Someone from the team reads it and writes to you by %(day)s.", day=self._latest())
            return self._it_is_late() or [by]
        if self.request.names_somebody:
            return [
                _("A person reads first whom you would rather not meet. Until then nobody is asked."),
                _("It goes on by %(day)s at the latest, without those whose name you wrote.", day=self._latest()),
            ]
        return [_("It is being passed on now. This page shows who is asked and by when they answer.")]

    def _asking(self) -> list[str]:
        assert self.status.answer_by is not None
        by = self.day(self.status.answer_by)
        if self.status.asks_first:
            return [_("Answer when you like. The request stays open until %(day)s.", day=by)]
        lines = [
            _("%(name)s has time to answer until %(day)s. You do not need to do anything.", name=self.names, day=by),
            self._without_an_answer(),
        ]
        return (
            [*lines, _("A coordinator knows that you would like to hear from a person.")]
            if self.status.reason == "person"
            else lines
        )

    def _without_an_answer(self) -> str:
        """What happens if whoever is asked lets the time pass."""
        next_one = _("If there is no answer by then, we ask the next person you chose.")
        if self.request.mode != "chosen":
            next_one = _("If there is no answer by then, we ask someone else.")
        lines = {
            "next_choice": next_one,
            "ask_me": _("If there is no answer by then, you say here what happens next."),
            "suggest": _("If there is no answer by then, we suggest someone else who is free."),
        }
        return lines.get(self.status.then or "", _("If there is no answer by then, this page shows what happens next."))

    def _follows(self) -> str:
        """What happens now that somebody said no, or let the time pass."""
        lines = {
            "next_choice": _("We are asking the next person."),
            "suggest": _("In a moment this page shows who else you could meet."),
            "wait": _("You keep your turn. When a place comes free, we ask for you and tell you."),
            "person": _("A coordinator will write to you about what is possible."),
        }
        return lines.get(self.status.then or "", _("In a moment this page shows what happens next."))

    def _suggestions(self) -> list[str]:
        if self.waits_for_a_person():
            return self._it_is_late() or [_("You do not need to do anything.")]
        return [_("Read about them and choose. Nobody is asked until you do, and there is no hurry.")]

    def _waiting(self) -> list[str]:
        full = _("%(name)s has no free place at this moment.", name=self.names)
        nobody = _("Everyone who could suit you is full or resting right now.")
        order = _("Places that come free are offered in the order in which people began to wait. We tell you as soon as one is.")
        return [full if self.names else nobody, order]

    def _reaching_out(self) -> list[str]:
        few = _("We looked at everyone, and nobody free fits yet. That is about us being few, not about you.")
        late, line = self._it_is_late(), _("A person reads your request and writes to you by %(day)s.", day=self._latest())
        if self.status.reason == "nobody_suits":
            return [few, *(late or [line])]
        return late or [_("You do not need to do anything.")]

    def _matched(self) -> list[str]:
        found = self.meetings
        first = _("You both said yes. Next you find a first time that suits you both; a coordinator helps if that is hard.")
        known = found and (found.is_set or found.offered or found.mine)
        return [
            "" if known else first,
            _("If it does not feel right, you can stop at any point and never have to say why."),
        ]

    def _on_hold(self) -> list[str]:
        return [
            _(
                "Your place with %(name)s is kept, and their page says that you take a pause.",
                name=self.names,
            ),
            _("Come back whenever you like. You never have to say why."),
        ]

    def _meetings_ended(self) -> list[str]:
        if self.status.reason == "supportee":
            return [_("Nothing happens until you choose. There is no hurry.")]
        lines = [
            _("You did nothing wrong. Nobody has to say why they end meetings."),
            _("Your request is still here, with your answers. What comes next is yours to say, and there is no hurry."),
        ]
        known = any(event.reason == "yes_taken_back" for event in self.request.history)
        return [*lines, _("A coordinator knows of it, and you can write to them.")] if known else lines

    def undo(self) -> tuple[str, str] | None:
        ended = None if self.request.ended_at else end_to_undo(self.request.history, now())
        if ended is None or ended.undo_until is None or self.status.reason == "undo_end":
            return None
        until, zone = ended.undo_until, self.request.time_zone
        return self._names(ended.practitioner_ids), f"{self.day(until)}, {i18n.time_of_day(until, zone, language())}"

    def _going_on(self) -> list[str]:
        if self.status.reason == "ask" and self.names:
            return [_("We are asking %(name)s. In a moment this page shows by when they answer.", name=self.names)]
        if self.status.reason == "person":
            return [_("A person reads your request and writes to you by %(day)s.", day=self._latest(from_choice=True))]
        if self.status.reason == "end":
            return [_("You ended your meetings with %(name)s. In a moment this page shows what happens next.", name=self.names)]
        return [_("In a moment this page shows what happens next.")]

    def _lapsed(self) -> list[str]:
        if self.status.reason == "coordinator":
            return [
                _("A coordinator ended it. If that is a mistake, ask again or write to us: a person reads it."),
                _("Your answers and notes are gone from this page."),
            ]
        return [
            _("We did not hear from you for a long time, so it ended. You can ask again at any time."),
            _("Your answers and notes are gone from this page."),
        ]

    def _latest(self, from_choice: bool = False) -> str:
        return self.day(self._latest_at(from_choice))

    def _latest_at(self, from_choice: bool = False) -> datetime:
        asked = [event.at for event in in_order(self.request.history) if event.reaching_out]
        start = asked[-1] if asked and self.request.mode != "reach_out" else self.request.sent_at
        start = self.request.choice.at if from_choice and self.request.choice else start
        return answer_by(start, self.programme.answer_days, self.request.time_zone)

    def steps(self) -> list[Step]:
        done: list[Step] = [("done", _("You sent your request"), self.day(self.request.sent_at))]
        for event in in_order(self.request.history):
            line = self._line_of(event)
            if line:
                done.append(("done", line, self.day(event.at)))
        if self.request.ended_at:
            return [*done, ("now", _("Your request has ended"), self.day(self.request.ended_at))]
        done = [step for step in done if step[1] != self.title()]
        if self.status.state == "asking":
            done = done[:-1] if done[-1][1] == _("We asked %(name)s", name=self.names) else done
        now_step = ("now", self.title(), self._by())
        if self.status.state == "meetings_ended" or (self.meetings and self.meetings.is_set):
            return [*done, now_step]
        return [*done, now_step, ("later", _("You meet for the first time"), "")]

    def _who_ended(self, event: StatusEvent, name: str) -> str:
        if event.reason == "supportee":
            return _("You ended your meetings with %(name)s", name=name)
        return _("Your meetings with %(name)s have come to an end", name=name)

    def _by(self) -> str:
        return _("by %(day)s", day=self.day(self.status.answer_by)) if self.status.answer_by else ""

    def _line_of(self, event: StatusEvent) -> str:
        name = self._names(event.practitioner_ids)
        lines = {
            OfferMade.event_type: _("We asked %(name)s", name=name),
            OfferDeclined.event_type: _("%(name)s cannot meet right now", name=name),
            OfferExpired.event_type: _("The time to answer ran out for %(name)s", name=name),
            OfferReleased.event_type: _("%(name)s is no longer asked", name=name),
            MatchMade.event_type: _("%(name)s said yes", name=name),
            MatchEnded.event_type: self._who_ended(event, name),
            MatchEndingUndone.event_type: _("You and %(name)s go on meeting", name=name),
            MatchEndingSettled.event_type: "",
            OfferSeen.event_type: "",
            SuggestionsMade.event_type: _("We suggested people to you"),
            RequestLapsed.event_type: "",
            RequestWaiting.event_type: _("You began to wait") if event.waiting_for == "place" else "",
            CoordinatorNeeded.event_type: _("A coordinator was asked to write to you") if event.reaching_out else "",
        }
        return lines[event.event_type]
