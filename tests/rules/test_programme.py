"""What a collective says of itself is checked before anybody can read it."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.programme import read_programme, reason_not_to_serve

SHIPPED = Path("deploy/programme.toml")


@pytest.mark.parametrize("address", ["https://kt.example", "http://kt.example", "http://10.0.0.7:8000", "http://0.0.0.0"])
def test_a_promise_that_nobody_wrote_is_not_served_to_others(address: str) -> None:
    programme = read_programme(SHIPPED)
    assert "promise" in (reason_not_to_serve(programme, address) or "")
    assert reason_not_to_serve(replace(programme, promise_is_ours=True), address) is None


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://localhost:8080", "https://localhost", "http://[::1]"])
def test_on_this_machine_alone_the_placeholder_may_be_seen(address: str) -> None:
    assert reason_not_to_serve(read_programme(SHIPPED), address) is None


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
