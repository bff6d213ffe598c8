"""How a person likes pages to look: one cookie, no account. The server writes it on <html>, so nothing flashes."""

from urllib.parse import parse_qs, urlencode

from flask import Flask, Response, current_app, request

COOKIE = "comfort"
A_YEAR = 365 * 24 * 3600
CHOICES = {
    "theme": ("device", "light", "dark", "quiet", "quiet-dark"),
    "text": ("normal", "large", "larger"),
    "space": ("normal", "airy"),
    "font": ("normal", "plain"),
}


def current() -> dict[str, str]:
    wished = parse_qs(request.cookies.get(COOKIE, ""))
    return {name: _allowed(name, wished.get(name, [""])[0]) for name in CHOICES}


def remember(response: Response, wished: dict[str, str]) -> Response:
    value = urlencode({name: _allowed(name, wished.get(name, "")) for name in CHOICES})
    response.set_cookie(COOKIE, value, max_age=A_YEAR, secure=current_app.config["SESSION_COOKIE_SECURE"], httponly=True, samesite="Lax")
    return response


def add_to(app: Flask) -> None:
    app.add_template_test(lambda value: value not in {"device", "normal"}, "wished")


def _allowed(name: str, value: str) -> str:
    return value if value in CHOICES[name] else CHOICES[name][0]
