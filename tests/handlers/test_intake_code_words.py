"""Code words: easy to type, and of no use without the service's own secret."""

import pytest

from services.intake import code_words


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
