"""The only SMS: one small interface, and the gateways behind it."""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter

from services.notify import gsm
from services.notify.rules import Outcome
from shared.settings import NotifySettings

SECONDS_TO_WAIT = 10
KANNEL_RECEIPTS_WANTED = 1 + 2 + 16  # delivered, not delivered, refused by the centre
KANNEL_TOLD: dict[str, Literal["delivered", "failed"]] = {"1": "delivered", "2": "failed", "16": "failed"}
TWILIO_TOLD: dict[str, Literal["delivered", "failed"]] = {"delivered": "delivered", "undelivered": "failed", "failed": "failed"}
TWILIO_NOT_THIS_LETTER = (401, 403, 429)  # our account, our pace: waiting helps, another number does not


@dataclass(frozen=True)
class Text:
    letter_id: str
    to: str
    words: str


class Gateway(Protocol):
    def __init__(self, settings: NotifySettings) -> None: ...

    def send(self, text: Text) -> Outcome: ...


def gateway(settings: NotifySettings) -> Gateway:
    kinds: dict[str, type[Gateway]] = {"kannel": Kannel, "twilio": Twilio, "none": NoGateway}
    return kinds[settings.sms_gateway](settings)


class NoGateway:
    """This house sends no texts: whoever can only be texted is somebody for a coordinator."""

    def __init__(self, settings: NotifySettings) -> None:
        del settings

    def send(self, text: Text) -> Outcome:
        return Outcome("refused", "no gateway")


class Kannel:
    """Kannel's sendsms interface. It takes GET only, so the address holds everything: it must never reach a log."""

    def __init__(self, settings: NotifySettings) -> None:
        self._url = f"{settings.kannel_url.rstrip('/')}/cgi-bin/sendsms"
        self._login = {"username": settings.kannel_user, "password": settings.kannel_password}
        self._receipt = partial(_kannel_receipt_url, settings.sms_callback_url, settings.kannel_callback_secret)
        self._session = _session()

    def send(self, text: Text) -> Outcome:
        coding = "0" if gsm.is_gsm(text.words) else "2"
        asked = {
            **self._login, "to": text.to, "text": text.words, "charset": "UTF-8", "coding": coding,
            "dlr-mask": str(KANNEL_RECEIPTS_WANTED), "dlr-url": self._receipt(text.letter_id),
        }  # fmt: skip
        try:
            status = self._session.get(self._url, params=asked, timeout=SECONDS_TO_WAIT).status_code
        except requests.ConnectionError:
            return Outcome("away", "no answer")
        except requests.RequestException as error:  # it may have arrived
            return Outcome("later", type(error).__name__)
        return _kannel_outcome(status)


def _kannel_outcome(status: int) -> Outcome:
    if status == 202:
        return Outcome("accepted")
    if status in (401, 403, 404) or status >= 500:  # our password, our address, their trouble: not this text's fault
        return Outcome("away", str(status))
    return Outcome("refused", str(status))


def _kannel_receipt_url(base: str, secret: str, letter_id: str) -> str:
    # %d is Kannel's own sign for the kind of receipt: it must stay as it is.
    return f"{base}/sms/kannel/receipt?{urlencode({'letter': letter_id, 'secret': secret})}&type=%d"


class Twilio:
    def __init__(self, settings: NotifySettings) -> None:
        from twilio.http.http_client import TwilioHttpClient  # large: loaded only where it is used
        from twilio.rest import Client

        quiet = logging.getLogger("twilio.quiet")  # its own logger writes bodies and numbers
        quiet.disabled = True
        http = TwilioHttpClient(timeout=SECONDS_TO_WAIT, logger=quiet)
        self._client = Client(settings.twilio_account_sid, settings.twilio_auth_token, http_client=http)
        self._client.api.base_url = settings.twilio_api_url
        sender = settings.twilio_from
        self._from = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        self._callback = f"{settings.sms_callback_url}/sms/twilio/receipt"

    def send(self, text: Text) -> Outcome:
        from twilio.base.exceptions import TwilioRestException

        callback = f"{self._callback}?{urlencode({'letter': text.letter_id})}"
        try:
            self._client.messages.create(to=text.to, body=text.words, status_callback=callback, **self._from)
        except TwilioRestException as error:
            return _twilio_outcome(error.status)
        except requests.ConnectionError:
            return Outcome("away", "no answer")
        except requests.RequestException as error:
            return Outcome("later", type(error).__name__)
        return Outcome("accepted")


def _twilio_outcome(status: int) -> Outcome:
    if status in TWILIO_NOT_THIS_LETTER or status >= 500:
        return Outcome("away", str(status))
    return Outcome("refused", str(status))


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy from the environment may see what is texted
    session.mount("http://", HTTPAdapter(pool_maxsize=8))
    session.mount("https://", HTTPAdapter(pool_maxsize=8))
    return session
