"""The reader's language: what they chose, else what their browser asks for, else the collective's first."""

from flask import Flask, Response, current_app, g, request
from flask_babel import Babel

from shared import i18n
from shared.web.cookies import set_cookie

COOKIE = "lang"


def language() -> str:
    if "language" not in g:
        g.language = _chosen()
    return str(g.language)


def spoken() -> list[str]:
    """The languages that both the catalogue and this collective have."""
    programme = current_app.extensions["kitchen"][0].programme
    return [code for code in programme.languages if code in i18n.LANGUAGES]


def add_to(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(i18n.FOLDER)
    Babel(app, locale_selector=language)
    app.after_request(_remember)
    app.context_processor(lambda: {"spoken": spoken()})


def _chosen() -> str:
    for wish in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wish in spoken():
            return wish
    return request.accept_languages.best_match(spoken()) or spoken()[0]


def _remember(response: Response) -> Response:
    wish = request.args.get("lang")
    if wish in spoken() and wish != request.cookies.get(COOKIE):
        set_cookie(response, COOKIE, wish)
    return response
