"""What a collective says of itself is checked before anybody can read it."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.programme import may_go_public, read_programme

SHIPPED = Path("deploy/programme.toml")


def test_a_promise_that_nobody_wrote_keeps_the_programme_from_going_public() -> None:
    programme = read_programme(SHIPPED)
    assert "promise" in (may_go_public(programme, "https://kt.example") or "")
    assert may_go_public(programme, "http://127.0.0.1:8000") is None
    assert may_go_public(replace(programme, promise_is_ours=True), "https://kt.example") is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [("answer_days = 5", "answer_days"), ('time_zone = "America/New_York"', "time_zone"), ('write_to = "', "write_to")],
)
def test_a_wrong_programme_file_stops_the_start_and_names_the_field(tmp_path: Path, wrong: str, named: str) -> None:
    file = tmp_path / "programme.toml"
    file.write_text(SHIPPED.read_text().replace(wrong, f"{named} = [1] #"))
    with pytest.raises(SystemExit, match=f"programme.toml.*{named}"):
        read_programme(file)


def test_a_language_without_words_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "programme.toml"
    file.write_text(SHIPPED.read_text().replace('languages = ["en", "es"]', 'languages = ["en", "fr"]'))
    with pytest.raises(SystemExit, match="fr"):
        read_programme(file)
