"""One page in one state and one language, as it was answered: all that a check looks at."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

# plain: a page that stands outside our base (the proxy's own). Letters are e-mails' HTML.
Kind = Literal["page", "demo", "plain", "letter"]
WIDTHS = (320, 390, 1280)
THEMES = ("light", "dark", "quiet", "quiet-dark")


@dataclass(frozen=True)
class PageState:
    """`name`: page/state. `pictured`: its look depends on nothing that changes between two runs, so a picture of it is kept."""

    name: str
    language: str
    url: str
    html: str
    kind: Kind = "page"
    pictured: bool = True

    @property
    def file_name(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    def __str__(self) -> str:
        return f"{self.language} {self.name}"


def save(states: list[PageState], folder: Path) -> None:
    """For those who want to look at the HTML, or to run the checks again without the walk."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "states.json").write_text(json.dumps([asdict(state) for state in states], ensure_ascii=False))


def load(folder: Path) -> list[PageState]:
    return [PageState(**state) for state in json.loads((folder / "states.json").read_text())]
