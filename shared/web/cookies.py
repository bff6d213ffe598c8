"""How this site sets a cookie."""

from flask import Response, current_app

A_YEAR = 365 * 24 * 3600


def set_cookie(response: Response, name: str, value: str, *, seconds: int | None = A_YEAR) -> None:
    """Without `seconds` it ends with the browser."""
    response.set_cookie(name, value, max_age=seconds, secure=secure(), httponly=True, samesite="Lax")


def delete_cookie(response: Response, name: str) -> None:
    response.delete_cookie(name, secure=secure(), httponly=True, samesite="Lax")


def secure() -> bool:
    """False only where the public origin is plain http: the demo on loopback, whose cookies a browser would otherwise refuse."""
    return bool(current_app.config["SESSION_COOKIE_SECURE"])


def host_bound_name(name: str) -> str:
    return f"__Host-{name}" if secure() else name
