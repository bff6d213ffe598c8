"""Practitioners from a spreadsheet: all of them or none, and a clear line for each bad cell that never shows its value."""

from pathlib import Path

from services.matching.people import TOO_MANY, check, import_profiles, read_file
from shared.service import Service
from tests.people import NEW_YORK

HEAD = "name,email,phone,languages,meeting_types,hours,places,state,resting_until\n"
GOOD = 'Ana,Ana@Example.org,(202) 555-0101,en es,video;text,"mon 18:00-20:00; wed 9:00-10:30",2,,\n'


def a_file(folder: Path, *lines: str) -> Path:
    file = folder / "people.csv"
    file.write_text(HEAD + "".join(lines))
    return file


def test_a_good_row_becomes_a_practitioner(matching: Service, tmp_path: Path) -> None:
    profiles, problems = check(read_file(a_file(tmp_path, GOOD)), NEW_YORK)
    assert problems == []
    assert import_profiles(profiles, into=matching) == 1
    row = matching.db.practitioners.find_one({})
    assert row
    assert (row["languages"], row["meeting_types"], row["places"], row["state"]) == (["en", "es"], ["video", "text"], 2, "open")
    assert row["hours"] == [{"day": 0, "start": 1080, "end": 1200}, {"day": 2, "start": 540, "end": 630}]
    assert row["has_phone"]


def test_each_problem_names_row_and_column_and_never_the_value(tmp_path: Path) -> None:
    bad = "Kai,kai-at-home,12,xx1,boat,someday,-3,gone,yesterday\n"
    _, problems = check(read_file(a_file(tmp_path, GOOD, bad)), NEW_YORK)
    assert {(row, column) for row, column, _ in problems} == {
        (3, column) for column in ("email", "phone", "languages", "meeting_types", "hours", "places", "state", "resting_until")
    }
    assert not any(value in says for _, _, says in problems for value in ("kai-at-home", "boat", "someday", "gone", "xx1"))


def test_the_same_address_twice_and_cells_too_many_are_said(tmp_path: Path) -> None:
    _, problems = check(read_file(a_file(tmp_path, GOOD, GOOD.replace("Ana@", "ana@"), GOOD.strip() + ",more\n")), NEW_YORK)
    assert [(row, column) for row, column, _ in problems] == [(3, "email"), (4, TOO_MANY)]


def test_importing_again_updates_and_leaves_a_rest_alone(matching: Service, tmp_path: Path) -> None:
    profiles, _ = check(read_file(a_file(tmp_path, GOOD)), NEW_YORK)
    import_profiles(profiles, into=matching)
    matching.db.practitioners.update_one({}, {"$set": {"state": "resting"}})
    again, _ = check(read_file(a_file(tmp_path, GOOD.replace(",2,", ",5,"))), NEW_YORK)
    import_profiles(again, into=matching)
    assert [(row["places"], row["state"]) for row in matching.db.practitioners.find()] == [(5, "resting")]
