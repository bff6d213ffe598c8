"""Everybody's phone, and the text gateway before it: speaks Kannel's sendsms interface, sends receipts, takes replies."""

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

import urllib3

from deploy.demo.accepted import AcceptedLog
from shared.clock import now

OUR_NUMBER = "+15550100"
WITH_THE_GATEWAY, ON_THE_PHONE = "8", "1"  # Kannel's delivery types


@dataclass(frozen=True)
class Text:
    id: str
    number: str
    direction: Literal["in", "out"]
    words: str
    at: str


class Phone:
    def __init__(self, file: Path, login: tuple[str, str], reply_url: str, accepted: AcceptedLog) -> None:
        self._file, self._login, self._reply_url, self._accepted = file, login, reply_url, accepted
        self._lock, self._number = threading.Lock(), itertools.count(time.time_ns())
        self._http = urllib3.PoolManager(maxsize=4)
        self._receipts: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._send_receipts, name="receipts", daemon=True).start()

    def accept(self, asked: Mapping[str, str]) -> tuple[int, str]:
        """What Kannel's smsbox answers to GET /cgi-bin/sendsms."""
        if (asked.get("username"), asked.get("password")) != self._login:
            return 403, "Authorization failed for sendsms"
        if not asked.get("to") or "text" not in asked:
            return 400, "Missing receiver number or text"
        self._keep(_number(asked["to"]), "in", asked["text"])
        self._accepted.note(_number(asked["to"]), "text")
        if asked.get("dlr-url") and int(asked.get("dlr-mask", "0")):
            self._receipts.put(asked["dlr-url"])
        return 202, "0: Accepted for delivery"

    def reply(self, number: str, words: str) -> bool:
        """Send a text from a person's phone to us, as Kannel's `post-url` hands it over. False: nobody took it."""
        text = self._keep(number, "out", words)
        said = {"X-Kannel-From": number, "X-Kannel-To": OUR_NUMBER, "Content-Type": "text/plain"}
        with suppress(urllib3.exceptions.HTTPError):
            return self._ask("POST", _filled(self._reply_url, {"%I": text.id}), words.encode(), said) < 300
        return False

    def texts(self) -> list[Text]:
        """Oldest first."""
        if not self._file.exists():
            return []
        return [Text(**json.loads(line)) for line in self._file.read_text().splitlines()]

    def _keep(self, number: str, direction: Literal["in", "out"], words: str) -> Text:
        with self._lock, self._file.open("a") as file:
            text = Text(str(next(self._number)), number, direction, words, now().isoformat())
            file.write(json.dumps(asdict(text)) + "\n")
        return text

    def _send_receipts(self) -> None:
        while True:
            url = self._receipts.get()
            for kind in (WITH_THE_GATEWAY, ON_THE_PHONE):
                with suppress(urllib3.exceptions.HTTPError):
                    self._ask("GET", _filled(url, {"%d": kind}))

    def _ask(self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> int:
        answer = self._http.request(method, url, body=body, headers=headers, timeout=10, retries=False, redirect=False)
        return int(answer.status)


def codes_in(words: str) -> list[str]:
    """The answers that a text offers to send back, such as `A7 1`."""
    return list(dict.fromkeys(re.findall(r"\b[A-Z]{1,2}\d{1,2} [12]\b", words)))


def _filled(template: str, values: Mapping[str, str]) -> str:
    # One letter after % is a place to fill; %2B and the like are characters that were escaped before and stay.
    return re.sub(r"%(?![0-9A-Fa-f]{2})[A-Za-z]", lambda place: quote(values.get(place[0], ""), safe=""), template)


def _number(raw: str) -> str:
    return "+" + raw.strip().lstrip("+").removeprefix("00")
