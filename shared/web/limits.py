"""Rate limits without a trace: the key is a keyed hash of the address whose salt lives in memory for one day."""

import hashlib
import hmac
import secrets

from flask import Flask, request
from flask_limiter import Limiter

from shared.clock import now

_salt: tuple[int, bytes] = (0, b"")


def visitor() -> str:
    global _salt
    today = now().toordinal()
    if _salt[0] != today:
        _salt = (today, secrets.token_bytes(32))
    return hmac.new(_salt[1], (request.remote_addr or "").encode(), hashlib.sha256).hexdigest()


limiter = Limiter(key_func=visitor, storage_uri="memory://", headers_enabled=False)


def add_to(app: Flask) -> None:
    """Use `@limiter.limit("10 per 10 minutes", methods=["POST"])` on a view."""
    limiter.init_app(app)
