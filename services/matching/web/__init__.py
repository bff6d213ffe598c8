"""The pages of practitioners and coordinators. Each view loads a form, runs a handler, shows what is wrong, or sends on."""

from flask import Flask

from services.matching.handlers import service
from services.matching.web import (
    agreements,
    auth,
    beside,
    calendar,
    desk,
    feedback,
    helpers,
    look_backs,
    me,
    meetings,
    offers,
    plans,
    practitioners,
    profile,
    welcome,
)
from shared.settings import Settings, read_core
from shared.web.app import make_service_app


def make_app(settings: Settings | None = None) -> Flask:
    theirs = (
        offers.offers,
        meetings.meetings,
        agreements.agreements,
        plans.plans,
        look_backs.look_backs,
        calendar.calendar,
        auth.auth,
        me.me,
        profile.profile,
        beside.beside,
        welcome.way,
    )
    parts = (*theirs, desk.desk, feedback.feedback, practitioners.practitioners)
    app = make_service_app(service, settings or read_core(), "services.matching", *parts)
    helpers.add_to(app)
    return app
