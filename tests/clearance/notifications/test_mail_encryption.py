"""The encrypted connection to the mail server: its certificate is verified."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from clearance.notifications import delivery, mail_transport
from clearance.notifications.mail_transport import mail
from tests.support.gateways import (
    SmtpGateway,
    free_port,
)
from tests.support.outbox_rows import NOW, MakeApp, queue, row, running


@pytest.mark.parametrize("is_trusted", [True, False])
def test_tls_is_verified(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    certificate = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with (
        SmtpGateway(tls=context) as gateway,
        running(make_app, mail_server="127.0.0.1", mail_port=gateway.port, mail_use_tls=True),
    ):
        delivery_id = queue()
        delivery.deliver_due(NOW)
        assert len(gateway.messages) == (1 if is_trusted else 0)
        expected = "" if is_trusted else "SSLCertVerificationError"
        assert expected in row(delivery_id).last_error


def test_port_465_speaks_tls_from_the_first_byte(make_app: MakeApp) -> None:
    app = make_app(mail_server="mail.example.com", mail_port=465, mail_use_tls=True)
    assert (app.config["MAIL_USE_SSL"], app.config["MAIL_USE_TLS"]) == (True, False)
    app = make_app(mail_server="mail.example.com", mail_port=587, mail_use_tls=True)
    assert (app.config["MAIL_USE_SSL"], app.config["MAIL_USE_TLS"]) == (False, True)


def test_a_server_that_nobody_answers_for_is_reported_as_down(make_app: MakeApp) -> None:
    with running(make_app, mail_server="127.0.0.1", mail_port=free_port()):
        letter = mail_transport.Letter(
            subject="s",
            address="a@example.com",
            text="t",
            html="h",
            language="en",
            message_id="1@example.com",
            written_at=NOW,
        )
        with pytest.raises(mail_transport.TransportDown), mail.connect() as connection:
            connection.send(letter)


def make_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that no authority signed, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
