"""Six code words: enough of them, easy to type, and of no use without the service's own secret."""

import pytest

from services.intake import code_words


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_language_has_7776_words_that_stay_different_however_they_are_typed(language: str) -> None:
    words = code_words.word_list(language)
    assert len(words) == len({code_words.normalized(word) for word in words}) == 7776
    assert all(word.isascii() for word in words)


@pytest.mark.parametrize("typed", ["RIVER cedar  button", "river-cedar-button", " river cédar\tbutton ", "rivercedarbutton"])
def test_capitals_spaces_hyphens_and_accents_make_no_difference(typed: str) -> None:
    assert (
        code_words.derive_keys_from_words(typed, "secret").id
        == code_words.derive_keys_from_words("river cedar button", "secret").id
    )


def test_the_same_words_mean_nothing_elsewhere() -> None:
    here, there = (
        code_words.derive_keys_from_words("river cedar", "secret"),
        code_words.derive_keys_from_words("river cedar", "another secret"),
    )
    assert here.id != there.id
    assert here.secret != there.secret


def test_new_words_are_six() -> None:
    assert len(code_words.new_code_words("es").split(" ")) == code_words.WORDS_IN_A_CODE
