"""What somebody wrote down for somebody else, as the link that they hand on. It holds all of it, encrypted: nothing is stored
before the person it is about says yes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared import vault
from shared.tokens import new_token

LASTS = timedelta(days=14)
PURPOSE, FIELD = "for-someone", "invitation"


@dataclass(frozen=True, kw_only=True, repr=False)
class Invitation:
    """`id`: random; its digest is stored once the link is used up. `name`: what we may call the person. `words`: what would help
    them, as they told whoever wrote it down."""

    id: str
    name: str
    words: str
    expires_at: datetime


class NoInvitation(ValueError):
    """Not made here, changed on its way, or too old."""


def invite(secret: str, name: str, words: str, moment: datetime) -> str:
    """The end of a link. `secret`: intake's own. With 80 and 500 characters of any script it has less than 3,300."""
    id, until = new_token(), int((moment + LASTS).timestamp())
    written = "\n".join((str(until), " ".join(name.split()), words))
    return f"{id}.{vault.encrypt(_key(secret), id, FIELD, written)}"


def open_invitation(secret: str, token: str, moment: datetime) -> Invitation:
    """Raises NoInvitation."""
    id, _, blob = token.partition(".")
    try:
        until, name, words = vault.decrypt(_key(secret), id, FIELD, blob).split("\n", 2)
    except vault.DecryptionError as error:
        raise NoInvitation from error
    expires_at = datetime.fromtimestamp(int(until), UTC)
    if expires_at <= moment:
        raise NoInvitation
    return Invitation(id=id, name=name, words=words, expires_at=expires_at)


def _key(secret: str) -> bytes:
    return vault.derive_key(secret, PURPOSE)
