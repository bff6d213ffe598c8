"""What the codes of contracts are called. Marked here, translated where they are shown."""

from shared.i18n import _

FEEDBACK = {"programme": _("Our support"), "site": _("This website")}
HELP = {
    "listening": _("Someone to listen"),
    "planning": _("Planning for hard times"),
    "making_sense": _("Making sense of things"),
    "forms": _("Forms and appointments"),
    "lived_it": _("Someone who has lived it too"),
    "other": _("Something else"),
}
MEETING_TYPES = {
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
AGES = {
    "under_18": _("Under 18"),
    "18_to_25": _("18 to 25"),
    "26_to_64": _("26 to 64"),
    "65_and_over": _("65 or older"),
}
AGREEMENT = {
    "helps": _("What helps, and what each of us brings"),
    "not_helpful": _("What is not helpful"),
    "off": _("How we tell each other that something is off"),
    "would_do": _("What each of us said we would do"),
    "pause_and_end": _("How we pause, and how we end"),
    "may_know": _("Who may know about us"),
}
"""The headings of what two people agree on. A programme may call them otherwise."""
PLAN = {
    "signs": _("What I notice when it gets hard"),
    "helps": _("What helps me then"),
    "not_helpful": _("What does not help"),
    "people": _("People and places I can turn to"),
    "afterwards": _("What is good afterwards"),
}
"""The headings of a plan for hard days. A programme may call them otherwise."""
LOOK_BACK = {
    "good": _("What has been good?"),
    "change": _("What would you change?"),
}
"""Two questions after some meetings. A programme may ask others."""
