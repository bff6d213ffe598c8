"""What a run says: nothing when all is as it was, each finding by name, and how many states it looked at."""

import re
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.gates import contact_sheets, pictures, report
from tests.gates.looking import Seen
from tests.gates.page_state import PageState, load, save

BUTTON = (20, 200, 220, 260)
STATE = PageState("my page/four offers", "en", "http://127.0.0.1:8000/me", "<!doctype html><title>My page</title>")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def looked(colour: str = "#5b2e6b") -> list[tuple[PageState, Seen]]:
    picture = Image.new("RGB", (390, 600), "#fbf6ec")
    ImageDraw.Draw(picture).rectangle(BUTTON, fill=colour)
    thumb = contact_sheets.thumbnail(picture, 390)
    return [(STATE, Seen([], {390: pictures.small(picture, 390)}, {(390, "light"): thumb}))]


def test_a_page_without_a_picture_is_a_finding_until_one_is_kept(tmp_path: Path) -> None:
    assert [says for _, says in report.compare_pictures(looked(), tmp_path)] == [
        "no picture of it at 390 px is kept: UPDATE=1 WALKED=1 make pages"
    ]
    assert report.keep_pictures(looked(), tmp_path) == 1
    assert report.compare_pictures(looked(), tmp_path) == []


def test_a_change_is_named_shown_beside_how_it_was_and_kept_when_it_is_meant(tmp_path: Path) -> None:
    report.keep_pictures(looked(), tmp_path)
    [(state, says)] = report.compare_pictures(looked("#1f557a"), tmp_path)
    assert state == "en my page/four offers"
    assert "looks different" in says
    edges = [int(number) for number in re.findall(r"\d+", says.split("(")[0])][1:]
    assert all(abs(edge - drawn) < 15 for edge, drawn in zip(edges, BUTTON, strict=True)), says
    assert Path(".local/pages/changed/my-page-four-offers-390.png").is_file()
    assert report.keep_pictures(looked("#1f557a"), tmp_path) == 1
    assert report.compare_pictures(looked("#1f557a"), tmp_path) == []


def test_a_picture_that_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    report.keep_pictures(looked(), tmp_path)
    assert report.keep_pictures(looked(), tmp_path) == 0


def test_a_picture_of_a_page_that_is_no_more_is_found(tmp_path: Path) -> None:
    report.keep_pictures(looked(), tmp_path)
    assert report.gone([STATE], tmp_path) == []
    assert [file.stem for file in report.gone([], tmp_path)] == ["my-page-four-offers"]


def test_all_pages_stand_on_a_sheet(tmp_path: Path) -> None:
    [sheet] = report.write_contact_sheets(looked())
    assert sheet.name == "sheet-390-light-en-1.png"
    assert Image.open(sheet).height > contact_sheets.THUMB[390]


def test_the_last_line_counts_states_and_findings(capsys: pytest.CaptureFixture[str]) -> None:
    report.say([("en a", "wide"), ("en b", "wide"), ("es a", "no title")], {"looking": 1.0}, 200)
    said = capsys.readouterr().out.splitlines()
    assert said[0:2] == ["- wide", "    on en a; en b"]
    assert said[-1] == "pages 200 states, 3 findings"
    report.say([], {}, 200)
    assert capsys.readouterr().out.splitlines()[-1] == "pages 200 states, 0 findings"


def test_states_of_a_walk_can_be_looked_at_again(tmp_path: Path) -> None:
    save([STATE], tmp_path / "pages")
    assert load(tmp_path / "pages") == [STATE]
