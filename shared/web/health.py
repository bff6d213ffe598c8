"""/livez: this process answers. /readyz: it can also do its work, for which a web process needs MongoDB and nothing else."""

import pymongo
from flask import Flask
from pymongo.errors import PyMongoError

SECONDS_TO_ANSWER = 2


def add_to(app: Flask) -> None:
    app.add_url_rule("/livez", view_func=lambda: ("alive\n", 200), endpoint="livez")
    app.add_url_rule("/readyz", view_func=lambda: _ready(app), endpoint="readyz")


def _ready(app: Flask) -> tuple[str, int]:
    try:
        with pymongo.timeout(SECONDS_TO_ANSWER):
            app.extensions["kitchen"][0].db.command("ping")
    except PyMongoError:
        return "no database\n", 503
    return "ready\n", 200
