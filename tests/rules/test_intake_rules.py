"""What intake decides: the order of people, what a visitor looks for, and what a status page says."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

from services.intake import forms, rules
from services.intake.rules import Entry, Wish
from shared.contracts import Choice

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
    assert ids(rules.order_of_the_day(many, TODAY)) == ids(rules.order_of_the_day(reversed(many), TODAY))
    firsts = {rules.order_of_the_day(many, TODAY + timedelta(days=day))[0].id for day in range(60)}
    assert len(firsts) > 10


def test_those_open_to_somebody_new_stand_before_those_who_rest() -> None:
    assert ids(rules.order_of_the_day(PEOPLE, TODAY))[-1] == "ana"


def test_all_groups_of_a_wish_must_be_met_and_any_tick_within_one() -> None:
    assert ids(rules.matching_wish(PEOPLE, Wish(meeting_types=("video", "text"), languages=("en",)))) == ["juniper"]
    assert ids(rules.matching_wish(PEOPLE, Wish(when=("morning",)))) == ["kai", "ana"]
    assert ids(rules.matching_wish(PEOPLE, Wish(text="BEES keep"))) == ["juniper"]


def test_an_empty_result_names_what_to_drop() -> None:
    wish = Wish(meeting_types=("phone",), text="bees")
    assert rules.matching_wish(PEOPLE, wish) == []
    assert rules.without_one(PEOPLE, wish) == {"meeting_types": 1, "text": 1}


def test_whoever_is_not_open_at_send_is_named_in_the_order_chosen() -> None:
    choices = [Choice(practitioner_id=who, if_not="ask_me") for who in ("stranger", "juniper", "ana")]
    assert rules.no_longer_open(choices, {entry.id: entry for entry in PEOPLE}) == ["stranger", "ana"]


def test_a_person_named_twice_keeps_the_first_place() -> None:
    answers = {"mode": "chosen", "choice": ["kai", "", "juniper", "kai"], "if_not": ["wait", "ask_me", "suggest", "next_choice"]}
    assert forms.chosen_steps(answers) == (
        Choice(practitioner_id="kai", if_not="wait"),
        Choice(practitioner_id="juniper", if_not="suggest"),
    )


def test_only_three_questions_need_an_answer() -> None:
    typed: dict[int, forms.Typed] = {1: {"mode": "reach_out"}, 2: {"name": "Wren"}, 4: {"reach": ["page"]}}
    assert forms.all_answers(typed, "America/New_York")[1] is None
    for question in typed:
        assert forms.all_answers({q: values for q, values in typed.items() if q != question}, "America/New_York")[1] == question


def test_a_number_is_read_as_people_here_write_it_and_kept_in_one_form() -> None:
    assert forms.clean_phone("(212) 555-0177", "America/New_York") == "+12125550177"
    assert forms.clean_phone("+34 612 345 678", "America/New_York") == "+34612345678"
    assert forms.clean_phone("612 345 678", "America/New_York") == ""


def test_a_language_we_do_not_know_by_name_goes_to_a_person() -> None:
    assert forms.language_codes("other", "Árabe") == ("ar",)
    assert forms.language_codes("other", "the old village tongue") == ("und",)
    assert forms.language_codes("", "") == ()


def fact(kind: str, version: int, **what: Any) -> dict[str, Any]:
    return {"kind": f"{kind}.v1", "version": version, "at": FRIDAY, **what}


ASKED = fact("offer.made", 1, practitioner_id="juniper", answer_by=FRIDAY)
DECLINED = fact("offer.declined", 2, practitioner_id="juniper", then="suggest")
SUGGESTED = fact("suggestions.made", 3, practitioner_ids=["kai", "ana"])


def test_the_newest_fact_decides_in_whatever_order_they_came() -> None:
    for order in permutations([ASKED, DECLINED, SUGGESTED]):
        found = rules.standing(order)
        assert (found.kind, found.practitioner_ids, found.why) == ("suggestions", ("kai", "ana"), "declined")


def test_before_any_news_the_request_is_simply_here() -> None:
    assert rules.standing([]).kind == "received"


def test_an_answer_given_is_not_asked_for_again_until_there_is_news() -> None:
    chosen = {"version": 3, "next": "ask", "practitioner_id": "kai"}
    assert rules.standing([ASKED, DECLINED, SUGGESTED], chosen=chosen).kind == "going_on"
    asked_kai = fact("offer.made", 4, practitioner_id="kai", answer_by=FRIDAY)
    assert rules.standing([ASKED, DECLINED, SUGGESTED, asked_kai], chosen=chosen).kind == "asking"


def test_wanting_a_person_does_not_hide_who_is_reading() -> None:
    found = rules.standing([ASKED], chosen={"version": 1, "next": "person", "practitioner_id": None})
    assert (found.kind, found.why, found.moves) == ("asking", "person", ("leave",))


def test_a_coordinator_who_helps_behind_the_scenes_changes_nothing_on_the_page() -> None:
    help = fact("coordinator.needed", 2, why="asks_first", reaching_out=False)
    assert rules.standing([ASKED, help]).kind == "asking"


def test_nobody_suits_is_said_plainly() -> None:
    found = rules.standing([fact("coordinator.needed", 1, why="nobody_suits", reaching_out=True)])
    assert (found.kind, found.why) == ("reaching_out", "nobody_suits")


def test_whoever_left_sees_that_and_nothing_else() -> None:
    assert rules.standing([ASKED, SUGGESTED], withdrawn=True) == rules.Standing(kind="withdrawn", moves=())


def test_a_note_is_read_by_whoever_began_to_talk_with_them_else_by_coordinators() -> None:
    asking = rules.standing([ASKED])
    matched = rules.standing([fact("match.made", 2, practitioner_id="juniper")])
    assert rules.who_reads_a_note(asking, []) is None
    assert rules.who_reads_a_note(asking, [{"by": "coordinator"}, {"by": "kai"}]) is None
    assert rules.who_reads_a_note(asking, [{"by": "juniper"}, {"by": "supportee"}]) == "juniper"
    assert rules.who_reads_a_note(matched, []) == "juniper"
    assert rules.who_reads_a_note(rules.standing([]), [{"by": "juniper"}]) is None
