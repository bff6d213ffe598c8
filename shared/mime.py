"""An e-mail as the bytes that are sent: plain text and HTML of the same words, headers folded and encoded.

The standard library's email package says the same twenty times slower; tests read every message back with it. Nothing that is
passed in can add a header or a line of its own.
"""

import binascii
import re
import textwrap
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.header import Header
from email.utils import formataddr

from email_validator import EmailNotValidError, validate_email

LINE = 76
# "=_" is in no quoted-printable text (RFC 2045, 6.7), so no part can hold it.
BOUNDARY = "=_alternative"
MULTIPART = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n\r\n'
PART = '--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
HEADS = [PART.format(boundary=BOUNDARY, subtype=subtype).encode() for subtype in ("plain", "html")]
END = f"--{BOUNDARY}--\r\n".encode()
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
LINE_END = re.compile(r"\r\n|\r|\n")
ADDRESS = re.compile(r"[^\s<>@,;:\"()\\\[\]\x00-\x1f\x7f-\x9f]+@[^\s<>@,;\"()\\\x00-\x1f\x7f-\x9f]+")
LONGEST_WORD = 900  # no line may have more than 998 octets


class NotAnAddress(ValueError):
    """It holds a space, a sign that ends an address, or a second line."""


@dataclass(frozen=True)
class Address:
    """Raises NotAnAddress."""

    address: str
    name: str = ""

    def __post_init__(self) -> None:
        if not ADDRESS.fullmatch(self.address):
            raise NotAnAddress  # which one is nobody's business


def write_mail(headers: Mapping[str, str | Address], text: str, html: str) -> bytes:
    """Seven bits, except for an address that has no ASCII form."""
    lines = [f"{header(name, value)}\r\n" for name, value in headers.items()]
    plain, rich = (head + _quoted_printable(words) + b"\r\n" for head, words in zip(HEADS, (text, html), strict=True))
    return "".join([*lines, MULTIPART]).encode() + plain + rich + END


def header(name: str, value: str | Address) -> str:
    """One header without its last line end. A control character in it becomes a space."""
    words = CONTROL.sub(" ", value if isinstance(value, str) else value.name)
    plain = _is_plain(words)
    if not plain:
        words = Header(words, "utf-8", maxlinelen=LINE, header_name=name).encode(linesep="\r\n")
    if isinstance(value, str):
        return _folded(f"{name}: {words}") if plain else f"{name}: {words}"
    if plain:
        return _folded(f"{name}: {formataddr((words, value.address), charset='utf-8') if words else value.address}")
    return f"{name}: {words}\r\n <{value.address}>"


def ascii_if_possible(address: str) -> str:
    """Any domain has an ASCII form, not every mailbox has one."""
    if not address.isascii():
        with suppress(EmailNotValidError):
            return validate_email(address, check_deliverability=False).ascii_email or address
    return address


def _is_plain(words: str) -> bool:
    """Whether they can stand in a header as they are: nothing to encode, nothing that folding would change."""
    if not words.isascii() or "=?" in words:
        return False
    parts = words.split(" ")
    return words == "" or ("" not in parts and max(map(len, parts)) <= LONGEST_WORD)


def _folded(line: str) -> str:
    if len(line) <= LINE:
        return line
    return "\r\n ".join(textwrap.wrap(line, LINE - 1, break_long_words=False, break_on_hyphens=False))


def _quoted_printable(text: str) -> bytes:
    # Line ends last: of a text without any, b2a_qp does not know which to use where it breaks a long line.
    return binascii.b2a_qp(LINE_END.sub("\n", text).encode()).replace(b"\n", b"\r\n")
