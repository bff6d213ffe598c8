"""How a person likes pages to look: one cookie, no account. The server writes it on <html>, so nothing flashes."""

from urllib.parse import parse_qs, urlencode

from flask import Flask, Response, request

from shared.web.cookies import set_cookie

COOKIE = "comfort"  # as the page's address, which people may have kept
CHOICES = {
    "theme": ("device", "light", "dark", "quiet", "quiet-dark"),
    "text": ("normal", "large", "larger"),
    "space": ("normal", "airy"),
    "font": ("normal", "plain"),
}


def current() -> dict[str, str]:
    preferences = parse_qs(request.cookies.get(COOKIE, ""))
    return {name: _allowed(name, preferences.get(name, [""])[0]) for name in CHOICES}


def set_preferences(response: Response, preferences: dict[str, str]) -> Response:
    value = urlencode({name: _allowed(name, preferences.get(name, "")) for name in CHOICES})
    set_cookie(response, COOKIE, value)
    return response


def add_to(app: Flask) -> None:
    app.add_template_test(lambda value: value in {"device", "normal"}, "default")


def _allowed(name: str, value: str) -> str:
    return value if value in CHOICES[name] else CHOICES[name][0]
