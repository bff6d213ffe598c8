"""The cup of each practitioner: the same for the same id, different for most, small, and without anything about them."""

from shared.web.cups import cup

IDS = [f"practitioner-{number}" for number in range(1000)]


def test_the_same_id_gives_the_same_cup() -> None:
    assert [cup(id) for id in IDS[:50]] == [cup(id) for id in IDS[:50]]


def test_many_ids_spread_over_many_cups() -> None:
    drawn = [cup(id) for id in IDS]
    assert len(set(drawn)) > 450
    assert max(drawn.count(one) for one in set(drawn)) < 12


def test_a_cup_is_small_and_has_no_words() -> None:
    for id in IDS:
        assert len(cup(id, "tiny").encode()) < 1024
        assert 'aria-hidden="true"' in cup(id)
        assert id not in cup(id)
        assert "<title" not in cup(id)


def test_what_stands_in_an_id_never_becomes_markup() -> None:
    assert "script" not in cup('"><script>')
