"""The only SMS: what a text may be, when it may be sent, and the gateways that send it."""

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Literal, Protocol
from urllib.parse import urlencode

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, SSLError

from services.notify import store
from services.notify.domain import Contact, Notification, Outcome, get_template
from services.notify.handlers import service
from services.notify.rendering import PAGES, Recipient, render_sms
from shared.clock import now
from shared.i18n import supported
from shared.logs import get_logger
from shared.mongo import Db
from shared.settings import NotifySettings

log = get_logger("notify.sms")
Receipt = Literal["delivered", "failed"]
TIMEOUT_SECONDS = 10
KANNEL_DLR_MASK = 1 + 2 + 16  # delivered, not delivered, refused by the centre
KANNEL_RECEIPTS: dict[str, Receipt] = {"1": "delivered", "2": "failed", "16": "failed"}
TWILIO_RECEIPTS: dict[str, Receipt] = {"delivered": "delivered", "undelivered": "failed", "failed": "failed"}
# Our password, our address, our account, our pace: waiting helps, another number does not.
KANNEL_UNAVAILABLE = (401, 403, 404)
TWILIO_UNAVAILABLE = (401, 403, 429)
# GSM 03.38. One sign outside of it turns a text of 160 signs into one of 70; an extended one takes two places.
GSM_BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = set("^{}\\[~]|€")


@dataclass(frozen=True)
class Sms:
    notification_id: str
    to: str  # E.164
    text: str


class Gateway(Protocol):
    def __init__(self, settings: NotifySettings) -> None: ...

    def send(self, sms: Sms) -> Outcome: ...


class SmsSender:
    longest_send = timedelta(seconds=10 * TIMEOUT_SECONDS)

    def __init__(self, db: Db, settings: NotifySettings) -> None:
        self._db, self._gateway = db, make_gateway(settings)
        self._gap = timedelta(minutes=settings.minutes_between_texts)

    def send(self, notification: Notification, contact: Contact, fields: Mapping[str, str]) -> Outcome:
        template = get_template(notification.template)
        gap = self._gap if template.spaced else timedelta()
        against = None if template.reply else self._check_sms_policy(notification, contact, gap)
        if against:
            return against
        context = {**notification.context, "link": _sms_link(contact, fields)}
        if "notification_code" in fields:
            context["code"] = fields["notification_code"]
        recipient = Recipient(supported(contact.language), contact.time_zone, contact.role)
        text = render_sms(notification.template, context, recipient, service.brand)
        return self._hand_over(Sms(notification.id, fields["phone"], text))

    def close_idle(self) -> None:
        """The HTTP client looks after its own connections."""

    def close(self) -> None:
        """No request takes long enough to be ended."""

    def _hand_over(self, sms: Sms) -> Outcome:
        try:
            return self._gateway.send(sms)
        except Exception as error:  # an answer that nobody can read, say
            log.error(
                "a gateway's answer cannot be used",
                extra={"notification_id": sms.notification_id, "reason": type(error).__name__},
            )
            return Outcome("uncertain", type(error).__name__)

    def _check_sms_policy(self, notification: Notification, contact: Contact, gap: timedelta) -> Outcome | None:
        """Nobody is texted who said stop, nor in their quiet hours, nor sooner than `gap` after another text."""
        moment, phone_hash = now(), contact.phone_hash or ""
        if store.has_stopped_texts(self._db, phone_hash):
            return Outcome("cancelled" if contact.role == "supportee" else "refused", "stopped")
        awake = contact.when_to_send(moment, "text", notification.template)
        if awake > moment:
            return Outcome("postponed", "quiet hours", awake)
        free = store.acquire_sms_slot(self._db, phone_hash, notification.id, moment, gap)
        return Outcome("postponed", "one text an hour", free) if free else None


def _sms_link(contact: Contact, fields: Mapping[str, str]) -> str:
    """A text may be read by others: to a supportee it carries no link of their own."""
    page = service.public_url + PAGES[contact.role]
    if contact.role == "supportee":
        return page
    return fields.get("notification_short_link") or fields.get("notification_link") or page


def is_gsm(text: str) -> bool:
    return all(sign in GSM_BASIC or sign in GSM_EXTENDED for sign in text)


def gsm_length(text: str) -> int:
    return sum(2 if sign in GSM_EXTENDED else 1 for sign in text)


def segments(text: str) -> int:
    single, part, size = (160, 153, gsm_length(text)) if is_gsm(text) else (70, 67, len(text.encode("utf-16-be")) // 2)
    return 1 if size <= single else -(-size // part)


def make_gateway(settings: NotifySettings) -> Gateway:
    gateways: dict[str, type[Gateway]] = {"kannel": Kannel, "twilio": Twilio}
    return gateways[settings.sms_gateway](settings)


class Kannel:
    """Kannel's sendsms interface. It takes GET only, so the address holds everything: it must never reach a log."""

    def __init__(self, settings: NotifySettings) -> None:
        self._url = f"{settings.kannel_url.rstrip('/')}/cgi-bin/sendsms"
        self._credentials = {"username": settings.kannel_user, "password": settings.kannel_password}
        self._receipt = partial(_kannel_receipt_url, settings.sms_callback_url, settings.kannel_callback_secret)

    def send(self, sms: Sms) -> Outcome:
        coding = "0" if is_gsm(sms.text) else "2"
        query = {
            **self._credentials, "to": sms.to, "text": sms.text, "charset": "UTF-8", "coding": coding,
            "dlr-mask": str(KANNEL_DLR_MASK), "dlr-url": self._receipt(sms.notification_id),
        }  # fmt: skip
        try:
            status = _get(self._url, query)
        except requests.RequestException as error:
            return _no_answer(error)
        return Outcome("accepted") if status == 202 else _refusal(status, KANNEL_UNAVAILABLE)


def _get(url: str, query: Mapping[str, str]) -> int:
    """Over a connection of its own: one that the gateway closed while idle could not be told from one on which it took a text and
    gave no answer."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy from the environment may see what is texted
        session.headers["Connection"] = "close"
        return session.get(url, params=query, timeout=TIMEOUT_SECONDS).status_code


def _kannel_receipt_url(base: str, secret: str, notification_id: str) -> str:
    # %d is Kannel's own sign for the kind of receipt: it must stay as it is.
    return f"{base}/sms/kannel/receipt?{urlencode({'notification': notification_id, 'secret': secret})}&type=%d"


class Twilio:
    def __init__(self, settings: NotifySettings) -> None:
        from twilio.http.http_client import TwilioHttpClient  # large: loaded only where it is used
        from twilio.rest import Client

        quiet = logging.getLogger("twilio.quiet")  # its own logger writes bodies and numbers
        quiet.disabled = True
        http = TwilioHttpClient(pool_connections=False, timeout=TIMEOUT_SECONDS, logger=quiet)
        self._client = Client(settings.twilio_account_sid, settings.twilio_auth_token, http_client=http)
        self._client.api.base_url = settings.twilio_api_url
        from_number = settings.twilio_from
        self._from = {"messaging_service_sid": from_number} if from_number.startswith("MG") else {"from_": from_number}
        self._callback = f"{settings.sms_callback_url}/sms/twilio/receipt"

    def send(self, sms: Sms) -> Outcome:
        from twilio.base.exceptions import TwilioRestException

        callback = f"{self._callback}?{urlencode({'notification': sms.notification_id})}"
        try:
            self._client.messages.create(to=sms.to, body=sms.text, status_callback=callback, **self._from)
        except TwilioRestException as error:
            return _refusal(error.status, TWILIO_UNAVAILABLE)
        except requests.RequestException as error:
            return _no_answer(error)
        return Outcome("accepted")


def _no_answer(error: requests.RequestException) -> Outcome:
    """Once a connection was made, the text may have been taken."""
    return Outcome("uncertain" if _was_connected(error) else "unavailable", type(error).__name__)


def _was_connected(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    not_trusted = isinstance(reason, SSLError) and any(isinstance(arg, ssl.SSLCertVerificationError) for arg in reason.args)
    return not (not_trusted or isinstance(reason, NewConnectionError | ConnectTimeoutError))


def _refusal(status: int, unavailable: tuple[int, ...]) -> Outcome:
    return Outcome("unavailable" if status in unavailable or status >= 500 else "refused", str(status))
