"""What coded answers are called. Marked here, translated where they are shown."""

from shared.i18n import _
from shared.labels import AGES, HELP, MEETING_TYPES, PARTS

__all__ = [
    "AGES",
    "AUDIT_ACTIONS",
    "EMAIL_IN_USE",
    "FLASH_MESSAGES",
    "HELP",
    "MEETING_TYPES",
    "NOBODY_FOUND",
    "OFFER_STATES",
    "PARTS",
    "REQUEST_FIELDS",
    "REQUEST_STATES",
    "STATES",
    "TASK_REASONS",
]

STATES = {
    "open": _("Open to new people"),
    "full": _("Full for now"),
    "resting": _("Resting"),
    "stepped_back": _("No longer here"),
}
TASK_REASONS = {
    "reach_out": _("They asked that a person writes to them"),
    "nobody_suits": _("Nobody here suits what they asked for"),
    "asks_first": _("A practitioner asks something first"),
    "wrote": _("They wrote to the coordinators"),
    "not_delivered": _("A message could not be delivered"),
}
REQUEST_STATES = {
    "received": _("This request came in"),
    "asking": _("Somebody is being asked"),
    "matched": _("A practitioner said yes"),
    "waiting": _("This request is waiting"),
    "reaching_out": _("A person will write to them"),
    "withdrawn": _("This request has ended"),
}
OFFER_STATES = {
    "sent": _("asked"),
    "seen": _("asked, has read it"),
    "accepted": _("said yes"),
    "declined": _("said not this time"),
    "expired": _("the time to answer passed"),
    "released": _("let off"),
}
AUDIT_ACTIONS = {
    "opened": _("opened this request"),
    "asked": _("asked a practitioner"),
    "suggested": _("suggested people"),
    "reaches_out": _("said that a person writes"),
    "wrote": _("wrote to them"),
    "resolved": _("said that this is done"),
}
REQUEST_FIELDS = {
    "name": _("Name"),
    "pronouns": _("Pronouns"),
    "words": _("What would help right now"),
    "access": _("Access needs"),
    "anything": _("Anything else"),
    "language_other": _("Language"),
    "before_we_write": _("Before we write to them"),
    "avoid_words": _("Whom they would rather not meet"),
}
FLASH_MESSAGES = {
    "asked": _("The practitioner is being asked."),
    "suggested": _("The suggestions are on their page."),
    "reaching": _("Their page says that a person will write."),
    "wrote": _("Your note is on their page."),
    "resolved": _("Done."),
    "saved": _("Saved."),
    "not_possible": _("That is not possible any more. Nothing was changed. Here is how it stands now."),
}
NOBODY_FOUND = _("Nobody here has exactly this address or name")
EMAIL_IN_USE = _("Another practitioner has this email address")
