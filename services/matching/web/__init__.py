"""The pages of practitioners and coordinators. Each view loads a form, runs a handler, shows what is wrong, or sends on."""

from flask import Flask

from services.matching.handlers import service
from services.matching.web import desk, entries, me, offers, signing_in
from services.matching.web.here import add_words
from shared.settings import Settings, read_core
from shared.web.app import web_app


def make_app(settings: Settings | None = None) -> Flask:
    settings = settings or read_core()
    if "db" not in service.__dict__:
        service.start(settings)
    app = web_app(service, settings, "services.matching")
    add_words(app)
    for part in (offers.offers, signing_in.doors, me.me, desk.desk, entries.entries):
        app.register_blueprint(part)
    return app
