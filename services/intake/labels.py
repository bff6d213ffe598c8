"""What coded answers are called. Marked here, translated where they are shown."""

from collections.abc import Callable

from shared import labels as shared_labels
from shared.i18n import _
from shared.labels import FEEDBACK, HELP, MEETING_TYPES, PARTS

__all__ = [
    "AGES",
    "FEEDBACK",
    "FILTERS",
    "HELP",
    "IF_NOT",
    "MEETING_TYPES",
    "MODES",
    "PACES",
    "PARTS",
    "REACH",
    "SAFELY",
    "SPOKEN_LANGUAGES",
    "listed",
]

MODES = {
    "chosen": _("Someone I choose"),
    "suggest": _("Suggest two or three people to me"),
    "anyone": _("Anyone who is free"),
    "reach_out": _("I am not sure, please reach out to me"),
}
IF_NOT = {
    "ask_me": _("Ask me first"),
    "next_choice": _("Ask my next choice"),
    "suggest": _("Suggest someone else"),
    "wait": _("Just wait for this person"),
}
REACH = {"email": _("Email"), "text": _("Text message"), "page": _("I will check the private page myself")}
PACES = {"two_weeks": _("Every two weeks"), "month": _("Once a month"), "never": _("Only when there is news")}
SAFELY = {
    "only_news": _("Say only “You have a message”, never what kind of news it is"),
    "on_their_word": _("Do not write before I say so on my page"),
    "ask_words": _("Ask for my code words before showing anything: no link in an email opens my page"),
    "texts_safe": _("If I lose my code words, a code to come in may be texted to my number"),
}
SPOKEN_LANGUAGES = {"en": "English", "es": "Español", "both": _("Either English or Spanish"), "other": _("Another language")}
AGES = {"": _("I would rather not say"), **shared_labels.AGES}
FILTERS = {
    "meeting_types": _("How to meet"),
    "languages": _("Language"),
    "when": _("When"),
    "lived": _("What they have lived"),
    "doings": _("Doing something together"),
    "help": _("What you can do together"),
    "text": _("Words"),
}


def listed(names: list[str], translate: Callable[[str], str]) -> str:
    """Juniper, Kai and Ana."""
    if len(names) < 2:
        return "".join(names)
    return translate(_("%(some)s and %(last)s")) % {"some": ", ".join(names[:-1]), "last": names[-1]}
