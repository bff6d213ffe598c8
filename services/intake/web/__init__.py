"""The pages that everybody meets first. Each view loads a form, runs a handler, shows what is wrong, or sends on."""

from flask import Flask

from services.intake.handlers import service
from services.intake.web import ask, pages, people, status
from services.intake.web.here import add_words
from shared.settings import Settings, read_core
from shared.web.app import web_app


def make_app(settings: Settings | None = None) -> Flask:
    settings = settings or read_core()
    if "db" not in service.__dict__:
        service.start(settings)
    app = web_app(service, settings, "services.intake")
    add_words(app)
    for part in (pages.pages, people.people, ask.ask, status.status):
        app.register_blueprint(part)
    return app
