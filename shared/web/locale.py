"""The reader's language: what they chose, else what their browser asks for, else the collective's first."""

from flask import Flask, Response, current_app, g, request
from flask_babel import Babel

from shared import i18n
from shared.web.cookies import set_cookie

COOKIE = "lang"


def language() -> str:
    if "language" not in g:
        g.language = _chosen_language()
    return str(g.language)


def available_languages() -> list[str]:
    """The languages that both the catalogue and this collective have."""
    programme = current_app.extensions["kitchen"][0].programme
    return [code for code in programme.languages if code in i18n.LANGUAGES]


def add_to(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(i18n.FOLDER)
    Babel(app, locale_selector=language)
    app.after_request(_set_language_cookie)
    app.context_processor(lambda: {"available_languages": available_languages()})


def _chosen_language() -> str:
    available = available_languages()
    for choice in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if choice in available:
            return choice
    return request.accept_languages.best_match(available) or available[0]


def _set_language_cookie(response: Response) -> Response:
    choice = request.args.get("lang")
    if choice in available_languages() and choice != request.cookies.get(COOKIE):
        set_cookie(response, COOKIE, choice)
    return response
