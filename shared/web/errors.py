"""Error pages that say what happened, that nothing is lost, and who helps."""

from collections.abc import Callable

from flask import Flask, Response, current_app, make_response, render_template
from pymongo.errors import PyMongoError
from werkzeug.exceptions import HTTPException

from shared import logs

log = logs.get_logger("web")
PAGES = (400, 403, 404, 405, 410, 413, 429, 500, 503)


def add_to(app: Flask) -> None:
    for status in PAGES:
        app.register_error_handler(status, _page(status))
    app.register_error_handler(PyMongoError, _no_database)


def error_page(status: int) -> Response:
    return make_response(render_template("error.html", status=status), status)


def _page(status: int) -> Callable[[Exception], Response]:
    def show(error: Exception) -> Response:
        if not isinstance(error, HTTPException) or getattr(error, "original_exception", None):
            log.error("a page failed", extra={"status": status}, exc_info=getattr(error, "original_exception", None) or error)
        return error_page(status)

    return show


def _no_database(error: PyMongoError) -> Response:
    if error.timeout:
        current_app.extensions["deadline"].timed_out()
    log.error("a page failed because MongoDB did not answer", extra={"status": 503, "reason": type(error).__name__})
    return error_page(503)
