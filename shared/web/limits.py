"""Rate limits without a trace, shared by all processes of a website. Places are known by keyed hashes that change every day;
the key and the counts live in memory alone (counts.py)."""

import ipaddress

from flask import Flask, Response, request
from flask_limiter import Limiter, RouteLimit
from limits.storage import Storage

from shared.clock import now
from shared.web.counts import counts

IPV6_PREFIX = 64  # what one household or one phone is given: a single address of it would be no limit at all


def client_key() -> str:
    """Of the place that a request comes from, today."""
    return counts.digest(f"{now().toordinal()}/{_network(request.remote_addr or '')}")


def _network(address: str) -> str:
    """The address, or the /64 network of an IPv6 address."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    return str(known.ipv4_mapped or ipaddress.ip_network((known, IPV6_PREFIX), strict=False))


class SharedStorage(Storage):
    """What Flask-Limiter counts with."""

    STORAGE_SCHEME = ["shared-counts"]  # noqa: RUF012  the library's own attribute

    @property
    def base_exceptions(self) -> type[Exception]:
        return OSError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return counts.add(key, expiry, amount)

    def get(self, key: str) -> int:
        return counts.count(key)

    def get_expiry(self, key: str) -> float:
        return counts.ends_at(key)

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        counts.forget_all()
        return None

    def clear(self, key: str) -> None:
        counts.forget(key)


limiter = Limiter(key_func=client_key, storage_uri="shared-counts://", headers_enabled=False)


def limit_failures(limit: str) -> RouteLimit:
    """`@limit_failures("60 per 10 minutes")`: only answers with an error status count, for guesses of codes and links.
    Whoever shares an address with others (a library, a shelter, Tor) is not locked out by those who get it right."""
    return limiter.limit(limit, deduct_when=_failed)


def _failed(response: Response) -> bool:
    return response.status_code >= 400


def add_to(app: Flask) -> None:
    """Use `@limiter.limit("10 per 10 minutes", methods=["POST"])` on a view."""
    limiter.init_app(app)
