"""Every time and every count that a page, an e-mail or a text says in words is the one that the code goes by."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from services.intake import forms as intake_forms
from services.intake import lifetimes, rules
from services.intake.handlers import way_in as intake_way_in
from services.intake.web import helpers
from services.matching import rules as matching_rules
from services.matching.domain import application
from services.matching.domain.feedback import SHOWN_FROM
from services.matching.handlers import offers, sign_in, welcome
from services.matching.handlers import way_in as matching_way_in
from services.notify import domain
from services.notify import rules as notify_rules
from services.notify.handlers import outbound, replies
from services.notify.store.offers import OFFER_KEPT
from shared import meetings
from shared.contracts import Series
from shared.labels import LOOK_BACK
from shared.web import agreement_forms, calendars

HALF_AN_HOUR, A_DAY, TEN_MINUTES = timedelta(minutes=30), timedelta(days=1), timedelta(minutes=10)


def limits() -> set[str]:
    """Within what time requests of one place are counted."""
    pages = [file.read_text() for file in Path("services").rglob("web/*.py")]
    return {within for page in pages for within in re.findall(r'"\d+ per ([^"]+)"', page)}


SAID = {
    "For one hour only the link": (replies.CODES_ARE_COUNTED_FOR, timedelta(hours=1)),
    "your code is %(code)s, for 10 minutes": (intake_way_in.CODE_LASTS, TEN_MINUTES),
    "They work for ten minutes, in this browser only": (intake_way_in.CODE_LASTS, TEN_MINUTES),
    "its ten minutes are over. You can try five times": ((intake_way_in.CODE_LASTS, intake_way_in.MOST_TRIES), (TEN_MINUTES, 5)),
    "your link, for 30 minutes": (sign_in.LINK_LASTS, HALF_AN_HOUR),
    "It opens your page for the next 30 minutes": (sign_in.LINK_LASTS, HALF_AN_HOUR),
    "The link works for 30 minutes": (sign_in.LINK_LASTS, HALF_AN_HOUR),
    "your link, for one day": (intake_way_in.ASKED_FOR_LASTS, A_DAY),
    "It works for one day, on the first device that opens your page": (intake_way_in.ASKED_FOR_LASTS, A_DAY),
    "The link works for one day": (intake_way_in.ASKED_FOR_LASTS, A_DAY),
    "It works for one day, on the first device that opens their page": (matching_way_in.LINK_LASTS, A_DAY),
    "for two weeks or until a day after the next one": (
        (outbound.LETTER_LINK_LASTS, intake_way_in.NEXT_LETTER_ENDS_IT),
        (timedelta(weeks=2), A_DAY),
    ),
    "let me in here for 30 days": (helpers.ON_OWN_DEVICE, timedelta(days=30)),
    "this button gives it thirty days more": (lifetimes.KEPT_LONGER, timedelta(days=30)),
    "Once a month": (lifetimes.PACES["month"], timedelta(days=30)),
    "Every two weeks": (lifetimes.PACES["two_weeks"], timedelta(weeks=2)),
    "at most three days while they cannot leave": (domain.LONGEST_DELIVERY, timedelta(days=3)),
    "once in four hours at most": (domain.DESK_CALL_GAP, timedelta(hours=4)),
    "You can take it back for 24 hours": (offers.UNDO_LASTS, timedelta(hours=24)),
    "Wait 10 minutes": (limits(), {"10 minutes"}),
    "This is longer than 80 characters": (80 in intake_forms.TOO_LONG, True),
    "This is longer than 500 characters": (500 in intake_forms.TOO_LONG, True),
    "This is longer than 4,000 characters": (4000 in intake_forms.TOO_LONG, True),
    "This is longer than 4,000 characters. Shorten": (agreement_forms.LONGEST, 4000),
    "Two questions for each of you": (len(LOOK_BACK), 2),
    "two questions wait on your page": (len(LOOK_BACK), 2),
    "You have chosen five people, which is the most": (rules.MOST_CHOICES, 5),
    "Here are the first ten": (rules.MOST_FOUND, 10),
    "two or three": (matching_rules.MOST_SUGGESTIONS, 3),
    "Choose one, two or three people": (matching_rules.MOST_SUGGESTIONS, 3),
    "Choose up to three hours, or write": (meetings.MOST_HOURS, 3),
    "Choose up to three. They are in your time": (meetings.MOST_HOURS, 3),
    "Propose up to three hours": (meetings.MOST_HOURS, 3),
    "within the next four months": (meetings.LATEST, timedelta(days=120)),
    "An hour, each week": (Series.minutes, 60),
    "An hour, once": (Series.minutes, 60),
    "It works for two years": (calendars.FEED_LASTS, timedelta(days=730)),
    "An hour before": (notify_rules.BEFORE["hour"], timedelta(hours=1)),
    "At most 500 characters, and nothing": (intake_forms.MOST_FOR_SOMEONE, 500),
    "once three people have written": (SHOWN_FROM, 3),
    "What people write shows once three have written": (SHOWN_FROM, 3),
    "Three or more always come together": (SHOWN_FROM, 3),
    "we write to you two weeks before": (welcome.TOLD_BEFORE, timedelta(days=14)),
    "Without a word from you it is deleted in two weeks": (welcome.TOLD_BEFORE, timedelta(days=14)),
    "two coordinators say it": (application.NEEDED["two_coordinators"], 2),
    "one of two said yes": (application.NEEDED["two_coordinators"], 2),
    "Until two weeks after the last day to answer": (OFFER_KEPT, timedelta(weeks=2)),
    "Three people you could meet": (matching_rules.MOST_SUGGESTIONS, 3),
}
NUMBER = re.compile(
    r"\b(?:\d[\d,]*|two|three|four|five|six|ten|fifteen|thirty) \w+|\b(?:one|an|once a) (?:hour|day|month)\b", re.I
)
NO_PROMISE = re.compile(
    r"^About |usually once a week|^Five days later|^One day later|^Twelve hours later|^\d+ (?:g|ml|spoons)|Makes six|knead for|"
    r"rest for fifteen|Roll out six|^\d+ to \d+$|^\d+ or older|1 yes|1 for yes|Nothing came after ten|two parts|the two of you|"
    r"one of the two|six figures are|The six figures|One or two|^Nobody is texted between nine|"
    r"^Choose an hour$|It may be an hour that|You live in two time zones|"
    # What a moment in a database decides has a test of its own.
    r"one day at most|after an hour, a person is told|^Two people you could meet",
)


def sentences() -> list[str]:
    with Path("shared/translations/es/LC_MESSAGES/messages.po").open("rb") as file:
        return [text for m in read_po(file) if m.id for text in (m.id if isinstance(m.id, tuple) else (m.id,))]


@pytest.mark.parametrize(("words", "values"), SAID.items())
def test_the_code_goes_by_the_number_that_is_said(words: str, values: tuple[object, object]) -> None:
    in_the_code, said = values
    assert in_the_code == said
    assert any(words in text for text in sentences())


def test_no_sentence_says_a_number_that_is_not_looked_at_here() -> None:
    found = [text for text in sentences() if NUMBER.search(re.sub(r"%\(\w+\)s", "", text))]
    assert len(found) > 30
    assert [text for text in found if not NO_PROMISE.search(text) and not any(words in text for words in SAID)] == []
