"""No other page may send our forms. Whatever was typed into a form that was refused is shown again."""

from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from shared.web.forms import NOT_ANSWERS

protect = CSRFProtect()
READING_METHODS = {"GET", "HEAD", "OPTIONS"}


def add_to(app: Flask) -> None:
    # Our Referrer-Policy hides the referrer, so Flask-WTF's strict referrer check is replaced by the origin check below.
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    app.before_request(_check_origin)
    protect.init_app(app)
    app.register_error_handler(CSRFError, _form_to_send_again)


def _check_origin() -> None:
    if request.method not in READING_METHODS and request.endpoint and _cross_origin():
        abort(_refused_with_what_was_typed())


def _cross_origin() -> bool:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = request.headers.get("Origin", "null")
    # Under no-referrer a browser says "null" of its own pages too: then the token and Sec-Fetch-Site decide.
    return origin != "null" and urlsplit(origin).netloc not in {request.host, _public_host()}


def _public_host() -> str:
    return str(urlsplit(current_app.extensions["kitchen"][1].public_url).netloc)


def _form_to_send_again(_: CSRFError) -> Response:
    """The token grew old or was lost: one more press sends the same form."""
    g.errors = {}
    return make_response(render_template("again.html", typed=_typed(leave_out={"csrf_token"})), 403)


def _refused_with_what_was_typed() -> Response:
    """Text to copy, and no form: one press must not send what another site may have made up."""
    g.errors = {}
    return make_response(render_template("refused.html", typed=_typed(leave_out=NOT_ANSWERS)), 403)


def _typed(leave_out: set[str] | frozenset[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.form.lists() for value in values if name not in leave_out]
