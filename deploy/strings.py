"""The catalogue of every sentence that people read: python -m deploy.strings update|check|compile."""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from shared.i18n import FOLDER, LANGUAGES

FOLDERS = ("shared", "services", "deploy")
WHERE = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
OPTIONS = {"**/templates/**.html": {"trimmed": "true"}, "**/templates/**.txt": {"trimmed": "true"}}


def in_the_code() -> Catalog:
    found = Catalog(project="Kitchen Table", charset="utf-8")
    for folder in FOLDERS:
        for file, _, sentence, comments, context in extract_from_dir(folder, WHERE, OPTIONS):
            found.add(sentence, None, [(f"{folder}/{file}", 0)], auto_comments=comments, context=context)
    return found


def catalogues() -> Iterator[tuple[Path, Catalog]]:
    for language in LANGUAGES[1:]:
        path = FOLDER / language / "LC_MESSAGES" / "messages.po"
        with path.open("rb") as file:
            yield path, read_po(file, locale=language)


def update() -> list[str]:
    """Add what is new, drop what is gone. No place in the code is kept: it would change the file with every other change."""
    used = in_the_code()
    for path, catalogue in catalogues():
        for gone in [message for message in catalogue if message.id and message.id not in used]:
            catalogue.delete(gone.id)
        for message in used:
            if message.id and message.id not in catalogue:
                catalogue.add(message.id, flags=message.flags)
        with path.open("wb") as out:
            write_po(out, catalogue, width=130, sort_output=True)
    compile_all()
    return [f"to translate in {path}: {_shown(m)}" for path, c in catalogues() for m in c if m.id and not _is_translated(m)]


def check() -> list[str]:
    used = in_the_code()
    wrong = []
    for path, catalogue in catalogues():
        language = path.parts[-3]
        wrong += [f"{language}: missing (in {m.locations[0][0]}): {_shown(m)}" for m in used if m.id and m.id not in catalogue]
        wrong += [f"{language}: no longer used: {_shown(m)}" for m in catalogue if m.id and m.id not in used]
        wrong += [f"{language}: not translated: {_shown(m)}" for m in catalogue if m.id and not _is_translated(m)]
        wrong += [f"{language}: {error} in: {_shown(m)}" for m, errors in catalogue.check() for error in errors]
    return wrong


def compile_all() -> list[str]:
    for path, catalogue in catalogues():
        with path.with_suffix(".mo").open("wb") as out:
            write_mo(out, catalogue)
    return []


def _is_translated(message: Message) -> bool:
    strings = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    return all(strings) and not message.fuzzy


def _shown(message: Message) -> str:
    return repr(message.id[0] if isinstance(message.id, (list, tuple)) else message.id)


if __name__ == "__main__":
    wrong = {"update": update, "check": check, "compile": compile_all}[sys.argv[1]]()
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(bool(wrong) and sys.argv[1] == "check")
