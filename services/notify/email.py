"""Notifications by e-mail."""

from collections.abc import Mapping
from datetime import timedelta
from email.utils import format_datetime, parseaddr

from services.notify.domain import Contact, Notification, Outcome
from services.notify.handlers import service
from services.notify.rendering import PAGES, Recipient, greeting, render_email
from shared.i18n import supported
from shared.mime import Address, NotAnAddress, ascii_if_possible, write_mail
from shared.settings import NotifySettings
from shared.smtp import Mail, SmtpClient, Timeouts

FROM_A_MACHINE = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


class EmailSender:
    def __init__(self, settings: NotifySettings, timeouts: Timeouts | None = None) -> None:
        self._smtp = SmtpClient(settings.smtp_url, timeouts)
        self._from = Address(settings.mail_from).address
        name, address = parseaddr(settings.mail_reply_to)
        self._reply_to = Address(address, name)
        self.longest_send = timedelta(seconds=self._smtp.timeouts.longest_exchange)

    def send(self, notification: Notification, contact: Contact, fields: Mapping[str, str]) -> Outcome:
        try:
            to = Address(ascii_if_possible(fields["email"]))
        except NotAnAddress:
            return Outcome("refused", "not an address")
        outcome = self._smtp.send(Mail(self._from, to.address, self._content(notification, contact, fields, to)))
        return Outcome(outcome.result, outcome.reason)

    def close_idle(self) -> None:
        self._smtp.close_idle()

    def close(self) -> None:
        self._smtp.close()

    def _content(self, notification: Notification, contact: Contact, fields: Mapping[str, str], to: Address) -> bytes:
        language, brand = supported(contact.language), service.brand
        recipient = Recipient(language, contact.time_zone, contact.role, fields.get("known_as", ""))
        values = {**notification.context, "link": _link(contact, fields), "who": greeting(fields.get("notification_who", ""))}
        rendered = render_email(notification.template, values, recipient, brand)
        headers: dict[str, str | Address] = {
            "From": Address(self._from, brand.from_name),
            "To": to,
            "Reply-To": self._reply_to,
            "Subject": rendered.subject,
            "Date": format_datetime(notification.created_at),
            "Message-ID": f"<{notification.id}@{self._from.rpartition('@')[2]}>",  # of this notification always the same
            "Content-Language": language,
            **FROM_A_MACHINE,
        }
        return write_mail(headers, rendered.text, rendered.html)


def _link(contact: Contact, fields: Mapping[str, str]) -> str:
    return fields.get("notification_link") or service.public_url + PAGES[contact.role]
