"""What intake decides: the order of people, what a visitor looks for, and what a status page says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.intake import forms, rules
from services.intake.domain import TypedAnswers
from services.intake.rules import Entry, NextChoice, StatusEvent
from shared.contracts import Choice, IfNot

TODAY = date(2026, 11, 23)
FRIDAY = datetime(2026, 11, 27, 9, tzinfo=UTC)
PEOPLE = [
    Entry(
        id="juniper", state="open", meeting_types=("video",), languages=("en",), parts=("weekday_evening",), words="I keep bees"
    ),
    Entry(id="kai", state="open", meeting_types=("phone",), languages=("en", "es"), parts=("weekend_morning",), help=("forms",)),
    Entry(id="ana", state="resting", meeting_types=("video",), languages=("es",)),
]


def ids(entries: list[Entry]) -> list[str]:
    return [entry.id for entry in entries]


def test_the_order_stays_all_day_and_changes_with_the_days() -> None:
    many = [Entry(id=str(number), state="open") for number in range(20)]
    assert ids(rules.daily_order(many, TODAY, "en")) == ids(rules.daily_order(reversed(many), TODAY, "en"))
    firsts = {rules.daily_order(many, TODAY + timedelta(days=day), "en")[0].id for day in range(60)}
    assert len(firsts) > 10


def test_those_open_to_somebody_new_stand_before_those_who_rest() -> None:
    assert ids(rules.daily_order(PEOPLE, TODAY, "en"))[-1] == "ana"


def test_those_who_speak_the_readers_language_stand_first() -> None:
    assert set(ids(rules.daily_order(PEOPLE, TODAY, "en"))[:2]) == {"juniper", "kai"}
    assert ids(rules.daily_order(PEOPLE, TODAY, "es")) == ["kai", "ana", "juniper"]
    nobody_knows = Entry(id="noor", state="open")
    assert ids(rules.daily_order([*PEOPLE, nobody_knows], TODAY, "es"))[-1] == "juniper"


def test_whoever_is_not_open_at_send_is_named_in_the_order_chosen() -> None:
    choices = [Choice(practitioner_id=who, if_not="ask_me") for who in ("stranger", "juniper", "ana")]
    assert rules.no_longer_open(choices, {entry.id: entry.state for entry in PEOPLE}) == ["stranger", "ana"]


def test_a_person_named_twice_keeps_the_first_place() -> None:
    chosen: list[IfNot] = ["wait", "ask_me", "suggest", "next_choice"]
    assert forms.ranked_choices("chosen", ["kai", "", "juniper", "kai"], chosen) == (
        Choice(practitioner_id="kai", if_not="wait"),
        Choice(practitioner_id="juniper", if_not="suggest"),
    )


def test_only_three_questions_need_an_answer() -> None:
    typed: dict[int, TypedAnswers] = {1: {"mode": "reach_out"}, 2: {"name": "Wren"}, 4: {"reach": ["page"]}}
    assert forms.read_all(typed, "America/New_York")[1] is None
    for question in typed:
        assert forms.read_all({q: values for q, values in typed.items() if q != question}, "America/New_York")[1] == question


def test_a_number_is_read_as_people_here_write_it_and_kept_in_one_form() -> None:
    assert forms.phone_or_nothing("(212) 555-0177", "America/New_York") == "+12125550177"
    assert forms.phone_or_nothing("+34 612 345 678", "America/New_York") == "+34612345678"
    assert forms.phone_or_nothing("612 345 678", "America/New_York") == ""


def test_a_language_we_do_not_know_by_name_goes_to_a_person() -> None:
    assert forms.language_codes("other", "Árabe") == ("ar",)
    assert forms.language_codes("other", "the old village tongue") == ("und",)
    assert forms.language_codes("", "") == ()


def typed_by_someone_in_mexico(phone: str) -> dict[int, TypedAnswers]:
    answers: dict[int, TypedAnswers] = {1: {"mode": "suggest"}, 2: {"name": "Sol"}, 5: {"time_zone": "America/Mexico_City"}}
    return {**answers, 4: {"reach": ["text"], "phone": phone}}


def test_a_number_without_a_country_code_is_read_where_the_person_is() -> None:
    answers, _ = forms.read_all(typed_by_someone_in_mexico("55 1234 5678"), "America/New_York")
    assert answers
    assert answers.phone_number == "+525512345678"
    abroad, _ = forms.read_all(typed_by_someone_in_mexico("+1 212 555 0177"), "America/New_York")
    assert abroad
    assert abroad.phone_number == "+12125550177"


def an_event(event_type: str, version: int, *practitioner_ids: str, **what: Any) -> StatusEvent:
    return StatusEvent(event_type=f"{event_type}.v1", version=version, at=FRIDAY, practitioner_ids=practitioner_ids, **what)


ASKED = an_event("offer.made", 1, "juniper", answer_by=FRIDAY)
DECLINED = an_event("offer.declined", 2, "juniper", then="suggest")
SUGGESTED = an_event("suggestions.made", 3, "kai", "ana")


EVENTS = [
    ASKED,
    DECLINED,
    SUGGESTED,
    an_event("offer.expired", 1, "kai", then="ask_me"),
    an_event("offer.released", 1, "kai", reason="chose_another"),
    an_event("match.made", 1, "kai"),
    an_event("request.waiting", 1, "kai", waiting_for="place"),
    an_event("coordinator.needed", 1, reason="wrote"),
    an_event("coordinator.needed", 1, reason="nobody_suits", reaching_out=True),
]


def test_the_newest_event_decides_in_whatever_order_they_came() -> None:
    for order in permutations([ASKED, DECLINED, SUGGESTED]):
        status = rules.request_status(order)
        assert (status.state, status.practitioner_ids, status.reason) == ("suggested", ("kai", "ana"), "declined")


@given(st.data())
def test_whatever_happened_the_page_has_a_status_and_a_way_to_leave(data: st.DataObject) -> None:
    drawn = data.draw(st.lists(st.sampled_from(EVENTS), unique_by=lambda event: event.event_type))
    history = [replace(event, version=version) for version, event in enumerate(drawn, 1)]
    shuffled = data.draw(st.permutations(history))
    status = rules.request_status(shuffled)
    assert status == rules.request_status(history)
    assert "leave" in status.allowed_actions


def test_before_any_event_the_request_is_simply_here() -> None:
    assert rules.request_status([]).state == "received"


def test_a_choice_is_not_asked_for_again_until_something_happens() -> None:
    choice = NextChoice(version=3, next="ask", practitioner_id="kai", at=FRIDAY)
    assert rules.request_status([ASKED, DECLINED, SUGGESTED], choice=choice).state == "choice_sent"
    asked_kai = an_event("offer.made", 4, "kai", answer_by=FRIDAY)
    assert rules.request_status([ASKED, DECLINED, SUGGESTED, asked_kai], choice=choice).state == "asking"


def test_wanting_a_person_does_not_hide_who_is_asked() -> None:
    status = rules.request_status([ASKED], choice=NextChoice(version=1, next="person", at=FRIDAY))
    assert (status.state, status.reason, status.allowed_actions) == ("asking", "person", ("leave",))


def test_after_an_offer_ended_the_supportee_chooses_only_if_they_wanted_to_be_asked() -> None:
    for then, state in (("ask_me", "choice_needed"), ("suggest", "offer_ended")):
        expired = an_event("offer.expired", 2, "juniper", then=then)
        assert (rules.request_status([ASKED, expired]).state, rules.request_status([expired]).reason) == (state, "expired")


def test_a_coordinator_who_helps_behind_the_scenes_changes_nothing_on_the_page() -> None:
    help = an_event("coordinator.needed", 2, reason="asks_first", reaching_out=False)
    assert rules.request_status([ASKED, help]).state == "asking"


def test_nobody_suits_is_said_plainly() -> None:
    status = rules.request_status([an_event("coordinator.needed", 1, reason="nobody_suits", reaching_out=True)])
    assert (status.state, status.reason) == ("reaching_out", "nobody_suits")


def test_a_note_is_read_by_whoever_began_to_talk_with_them_else_by_coordinators() -> None:
    asking = rules.request_status([ASKED])
    matched = rules.request_status([an_event("match.made", 2, "juniper")])
    assert rules.note_reader(asking, ()) is None
    assert rules.note_reader(asking, ("coordinator", "kai")) is None
    assert rules.note_reader(asking, ("juniper", "supportee")) == "juniper"
    assert rules.note_reader(matched, ()) == "juniper"
    assert rules.note_reader(rules.request_status([]), ("juniper",)) is None
