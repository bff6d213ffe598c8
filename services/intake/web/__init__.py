"""The pages that everybody meets first. Each view loads a form, runs a handler, shows what is wrong, or redirects."""

from flask import Flask

from services.intake.handlers import service
from services.intake.listing import ListingCache
from services.intake.web import (
    agreements,
    ask,
    calendar,
    corrections,
    feedback,
    first_question,
    for_someone,
    helpers,
    join,
    look_backs,
    meeting_times,
    meetings,
    pages,
    people,
    plan,
    status,
    way_in,
)
from shared.settings import Settings, read_core
from shared.web.app import make_service_app


def make_app(settings: Settings | None = None) -> Flask:
    of_a_request = (
        status.status,
        way_in.ways_in,
        meetings.meetings,
        meeting_times.meeting_times,
        agreements.agreements,
        look_backs.look_backs,
        plan.plan,
        calendar.calendar,
        corrections.corrections,
    )
    blueprints = (
        pages.pages,
        people.people,
        join.join,
        first_question.first_question,
        ask.ask,
        for_someone.for_someone,
        feedback.feedback,
        *of_a_request,
    )
    app = make_service_app(service, settings or read_core(), "services.intake", *blueprints)
    helpers.add_to(app, ListingCache(service.db, service.vault))
    return app
