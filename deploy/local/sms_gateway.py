"""Everybody's phone, and the SMS gateway before it: speaks Kannel's sendsms interface, sends receipts, takes replies."""

import itertools
import json
import queue
import re
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import requests

from deploy.local.mail_sink import Accepted
from shared.clock import now

OUR_NUMBER = "+15550100"
TAKEN_BY_THE_GATEWAY, ON_THE_PHONE = "8", "1"  # Kannel's delivery types


@dataclass(frozen=True)
class Text:
    """`direction` is the phone's: "in" came to the person, "out" was written by them."""

    id: str
    number: str
    direction: Literal["in", "out"]
    words: str
    at: str


class Phones:
    def __init__(self, file: Path, login: tuple[str, str], reply_url: str, accepted: list[Accepted]) -> None:
        self._file, self._login, self._reply_url, self._accepted = file, login, reply_url, accepted
        self._lock, self._numbers = threading.Lock(), itertools.count(time.time_ns())
        self._receipts: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._send_receipts, name="receipts", daemon=True).start()

    def accept(self, asked: Mapping[str, str]) -> tuple[str, int]:
        """What Kannel's smsbox answers to GET /cgi-bin/sendsms: words and HTTP status."""
        if (asked.get("username"), asked.get("password")) != self._login:
            return "Authorization failed for sendsms", 403
        if not asked.get("to") or "text" not in asked:
            return "Missing receiver number or text", 400
        number = "+" + asked["to"].strip().lstrip("+").removeprefix("00")
        self._keep(number, "in", asked["text"])
        self._accepted.append({"to": number, "channel": "text", "at": time.time()})
        if asked.get("dlr-url") and int(asked.get("dlr-mask", "0")):
            self._receipts.put(asked["dlr-url"])
        return "0: Accepted for delivery", 202

    def reply(self, number: str, words: str) -> bool:
        """Send a text from a person's phone to us, as Kannel's `post-url` hands it over. False: nobody took it."""
        text = self._keep(number, "out", words)
        headers = {"X-Kannel-From": number, "X-Kannel-To": OUR_NUMBER, "Content-Type": "text/plain"}
        with suppress(requests.RequestException):
            url = _filled(self._reply_url, {"%I": text.id})
            return requests.post(url, data=words.encode(), headers=headers, timeout=10).ok
        return False

    def texts(self) -> list[Text]:
        """Oldest first."""
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        return [Text(**json.loads(line)) for line in lines]

    def _keep(self, number: str, direction: Literal["in", "out"], words: str) -> Text:
        with self._lock, self._file.open("a") as file:
            text = Text(str(next(self._numbers)), number, direction, words, now().isoformat())
            file.write(json.dumps(asdict(text)) + "\n")
        return text

    def _send_receipts(self) -> None:
        with requests.Session() as session:
            while url := self._receipts.get():
                for delivery_type in (TAKEN_BY_THE_GATEWAY, ON_THE_PHONE):
                    with suppress(requests.RequestException):
                        session.get(_filled(url, {"%d": delivery_type}), timeout=10)


def codes_in(words: str) -> list[str]:
    """The answers that a text offers to send back, such as `A7 1`."""
    return list(dict.fromkeys(re.findall(r"\b[A-Z]{1,2}\d{1,2} [12]\b", words)))


def _filled(template: str, values: Mapping[str, str]) -> str:
    # One character after % is Kannel's to fill; %2B and the like are characters that were escaped before and stay.
    return re.sub(r"%(?![0-9A-Fa-f]{2})[A-Za-z]", lambda found: quote(values.get(found[0], ""), safe=""), template)
