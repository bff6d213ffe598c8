"""Rate limits without a trace: the key is a keyed hash of the address whose salt lives in memory for one day."""

import hashlib
import hmac
import ipaddress
import secrets

from flask import Flask, Response, request
from flask_limiter import Limiter, RouteLimit

from shared.clock import now

IPV6_PREFIX = 64  # what one household or one phone is given: a single address of it would be no limit at all
_salt: tuple[int, bytes] = (0, b"")


def client_key() -> str:
    global _salt
    today = now().toordinal()
    if _salt[0] != today:
        _salt = (today, secrets.token_bytes(32))
    return hmac.new(_salt[1], _network(request.remote_addr or "").encode(), hashlib.sha256).hexdigest()


def _network(address: str) -> str:
    """The address, or the /64 network of an IPv6 address."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    return str(known.ipv4_mapped or ipaddress.ip_network((known, IPV6_PREFIX), strict=False))


limiter = Limiter(key_func=client_key, storage_uri="memory://", headers_enabled=False)


def limit_failures(limit: str) -> RouteLimit:
    """`@limit_failures("60 per 10 minutes")`: only answers with an error status count, for guesses of codes and links.
    Whoever shares an address with others (a library, a shelter, Tor) is not locked out by those who get it right."""
    return limiter.limit(limit, deduct_when=_failed)


def _failed(response: Response) -> bool:
    return response.status_code >= 400


def add_to(app: Flask) -> None:
    """Use `@limiter.limit("10 per 10 minutes", methods=["POST"])` on a view."""
    limiter.init_app(app)
