"""Mail over TLS: a certificate that nobody vouches for is not spoken to, and nothing falls back to clear."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.servers.processes import free_port
from shared.clock import now
from shared.mime import write_mail
from shared.smtp import Mail, SmtpClient
from tests.mailbox import a_mailbox


class Accepted:
    def __init__(self) -> None:
        self.emails: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        assert server.transport.get_extra_info("sslcontext")
        self.emails.append(envelope.content)
        return "250 OK"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """One that only its own maker vouches for, with its key beside it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=400))
        .not_valid_after(now() + timedelta(days=4000))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, clear = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, clear))
    (tmp_path / "certificate.pem").write_bytes(made.public_bytes(pem))
    return tmp_path / "certificate.pem"


@pytest.fixture(params=["smtps", "smtp+starttls"])
def server(request: pytest.FixtureRequest, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Accepted]]:
    accepted, port = Accepted(), free_port()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    private: dict[str, Any] = {"ssl_context": context}
    if request.param == "smtp+starttls":
        private = {"tls_context": context, "require_starttls": True}
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))  # the controller looks at its own port before it is ready
    controller = Controller(accepted, hostname="localhost", port=port, ready_timeout=10, **private)
    controller.start()
    yield f"{request.param}://localhost:{port}", accepted
    controller.stop(no_assert=True)


def a_mail() -> Mail:
    return Mail("table@kt.example", "ana@example.org", write_mail({"Subject": "News"}, "News.", "<p>News.</p>"))


def test_mail_goes_over_tls(server: tuple[str, Accepted]) -> None:
    url, accepted = server
    assert SmtpClient(url).send(a_mail()).result == "accepted"
    assert len(accepted.emails) == 1


def test_a_server_that_nobody_vouches_for_gets_nothing(server: tuple[str, Accepted], monkeypatch: pytest.MonkeyPatch) -> None:
    url, accepted = server
    monkeypatch.delenv("SSL_CERT_FILE")
    assert SmtpClient(url).send(a_mail()).result == "unavailable"
    assert accepted.emails == []


def test_a_server_without_tls_gets_nothing_when_tls_is_wanted() -> None:
    with a_mailbox() as mailbox:
        assert SmtpClient(mailbox.url.replace("smtp://", "smtp+starttls://")).send(a_mail()).result == "unavailable"
        assert mailbox.emails == []
