"""What was found, said once; pictures compared with those that are kept; the last line."""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from tests.gates import contact_sheets, pictures
from tests.gates.looking import Seen
from tests.gates.page_state import PageState

Finding = tuple[str, str]
FOLDER = Path(".local/pages")
KEEP = "UPDATE=1 WALKED=1 make pages"


def compare_pictures(looked: Iterable[tuple[PageState, Seen]], kept: Path = pictures.KEPT) -> list[Finding]:
    """How it was and how it is stand side by side in .local/pages/changed."""
    shutil.rmtree(FOLDER / "changed", ignore_errors=True)
    findings: list[Finding] = []
    for state, seen in looked:
        for width, content in seen.pictures.items():
            findings += [(str(state), says) for says in _compare_one(state, width, content, kept)]
    return findings


def _compare_one(state: PageState, width: int, content: bytes, kept: Path) -> list[str]:
    file = pictures.kept_file(state.file_name, width, kept)
    if not file.is_file():
        return [f"no picture of it at {width} px is kept: {KEEP}"]
    found = pictures.difference(file.read_bytes(), content, width)
    if found is None:
        return []
    beside = FOLDER / "changed" / f"{state.file_name}-{width}.png"
    beside.parent.mkdir(parents=True, exist_ok=True)
    found.beside.save(beside)
    return [f"at {width} px {found.where} (before and after: {beside}; if it is meant: {KEEP}, and commit it)"]


def gone(states: Sequence[PageState], kept: Path = pictures.KEPT) -> list[Path]:
    """Pictures of states that are no more."""
    names = {state.file_name for state in states}
    return [file for file in sorted(kept.glob("*/*.webp")) if file.stem not in names]


def keep_pictures(looked: Iterable[tuple[PageState, Seen]], kept: Path = pictures.KEPT) -> int:
    """Only those that differ are written again. Returns how many."""
    written = 0
    for state, seen in looked:
        for width, content in seen.pictures.items():
            file = pictures.kept_file(state.file_name, width, kept)
            if not file.is_file() or pictures.difference(file.read_bytes(), content, width):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                written += 1
    return written


def write_contact_sheets(looked: Sequence[tuple[PageState, Seen]]) -> list[Path]:
    shots: dict[tuple[int, str, str], list[tuple[str, Image.Image]]] = defaultdict(list)
    for state, seen in looked:
        for (width, theme), thumb in seen.shots.items():
            shots[width, theme, state.language].append((state.name, thumb))
    for old in FOLDER.glob("sheet-*.png"):
        old.unlink()
    return [
        file
        for (width, theme, language), some in sorted(shots.items())
        for file in contact_sheets.write(some, width, f"sheet-{width}-{theme}-{language}", FOLDER)
    ]


def say(findings: Sequence[Finding], times: Mapping[str, float], states: int) -> None:
    """The same problem on many pages is said once, with the pages."""
    pages: dict[str, list[str]] = defaultdict(list)
    for state, problem in findings:
        pages[problem].append(state)
    for problem, found_on in pages.items():
        more = f" (and {len(found_on) - 3} more)" if len(found_on) > 3 else ""
        print(f"- {problem}\n    on {'; '.join(found_on[:3])}{more}")
    print(", ".join(f"{what} {seconds:.0f} s" for what, seconds in times.items()))
    print(f"pages {states} states, {len(findings)} findings")
