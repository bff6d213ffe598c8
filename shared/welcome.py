"""The steps by which somebody becomes a practitioner, as the programme sets them. No step asks for papers about a person."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import get_args

from shared.contracts.common import WhoSaysYes

NEVER_ASKED = re.compile(
    r"police|background|criminal|\bdbs\b|\bcrb\b|fingerprint|upload|certificate|diagnos|psychiatr|medical record|conviction"
    r"|polic[ií]a|antecedente|penal|huella|sub(?:e|ir) (?:un|tu|el)|certificado|diagn[oó]stic|psiqui|historia cl[ií]nica|condena",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class WelcomeStep:
    """`words`: language -> what it is. A step of the applicant's own is ticked by them, one of a facilitator or a buddy by one
    coordinator, one of two coordinators by two different ones."""

    key: str
    who_says_yes: str
    words: dict[str, str] = field(default_factory=dict)

    def words_in(self, language: str) -> str:
        return self.words.get(language) or next(iter(self.words.values()), self.key)


@dataclass(frozen=True, kw_only=True)
class Join:
    """`opens_on`: until that day nobody can apply; empty: they can."""

    opens_on: str = ""


def wrong_steps(steps: Sequence[WelcomeStep], languages: Sequence[str]) -> Iterator[str]:
    """Each names the step."""
    for number, step in enumerate(steps, 1):
        name = f"welcome, step {number} ({step.key})"
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", step.key):
            yield f"{name}: the key has to be small letters, figures and _"
        if [each.key for each in steps].count(step.key) > 1:
            yield f"{name}: another step has this key"
        if step.who_says_yes not in get_args(WhoSaysYes):
            yield f"{name}: who_says_yes = {step.who_says_yes!r} is none of {', '.join(get_args(WhoSaysYes))}"
        if found := next(
            (hit for text in (step.key.replace("_", " "), *step.words.values()) if (hit := NEVER_ASKED.search(text))), None
        ):
            yield f"{name}: nobody here is asked for that: {found[0]}"
        if not set(languages) <= {*step.words}:
            yield f"{name}: words are missing for {', '.join(sorted(set(languages) - {*step.words}))}"
    if not any(step.who_says_yes == "two_coordinators" for step in steps):
        yield "welcome: one step needs who_says_yes = 'two_coordinators'"
