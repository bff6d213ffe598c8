"""The steps by which somebody becomes a practitioner are checked before anybody can apply."""

from pathlib import Path

import pytest

from shared.programme import read_programme

SHIPPED = Path("deploy/programme.toml")
WORDS = '{ en = "A conversation", es = "Una conversación" }'


def with_step(tmp_path: Path, key: str = "tea", who: str = "facilitator", words: str = WORDS) -> Path:
    file = tmp_path / "programme.toml"
    step = f'[[welcome]]\nkey = "{key}"\nwho_says_yes = "{who}"\nwords = {words}\n\n[join]\n'
    file.write_text(SHIPPED.read_text().replace("[join]\n", step, 1))
    return file


def test_what_is_shipped_has_a_step_of_two_coordinators_and_one_of_the_applicants_own(tmp_path: Path) -> None:
    who = [step.who_says_yes for step in read_programme(with_step(tmp_path)).welcome]
    assert who[-1] == "facilitator"
    assert {"self", "two_coordinators"} <= set(who)


def test_a_programme_that_names_no_steps_has_the_one_of_two_coordinators(tmp_path: Path) -> None:
    file = tmp_path / "programme.toml"
    parts = SHIPPED.read_text().split("[[welcome]]")
    file.write_text(parts[0] + "[join]\n" + parts[-1].split("[join]\n")[1])
    assert [step.who_says_yes for step in read_programme(file).welcome] == ["two_coordinators"]


def test_an_unknown_way_to_say_yes_stops_the_start_and_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"welcome, step 5 \(tea\): who_says_yes = 'committee'"):
        read_programme(with_step(tmp_path, who="committee"))


def test_without_the_word_of_two_nothing_starts(tmp_path: Path) -> None:
    file = tmp_path / "programme.toml"
    file.write_text(SHIPPED.read_text().replace('"two_coordinators"', '"facilitator"'))
    with pytest.raises(SystemExit, match="one step needs who_says_yes = 'two_coordinators'"):
        read_programme(file)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("police_check", WORDS),
        ("background", WORDS),
        ("dbs", WORDS),
        ("papers", '{ en = "Upload your certificate", es = "Una conversación" }'),
        ("papers", '{ en = "A talk", es = "Sube un certificado de antecedentes" }'),
        ("health", '{ en = "Tell us your diagnosis", es = "Una conversación" }'),
        ("health", '{ en = "A talk", es = "Dinos tu diagnóstico" }'),
    ],
)
def test_no_step_asks_for_papers_about_a_person(tmp_path: Path, key: str, words: str) -> None:
    with pytest.raises(SystemExit, match=rf"step 5 \({key}\): nobody here is asked for that"):
        read_programme(with_step(tmp_path, key=key, words=words))


def test_a_step_without_words_or_with_a_key_of_another_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="words are missing for es"):
        read_programme(with_step(tmp_path, words='{ en = "A talk" }'))
    with pytest.raises(SystemExit, match="another step has this key"):
        read_programme(with_step(tmp_path, key="training"))


def test_a_day_to_open_on_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "programme.toml"
    file.write_text(SHIPPED.read_text().replace('opens_on = ""', 'opens_on = "soon"'))
    with pytest.raises(SystemExit, match="soon"):
        read_programme(file)
