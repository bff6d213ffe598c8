"""The only client of Zoom: a token by its server-to-server OAuth, and rooms by its Meetings API. Nothing here is logged, and no
address, token or number of a meeting stands in an error.

What an answer may be is recorded in tests/zoom.py. A room is a recurring meeting without a fixed time (type 3), which Zoom keeps
until a year after its last use. Everybody with its address can come in at any time; nothing is recorded or summed up.
"""

import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, Literal

import requests
from urllib3.exceptions import HTTPError

from shared.clock import now
from shared.places import is_link
from shared.settings import NotifySettings

TOPIC = "Meeting"
RECURRING_WITHOUT_FIXED_TIME = 3
NO_REGISTRATION = 2
SETTINGS = {
    "join_before_host": True, "jbh_time": 0, "waiting_room": False, "use_pmi": False, "meeting_authentication": False,
    "approval_type": NO_REGISTRATION, "auto_recording": "none", "email_notification": False, "host_video": False,
    "participant_video": False, "auto_start_meeting_summary": False, "auto_start_ai_companion_questions": False,
}  # fmt: skip
CONNECT_SECONDS, READ_SECONDS, LONGEST_SECONDS = 5, 10, 20
MOST_BYTES = 1 << 20
MOST_PAGES = 20
USED_BEFORE_ITS_END = timedelta(minutes=2)
NO_SUCH_MEETING = 3001
Kind = Literal["away", "limited", "refused"]


class ZoomError(Exception):
    """`away`: nobody could be reached, or nothing that can be used came back. `limited`: not before `after`. `refused`: the same
    again would be refused too, until a setting or something at Zoom changes. `reason`: a status and Zoom's own code."""

    def __init__(self, kind: Kind, reason: str, after: timedelta = timedelta()) -> None:
        super().__init__(reason)
        self.kind, self.reason, self.after = kind, reason, after


@dataclass(frozen=True, repr=False)
class Meeting:
    number: str
    join_url: str


@dataclass(frozen=True, repr=False)
class Answer:
    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class Zoom:
    """May be called from many threads."""

    def __init__(self, settings: NotifySettings, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._api = f"{settings.zoom_api_url.rstrip('/')}/v2"
        self._token_url = f"{settings.zoom_token_url.rstrip('/')}/oauth/token"
        self._account = settings.zoom_account_id
        self._credentials = (settings.zoom_client_id, settings.zoom_client_secret)
        self._longest = longest_seconds
        self._guard = threading.Lock()
        self._token, self._token_ends = "", 0.0

    def create(self, host: str, reference: str) -> Meeting:
        """`reference`: nobody's, and only for `find`."""
        wanted = {"topic": TOPIC, "agenda": reference, "type": RECURRING_WITHOUT_FIXED_TIME, "settings": SETTINGS}
        return _meeting(self._call("POST", f"/users/{host}/meetings", body=wanted))

    def find(self, host: str, reference: str) -> Meeting | None:
        """One that was made, although its answer never came."""
        page = ""
        for _ in range(MOST_PAGES):
            query = {"type": "scheduled", "page_size": "300", **({"next_page_token": page} if page else {})}
            answer = self._call("GET", f"/users/{host}/meetings", query=query)
            listed = answer.body.get("meetings")
            for one in listed if isinstance(listed, list) else []:
                if isinstance(one, dict) and one.get("agenda") == reference:
                    return _meeting(self._call("GET", f"/meetings/{_number(one)}"))  # here its address is whole
            page = str(answer.body.get("next_page_token") or "")
            if not page:
                return None
        raise ZoomError("refused", "too many meetings to look through")

    def delete(self, number: str) -> None:
        """One that is gone already is as good."""
        quietly = {"schedule_for_reminder": "false", "cancel_meeting_reminder": "false"}
        try:
            self._call("DELETE", f"/meetings/{number}", query=quietly)
        except ZoomError as error:
            if error.reason != f"404/{NO_SUCH_MEETING}":
                raise

    def _call(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Answer:
        answer = self._authorized(method, path, query, body)
        if answer.status == 401:  # a token may end early: another may have been made with the same credentials
            self._forget_token()
            answer = self._authorized(method, path, query, body)
        return _successful(answer)

    def _authorized(self, method: str, path: str, query: Mapping[str, str] | None, body: Mapping[str, Any] | None) -> Answer:
        headers = {"Authorization": f"Bearer {self._current_token()}"}
        return self._ask(method, self._api + path, headers=headers, params=query, json=body)

    def _current_token(self) -> str:
        with self._guard:
            if time.monotonic() >= self._token_ends:
                self._take_token()
            return self._token

    def _take_token(self) -> None:
        form = {"grant_type": "account_credentials", "account_id": self._account}
        body = _successful(self._ask("POST", self._token_url, data=form, auth=self._credentials)).body
        token, lasts = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token) or not isinstance(lasts, int):
            raise ZoomError("away", "no token in the answer")
        self._token = token
        self._token_ends = time.monotonic() + max(0.0, lasts - USED_BEFORE_ITS_END.total_seconds())

    def _forget_token(self) -> None:
        with self._guard:
            self._token_ends = 0.0

    def _ask(self, method: str, url: str, **how: Any) -> Answer:
        """Over a connection of its own, as one that was closed while idle cannot be told from one on which a room was made."""
        begun = time.monotonic()
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy from the environment may see who meets
                session.headers["Connection"] = "close"
                timeout = (CONNECT_SECONDS, READ_SECONDS)
                with session.request(method, url, timeout=timeout, stream=True, allow_redirects=False, **how) as response:
                    raw = self._read(response, begun + self._longest)
                    return Answer(response.status_code, _json(raw), response.headers)
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
            raise ZoomError("away", type(error).__name__) from None

    def _read(self, response: requests.Response, until: float) -> bytes:
        """A body that comes byte by byte never lets a read time out, so all of it has to come in time."""
        read = b""
        while more := response.raw.read1(1 << 16, decode_content=True):
            read += more
            if time.monotonic() > until or len(read) > MOST_BYTES:
                raise ZoomError("away", "slow or long answer")
        return read


def _json(raw: bytes) -> Mapping[str, Any]:
    """ValueError where it is none."""
    body = json.loads(raw) if raw.strip() else {}
    if not isinstance(body, dict):
        raise ValueError("no object")
    return body


def _successful(answer: Answer) -> Answer:
    if answer.status in (200, 201, 204):
        return answer
    code = answer.body.get("code")
    reason = f"{answer.status}/{code}" if isinstance(code, int) else str(answer.status)
    if answer.status == 429:
        raise ZoomError("limited", reason, _wait(answer, now()))
    kind: Kind = "away" if answer.status >= 500 or answer.status < 400 or answer.status == 408 else "refused"
    raise ZoomError(kind, reason)


def _wait(answer: Answer, moment: datetime) -> timedelta:
    """Seconds, a date of HTTP, or (as Zoom documents it) an ISO date. Without one a daily limit ends at midnight, UTC."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isdigit() and len(said) < 8:
        return timedelta(seconds=int(said))
    until = _moment(said)
    kind = f"{answer.body.get('message', '')} {answer.headers.get('X-RateLimit-Type', '')}".casefold()
    if until is None and "daily" in kind:
        until = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return max(timedelta(), until - moment) if until else timedelta()


def _moment(said: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(said)
        except ValueError:
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _number(body: Mapping[str, Any]) -> str:
    number = body.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        raise ZoomError("away", "no meeting in the answer")
    return str(number)


def _meeting(answer: Answer) -> Meeting:
    join_url = answer.body.get("join_url")
    if not isinstance(join_url, str) or not is_link(join_url):
        raise ZoomError("away", "no meeting in the answer")
    return Meeting(_number(answer.body), join_url)
