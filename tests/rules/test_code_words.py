"""The words of a code are known, kind and cannot be mistaken for each other; seven of them are enough."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from math import log2
from pathlib import Path

import pytest

from services.intake.code_words import WORDS_IN_A_CODE, new_code_words, normalized, word_list
from shared.i18n import FOLDER

TO_AVOID = Path(__file__).parent / "words_to_avoid"
in_both_languages = pytest.mark.parametrize("language", ["en", "es"])


def lines(name: str) -> list[str]:
    return [line for line in (TO_AVOID / f"{name}.txt").read_text().splitlines() if line and not line.startswith("#")]


def those_that_hurt(words: Iterable[str], language: str) -> list[str]:
    """Those that are on the list, or begin or end with an entry of it. An entry with a dot is one whole word."""
    entries = lines(language)
    whole = {normalized(entry) for entry in entries}
    stems = tuple(normalized(entry) for entry in entries if not entry.endswith("."))
    folded = {word: normalized(word) for word in words}
    return [word for word, typed in folded.items() if typed in whole or typed.startswith(stems) or typed.endswith(stems)]


def near(words: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs that one letter typed wrong, left out or added turns into each other."""
    alike: dict[str, set[str]] = defaultdict(set)
    for word in map(normalized, words):
        for at in range(len(word) + 1):
            alike[f"{word[:at]}*{word[at:]}"].add(word)
            alike[f"{word[:at]}*{word[at + 1 :]}"].add(word)
    return (pair for found in alike.values() for pair in combinations(sorted(found), 2))


@in_both_languages
def test_there_are_enough_words_and_each_is_short_and_easy_to_type(language: str) -> None:
    words = word_list(language)
    assert len(words) == len(set(map(normalized, words))) >= 2000
    assert WORDS_IN_A_CODE * log2(len(words)) >= 70
    assert all(3 <= len(word) <= 8 and word.isalpha() and word == word.casefold() for word in words)
    assert all(normalized(word).isascii() and len(normalized(word)) == len(word) for word in words)


@in_both_languages
def test_no_word_can_hurt(language: str) -> None:
    assert len(lines(language)) >= 400
    assert not those_that_hurt(word_list(language), language)


def test_the_words_that_were_drawn_once_are_on_the_lists_of_words_to_avoid() -> None:
    english = """
    autistic mute nemesis uncivil ludicrous sprain isolation grope flatten numbness vagabond discharge moaning police prison
    chokehold strangle drown slit sedate sedative clinic patient deranged crazy neurotic delusion lunacy rehab relapse disabled
    mutilated unloved unwanted arrest handcuff nutcase suffocate unlovable suffering deceased poison repugnant"""
    assert those_that_hurt(english.split(), "en") == english.split()
    spanish = "celda encierro enfermar ahogar culpable neurosis maldito policía cárcel clínica"
    assert those_that_hurt(spanish.split(), "es") == spanish.split()


@in_both_languages
def test_no_two_words_are_one_letter_an_accent_or_an_ending_apart(language: str) -> None:
    words = list(word_list(language))
    assert not list(near(words))
    folded = set(map(normalized, words))
    assert not [word for word in folded if {f"{word}s", f"{word}es"} & folded]


def test_near_words_are_found() -> None:
    assert sorted(set(near(["lamp", "lamps", "damp", "moss", "mossy", "river"]))) == [
        ("damp", "lamp"),
        ("lamp", "lamps"),
        ("moss", "mossy"),
    ]


@in_both_languages
def test_no_two_words_sound_alike(language: str) -> None:
    words, groups = set(word_list(language)), [set(line.split()) for line in lines(f"sound_alike_{language}")]
    assert len(groups) > 50
    assert not [group & words for group in groups if len(group & words) > 1]


def test_no_sentence_counts_the_words_itself() -> None:
    catalogue = (FOLDER / "es" / "LC_MESSAGES" / "messages.po").read_text()
    assert not re.findall(r"\b(?:six|seven|seis|siete)(?: code)? (?:words|palabras)\b", catalogue)


@in_both_languages
def test_new_words_come_from_the_list_of_the_language(language: str) -> None:
    words = new_code_words(language).split(" ")
    assert len(words) == WORDS_IN_A_CODE
    assert set(words) <= set(word_list(language))
