"""What a collective says of itself is checked before anybody can read it."""

from dataclasses import replace
from pathlib import Path

import pytest

from shared.programme import placeholders, read_programme, reason_not_to_serve
from tests.web_settings import programme_of_a_collective

SHIPPED = Path("deploy/programme.toml")


@pytest.mark.parametrize("address", ["https://kt.example", "http://kt.example", "http://10.0.0.7:8000", "http://0.0.0.0"])
def test_a_promise_that_nobody_wrote_is_not_served_to_others(address: str) -> None:
    programme = read_programme(SHIPPED)
    assert "words.en.promise, line 1" in (reason_not_to_serve(programme, address) or "")
    ours = programme_of_a_collective()
    assert "promise" in (reason_not_to_serve(replace(ours, promise_is_ours=False), address) or "")
    assert reason_not_to_serve(ours, address) is None


def test_no_flag_serves_a_placeholder_and_every_one_is_named() -> None:
    programme = replace(read_programme(SHIPPED), promise_is_ours=True)
    reason = reason_not_to_serve(programme, "https://kt.example") or ""
    marked = [line for line in SHIPPED.read_text().splitlines() if "PLACEHOLDER" in line or "TEXTO PROVISIONAL" in line]
    found = placeholders(programme)
    in_texts = [line for line in marked if line.strip().startswith('"')]
    assert [text for _, text in found] == [line.strip().strip('",') for line in in_texts]
    assert len(found) == 6
    assert all(where in reason for where, _ in found)
    assert {"words.en.limits, line 1", "words.es.commitments.we_hold_to, line 2"} <= {where for where, _ in found}


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


@pytest.mark.parametrize("address", ["http://rooms.example", "rooms.example", "https://a@rooms.example", "https://rooms"])
def test_rooms_are_made_at_an_address_that_can_be_opened_safely(tmp_path: Path, address: str) -> None:
    file = tmp_path / "programme.toml"
    file.write_text(SHIPPED.read_text().replace('rooms_at = ""', f'rooms_at = "{address}"'))
    with pytest.raises(SystemExit, match="rooms_at"):
        read_programme(file)


def test_a_doing_has_words_in_every_language(tmp_path: Path) -> None:
    file = tmp_path / "programme.toml"
    file.write_text(SHIPPED.read_text().replace('walk = { en = "A walk", es = "Un paseo" }', 'walk = { en = "A walk" }'))
    with pytest.raises(SystemExit, match="walk"):
        read_programme(file)
