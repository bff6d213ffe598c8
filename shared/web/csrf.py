"""No other page may send our forms. A form that merely grew old is shown again with everything typed."""

from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect

protect = CSRFProtect()
NOT_TYPED = {"csrf_token"}


def add_to(app: Flask) -> None:
    # Our Referrer-Policy hides the referrer, so the strict referrer check is replaced by the origin check below.
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False, WTF_CSRF_CHECK_DEFAULT=False)
    protect.init_app(app)
    app.before_request(_check)
    app.register_error_handler(CSRFError, _show_again)


def _check() -> None:
    if request.method in {"GET", "HEAD", "OPTIONS"} or not request.endpoint or protect._is_exempt():
        return
    if _from_elsewhere():
        abort(403)
    protect.protect()


def _from_elsewhere() -> bool:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = request.headers.get("Origin", "null")
    # Under no-referrer a browser says "null" of its own pages too: then the token and Sec-Fetch-Site decide.
    return origin != "null" and urlsplit(origin).netloc not in {request.host, _own_host()}


def _own_host() -> str:
    return str(urlsplit(current_app.extensions["kitchen"][1].public_url).netloc)


def _show_again(_: CSRFError) -> Response:
    g.errors = {}
    typed = [(name, value) for name, values in request.form.lists() for value in values if name not in NOT_TYPED]
    return make_response(render_template("again.html", typed=typed), 403)
