"""/me/words, /me/ways, /me/hours, /me/letters: what a practitioner says of themselves, a page for each topic."""

from flask import Blueprint, Response, request

from services.matching import forms
from services.matching.domain import Practitioner, Topic
from services.matching.handlers import reading, service
from services.matching.web import profiles
from services.matching.web.auth import require_role
from services.matching.web.profiles import Typed
from shared.web.errors import error_page
from shared.web.forms import Errors, read
from shared.web.views import redirect_after_post, render

profile = Blueprint("profile", __name__)
CLOCK_HOURS = [(str(hour), f"{hour:02}:00") for hour in range(24)]
FORMS: dict[Topic, type[forms.ProfileForm]] = {
    "words": forms.ProfileForm,
    "ways": forms.ProfileForm,
    "hours": forms.ProfileForm,
    "letters": forms.LettersForm,
}
FIELDS: dict[Topic, tuple[str, ...]] = {
    "words": ("name", "pronouns", "words", "can_sit_with", "first_meeting", "not_offered", "access", "lived", "lived_words"),
    "ways": ("languages", "meeting_types", "help", "doings", "ages", "not_now"),
    "hours": ("parts", "hours", "time_zone"),
    "letters": ("channels", "quiet_from", "quiet_until", "digest", "language", "email", "phone"),
}


@profile.get("/me/<any(words, ways, hours, letters):topic>")
def show(topic: Topic) -> Response:
    practitioner = _signed_in()
    return _show(topic, practitioner, profiles.as_typed(practitioner)) if practitioner else error_page(410)


@profile.post("/me/<any(words, ways, hours, letters):topic>")
def save(topic: Topic) -> Response:
    practitioner = _signed_in()
    if practitioner is None:
        return error_page(410)
    if practitioner.has_stepped_back:
        return redirect_after_post("/me?done=not_possible")
    errors = _save(topic, practitioner)
    if errors:
        return _show(topic, _signed_in() or practitioner, request.form, errors)
    return redirect_after_post("/me?done=saved")


def _save(topic: Topic, practitioner: Practitioner) -> Errors:
    programme, zone = service.programme, practitioner.time_zone
    form = FORMS[topic](
        home_zone=zone, is_new=False, countries=programme.text_countries, listed=programme.listed, only=FIELDS[topic]
    )
    typed, errors = read(form, forms.join_hours(request.form))
    return errors or profiles.save(practitioner.id, typed, "practitioner", practitioner.id, own=topic)


def _signed_in() -> Practitioner | None:
    return reading.find_practitioner(require_role("practitioner"), service.db)


def _show(topic: Topic, practitioner: Practitioner, typed: Typed, errors: Errors | None = None) -> Response:
    return render(
        "my_profile.html",
        errors,
        topic=topic,
        me=practitioner,
        typed=typed,
        hours=profiles.hours_in(typed),
        clock_hours=CLOCK_HOURS,
        shown=profiles.shown_again(practitioner, errors) if errors else profiles.shown(practitioner, FIELDS[topic]),
        changed=profiles.as_it_is_now(practitioner, errors) if errors else [],
    )
