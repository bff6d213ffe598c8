"""What coded answers are called. Marked here, translated where they are shown."""

from shared.i18n import _
from shared.labels import AGES, FEEDBACK, HELP, MEETING_TYPES, PARTS

__all__ = [
    "AGES",
    "AUDIT_ACTIONS",
    "EMAIL_IN_USE",
    "FEEDBACK",
    "FLASH_MESSAGES",
    "HELP",
    "LISTS_OF_REQUESTS",
    "MEETING_TYPES",
    "NOBODY_FOUND",
    "NO_SUCH_REQUEST",
    "OFFER_STATES",
    "PARTS",
    "REQUEST_FIELDS",
    "REQUEST_STATES",
    "STATES",
    "TASK_REASONS",
    "TOPICS",
    "TOPICS_CHANGED",
    "URGENCIES",
    "WELCOME_STATES",
    "WHO_SAYS_YES",
]

STATES = {
    "open": _("Open to new people"),
    "full": _("Full for now"),
    "resting": _("Resting"),
    "stepped_back": _("No longer here"),
}
TASK_REASONS = {
    "reach_out": _("They asked that a person writes to them"),
    "nobody_suits": _("Nobody free fits yet"),
    "asks_first": _("A practitioner asks something first"),
    "wrote": _("They wrote to the coordinators"),
    "not_delivered": _("A message could not be delivered"),
    "yes_taken_back": _("A practitioner changed their mind after a yes"),
    "notes_shared": _("Somebody would like a coordinator to read their notes"),
    "read_first": _("Read first: nothing is sent to them until then"),
    "stranded": _("A part of the system could not handle a message. Tell whoever looks after the server"),
    "names_somebody": _("Read whom they would never meet: nobody is asked until then"),
    "ask_in_person": _("Talk with this practitioner before they are asked"),
    "flood": _("Many requests at once, or faster than a person types: nobody is asked until you decide"),
    "erasure_late": _("Somebody left, and not everything of theirs is erased yet. Tell whoever looks after the server"),
    "out_of_step": _("What the parts of the system hold does not fit together"),
    "no_way_in": _("Nothing opens their page: they have no code words and no link"),
    "no_room": _("No video room could be made. Help them to another place to meet"),
    "room_left_over": _("A video room that nobody needs could not be deleted. Tell whoever looks after the server"),
    "welcome": _("Somebody would like to become a practitioner"),
    "kept_too_long": _("Something is kept longer than we promise. Tell whoever looks after the server"),
}
REQUEST_STATES = {
    "received": _("This request came in"),
    "asking": _("Somebody is being asked"),
    "matched": _("A practitioner said yes"),
    "waiting": _("This request is waiting"),
    "reaching_out": _("A person will write to them"),
    "withdrawn": _("This request has ended"),
    "lapsed": _("This request ended after a long silence"),
}
ENDED_BY_A_COORDINATOR = _("A coordinator ended this request")
TOPICS = {
    "words": _("What everybody reads of you"),
    "ways": _("How you meet, and what is not for now"),
    "hours": _("When you meet"),
    "letters": _("How we write to you"),
}
TOPICS_CHANGED = {
    "words": _("what everybody reads"),
    "ways": _("how they meet"),
    "hours": _("when they meet"),
    "letters": _("how we write to them"),
}
WELCOME_STATES = {
    "applied": _("The application came in"),
    "in_conversation": _("A conversation has begun"),
    "in_training": _("On the way"),
    "welcomed": _("Everybody said yes"),
    "not_now": _("Not now"),
}
WHO_SAYS_YES = {
    "self": _("you say it"),
    "facilitator": _("a coordinator says it"),
    "buddy": _("your buddy says it, and a coordinator writes it down"),
    "two_coordinators": _("two coordinators say it"),
}
OFFER_STATES = {
    "sent": _("asked"),
    "seen": _("asked, has read it"),
    "accepted": _("said yes"),
    "declined": _("said not this time"),
    "expired": _("the time to answer passed"),
    "released": _("let off"),
    "ended": _("their meetings have ended"),
}
AUDIT_ACTIONS = {
    "opened": _("opened this request"),
    "asked": _("asked a practitioner"),
    "suggested": _("suggested people"),
    "reaches_out": _("said that a person writes"),
    "wrote": _("wrote to them"),
    "shared_by_practitioner": _("The practitioner let coordinators read their notes"),
    "shared_by_supportee": _("They let coordinators read their notes with the practitioner"),
    "resolved": _("said that this is done"),
    "reopened": _("took back that this is done"),
    "released": _("read what to know first, and said to write to them"),
    "held_back": _("read what to know first, and said to write only on their page"),
    "goes_on": _("read whom they would never meet, and let it go on"),
    "may_be_asked": _("talked with a practitioner, who may be asked"),
    "left_out": _("talked with a practitioner, and went on without them"),
    "flood_released": _("let it go on after it had come with many others"),
    "flood_ended": _("ended it after it had come with many others"),
    "let_in": _("made a new way in for them"),
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
    "taken": _("It is yours. Whatever you need for it is behind “Open”."),
    "resolved": _("Done."),
    "reopened": _("It is on the desk again."),
    "released": _("We write to them from now on."),
    "held_back": _("We write only on their page, until they say there that we may."),
    "goes_on": _("It goes on, without those whose name they wrote."),
    "may_be_asked": _("They may be asked about this request now."),
    "left_out": _("It goes on without them."),
    "talk_first": _("Please talk with this practitioner first. What for, the request says at its top."),
    "not_again": _("You are not asked about this person again. It stands on your page, where you can take it back."),
    "name_listed": _("It is on your list. Nobody else sees it."),
    "shown": _("Whoever writes to the coordinators may choose you by your first name."),
    "not_shown": _("Nobody sees your name any more when they write to the coordinators."),
    "unlisted": _("It is off your list."),
    "one_goes_on": _("It goes its usual way."),
    "one_ends": _("It has ended."),
    "all_go_on": _("They go their usual way now, one after the other."),
    "all_end": _("They end now, one after the other."),
    "saved": _("Saved."),
    "call_asked": _("They are asked to call you."),
    "begun": _("Welcome. You are on the website now, for one person at first. Say more of yourself whenever you like."),
    "taken_back": _("It is gone. Nothing of it is kept here."),
    "said_yes": _("Your yes stands there."),
    "talking": _("Their page says that you have begun to talk."),
    "sent": _("Sent. Both sides see it."),
    "stepped_back": _("You have stepped back. Thank you for all of it. Nobody new is sent to you."),
    "not_possible": _("That is not possible any more. Nothing was changed. Here is how it stands now."),
}
LISTS_OF_REQUESTS = {
    "received": _("To be read"),
    "asking": _("Being asked"),
    "waiting": _("Waiting"),
    "reaching_out": _("A person writes"),
    "matched": _("Matched"),
    "withdrawn": _("Ended"),
    "lapsed": _("Ended in silence or by us"),
}
URGENCIES = {
    "overdue": _("Late"),
    "today": _("Today"),
    "this_week": _("In the next days"),
    "later": _("Later"),
}
NO_SUCH_REQUEST = _("No request has this number. It is the one on its page and in its row")
NOBODY_FOUND = _("Nobody here has exactly this address or name")
EMAIL_IN_USE = _("Another practitioner has this email address")
