"""What coded answers are called. Marked here, translated where they are shown."""

from collections.abc import Callable

from babel import Locale

from shared.i18n import _

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
HELP = {
    "listening": _("Someone to listen"),
    "planning": _("Planning for hard times"),
    "making_sense": _("Making sense of things together"),
    "forms": _("Help with forms and appointments"),
    "other": _("Something else"),
}
REACH = {"email": _("Email"), "text": _("Text message"), "page": _("I will check the private page myself")}
WAYS = {
    "video": _("Video call"),
    "phone": _("Phone"),
    "text": _("Text messages"),
    "email": _("By email"),
    "in_person": _("In person"),
}
PARTS = {
    "weekday_morning": _("Weekday mornings"),
    "weekday_afternoon": _("Weekday afternoons"),
    "weekday_evening": _("Weekday evenings"),
    "weekend_morning": _("Weekend mornings"),
    "weekend_afternoon": _("Weekend afternoons"),
    "weekend_evening": _("Weekend evenings"),
}
WHEN = {"morning": _("Mornings"), "afternoon": _("Afternoons"), "evening": _("Evenings")}
SPEAK = {"en": "English", "es": "Español", "both": _("Either English or Spanish"), "other": _("Another language")}
AGES = {
    "": _("I would rather not say"),
    "under_18": _("Under 18"),
    "18_to_25": _("18 to 25"),
    "26_to_64": _("26 to 64"),
    "65_and_over": _("65 or older"),
}
FILTERS = {
    "ways": _("How to meet"),
    "languages": _("Language"),
    "when": _("When"),
    "help": _("What you can do together"),
    "text": _("Words"),
}


def language_name(code: str, reader: str) -> str:
    return str(Locale(reader).languages.get(code, code)).capitalize()


def listed(names: list[str], say: Callable[[str], str]) -> str:
    """Juniper, Kai and Ana."""
    if len(names) < 2:
        return "".join(names)
    return say("%(some)s and %(last)s") % {"some": ", ".join(names[:-1]), "last": names[-1]}
