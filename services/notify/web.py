"""Call-backs of the SMS gateways: texts that come in, and receipts. No page for people.

Kannel proves itself with a secret in the address, Twilio with a signature.
"""

import hmac
import uuid
from collections.abc import Callable

from flask import Blueprint, Flask, Response, abort, current_app, request
from twilio.request_validator import RequestValidator

from services.notify.handlers import service
from services.notify.handlers.outcomes import Receipt, apply_receipt
from services.notify.handlers.replies import SmsReceived, receive_sms
from services.notify.sms import KANNEL_RECEIPTS, TWILIO_RECEIPTS
from shared.settings import NotifySettings, read_notify
from shared.web.app import web_app
from shared.web.csrf import protect

LONGEST_TEXT = 1600
EMPTY_TWIML = "<Response/>"
kannel = Blueprint("kannel", __name__, url_prefix="/sms/kannel")
twilio = Blueprint("twilio", __name__, url_prefix="/sms/twilio")


def make_app(settings: NotifySettings | None = None) -> Flask:
    settings = settings or read_notify()
    if "db" not in service.__dict__:
        service.start(settings)
    app = web_app(service, settings, __name__)
    for blueprint, wanted in ((kannel, "kannel"), (twilio, "twilio")):
        if settings.sms_gateway == wanted:
            app.register_blueprint(blueprint)
            protect.exempt(blueprint)  # machines hold no form token; they prove themselves below
    return app


@kannel.before_request
def require_kannel() -> None:
    if not hmac.compare_digest(request.args.get("secret", "").encode(), _settings().kannel_callback_secret.encode()):
        abort(403)


@kannel.post("/in")
def kannel_text() -> Response:
    """Kannel's post-url (with send-sender): the text is the body, so that it stands in no access log."""
    _receive(request.args.get("id", ""), request.headers.get("X-Kannel-From", ""), request.get_data(as_text=True))
    return Response()


@kannel.get("/in")
def kannel_text_in_query() -> Response:
    """Kannel's get-url, for gateways that can do no better: `?from=%p&text=%b&id=%I`."""
    _receive(request.args.get("id", ""), request.args.get("from", ""), request.args.get("text", ""))
    return Response()


@kannel.get("/receipt")
def kannel_receipt() -> Response:
    result = KANNEL_RECEIPTS.get(request.args.get("type", ""))
    if result:
        _apply(Receipt(request.args.get("notification", ""), result))
    return Response()


@twilio.before_request
def require_twilio() -> None:
    settings = _settings()
    # The address that Twilio signed is the public one, whatever the proxy made of it.
    url = settings.sms_callback_url + request.full_path.rstrip("?")
    check: Callable[..., bool] = RequestValidator(settings.twilio_auth_token).validate
    if not check(url, request.form, request.headers.get("X-Twilio-Signature", "")):
        abort(403)


@twilio.post("/in")
def twilio_text() -> Response:
    _receive(request.form.get("MessageSid", ""), request.form.get("From", ""), request.form.get("Body", ""))
    return Response(EMPTY_TWIML, mimetype="text/xml")


@twilio.post("/receipt")
def twilio_receipt() -> Response:
    result = TWILIO_RECEIPTS.get(request.form.get("MessageStatus", ""))
    if result:
        _apply(Receipt(request.args.get("notification", ""), result))
    return Response()


def _settings() -> NotifySettings:
    settings: NotifySettings = current_app.extensions["kitchen"][1]
    return settings


def _receive(gateway_id: str, number: str, text: str) -> None:
    if not gateway_id or not any(c.isdigit() for c in number):
        abort(400)
    reply_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"text/{gateway_id}"))
    service.run(receive_sms, SmsReceived(reply_id, number, text[:LONGEST_TEXT]), idempotency_key=f"text/{reply_id}")


def _apply(receipt: Receipt) -> None:
    service.run(apply_receipt, receipt, idempotency_key=f"receipt/{receipt.notification_id}/{receipt.result}")
