"""Where two people meet, in the words of one of them: an address of a room, or any other words."""

import re
from urllib.parse import urlsplit

from shared.i18n import _

ONLY_HTTPS = _("Write an address that begins with https://, or describe the place in words")
OTHER_ADDRESS = re.compile(r"(?i)\b(?:javascript|vbscript|data|file|blob|http):|(?<!https)://")


def wrong_place(text: str) -> str | None:
    """Why it may not be shown to the other one, as a sentence of the catalogue."""
    return ONLY_HTTPS if OTHER_ADDRESS.search(text) or ("://" in text and not is_link(text)) else None


def is_link(text: str) -> bool:
    """All of it is one address that can be opened, and it says truly where it leads."""
    if not re.fullmatch(r"https://[\x21-\x7e]+", text):
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and "." in (parts.hostname or "") and parts.username is None and parts.port in (None, 443)
    except ValueError:
        return False
