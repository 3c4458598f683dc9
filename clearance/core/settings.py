"""Operator settings, read from the environment into a frozen object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from clearance.core.setting_addresses import (
    database_fault,
    host_of,
    is_host,
    is_loopback,
    is_loopback_url,
    is_network,
    is_trusted_host,
    is_web_address,
    sms_fault,
)

ROOT = Path(__file__).resolve().parents[2]
INSTANCE = ROOT / "instance"
DEMO_SECRET = "demo-mode-only-" + "0" * 32
SECRET_BYTES = 32
SECRET_LETTERS = 10  # minimum of distinct characters
_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_ADDRESS = re.compile(r"[^<>\s@]+@[^<>\s@]+")
_SENDER = re.compile(r"([^<>@\r\n]*<)?[^\s<>@]+@[^\s<>@]+>?")
_COUNTRY = re.compile("[A-Z]{2}")
_AMOUNTS = (
    "upload_max_bytes",
    "upload_max_files",
    "request_max_bytes",
    "organisation_max_bytes",
)


class Mode(StrEnum):
    """Run mode; anything but demo and testing is production."""

    PRODUCTION = "production"
    DEMO = "demo"
    TESTING = "testing"


class BadSettings(Exception):
    """Unsafe or unusable settings; the portal does not start."""


@contextmanager
def one_line_for_bad_settings() -> Iterator[None]:
    """Exit with a one-line message on BadSettings.

    gunicorn does not restart a worker that exits with code 3.
    """
    try:
        yield
    except BadSettings as fault:
        click.echo(f"Clearance does not start: {fault}", err=True)
        raise SystemExit(3) from None


@dataclass(frozen=True)
class Settings:
    """Operator settings (table in docs/operations.md)."""

    mode: Mode = Mode.PRODUCTION
    secret_key: str = ""
    secret_key_fallbacks: tuple[str, ...] = ()
    backup_key: str = ""
    database_url: str = f"sqlite:///{INSTANCE / 'clearance.sqlite'}"
    base_url: str = "http://127.0.0.1:5000"
    host: str = "127.0.0.1"
    port: int = 5000
    mail_server: str = ""
    mail_port: int = 25
    mail_use_tls: bool = False
    mail_username: str = ""
    mail_password: str = ""
    mail_default_sender: str = "clearance@example.com"
    sms_url: str = ""
    storage_url: str = f"file://{INSTANCE / 'files'}"
    s3_endpoint: str = ""
    aws_access_key_id: str = ""
    aws_secret_access_key: str = field(default="", repr=False)
    aws_session_token: str = field(default="", repr=False)
    aws_default_region: str = ""
    customs_url: str = ""
    customs_token: str = ""
    trusted_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    signing_key_file: str = ""
    signing_cert_file: str = ""
    signing_key_password: str = field(default="", repr=False)
    captcha_fixed: str = ""
    flask_debug: bool = False
    checkpoint_mailto: tuple[str, ...] = ()
    metrics_token: str = field(default="", repr=False)
    metrics_folder: str = str(INSTANCE / "metrics")
    sms_countries: tuple[str, ...] = ("KW", "SA", "AE", "BH", "QA", "OM")
    sms_daily_budget: int = 20_000
    upload_max_bytes: int = 10 * 1024 * 1024
    picture_max_bytes: int = 25 * 1024 * 1024
    upload_max_files: int = 20
    request_max_bytes: int = 50 * 1024 * 1024
    organisation_max_bytes: int = 1024**3
    limits: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(
        cls, env: Mapping[str, str], *, testing: bool = False, **overrides: Any
    ) -> Settings:
        """Read and check the settings.

        env: variable → text (`os.environ`, with `.env` already merged). testing: the suite's mode.
        overrides: fields that a test gives directly. Raises BadSettings.
        """
        is_demo = not testing and _parse("bool", env.get("DEMO", "").strip() or "0", "demo")
        mode = Mode.TESTING if testing else Mode.DEMO if is_demo else Mode.PRODUCTION
        values: dict[str, Any] = {"mode": mode}
        for name, spec in cls.__dataclass_fields__.items():
            raw = env.get(name.upper(), "").strip()
            if raw and name not in {"mode", "limits"}:
                values[name] = _parse(str(spec.type), raw, name)
        values["limits"] = {
            key.removeprefix("LIMIT_").lower(): value
            for key, value in env.items()
            if key.startswith("LIMIT_")
        }
        if testing:
            values["metrics_folder"] = ""  # in memory
        values |= overrides
        if not values.get("secret_key") and mode is not Mode.PRODUCTION:
            values["secret_key"] = DEMO_SECRET
        values.setdefault("trusted_hosts", (host_of(values.get("base_url", cls.base_url)),))
        values["database_url"] = _driver(values.get("database_url", cls.database_url))
        settings = cls(**values)
        for fault in settings._faults():
            raise BadSettings(fault)
        return settings

    @property
    def is_demo(self) -> bool:
        """Whether /dev/* and the demo data exist."""
        return self.mode is Mode.DEMO

    @property
    def is_https(self) -> bool:
        """Whether people reach the portal over TLS (decides Secure cookies and HSTS)."""
        return self.base_url.startswith("https://")

    def _faults(self) -> Iterator[str]:
        """Yield one line per fault that prevents starting; never the value of a secret."""
        if self.mode is not Mode.TESTING:
            yield from self._faults_of_secrets()
        if self.mode is Mode.PRODUCTION:
            yield from self._faults_in_production()
        if self.mode is Mode.DEMO and not (
            is_loopback(self.host) and is_loopback_url(self.base_url)
        ):
            yield "Demo mode runs on a loopback address only (HOST, BASE_URL)."
        yield from self._faults_of_addresses()
        yield from self._faults_of_gateways()
        yield from self._faults_of_numbers()
        if self.signing_cert_file and not self.signing_key_file:
            yield "SIGNING_CERT_FILE needs SIGNING_KEY_FILE."

    def _faults_of_secrets(self) -> Iterator[str]:
        for name, key in (
            ("SECRET_KEY", self.secret_key),
            *(("SECRET_KEY_FALLBACKS", fallback) for fallback in self.secret_key_fallbacks),
            *(("BACKUP_KEY", key) for key in [self.backup_key] if key),
        ):
            if key == DEMO_SECRET and self.mode is Mode.DEMO:
                continue
            if len(key.encode()) < SECRET_BYTES or key == DEMO_SECRET:
                yield f"{name} must be set to a secret of at least {SECRET_BYTES} bytes."
            if len(set(key)) < SECRET_LETTERS:
                yield f"{name} is easy to guess: use {SECRET_LETTERS} different characters or more."
        if self.metrics_token and (
            len(self.metrics_token) < SECRET_BYTES or len(set(self.metrics_token)) < SECRET_LETTERS
        ):
            yield f"METRICS_TOKEN must be {SECRET_BYTES} characters or more, and hard to guess."

    def _faults_in_production(self) -> Iterator[str]:
        if self.flask_debug:
            yield "FLASK_DEBUG shows the portal's internals to everyone."
        if self.captcha_fixed:
            yield "CAPTCHA_FIXED is for automatic tests only."
        if not self.is_https and not is_loopback_url(self.base_url):
            yield "BASE_URL must be https unless it is a loopback address."

    def _faults_of_addresses(self) -> Iterator[str]:
        if not is_web_address(self.base_url) or urlsplit(self.base_url).path:
            yield "BASE_URL must be like https://clearance.example.kw, without a path."
        if fault := database_fault(self.database_url):
            yield fault
        if not is_host(self.host):
            yield "HOST must be an address or a host name."
        if not all(is_trusted_host(host) for host in self.trusted_hosts):
            yield "TRUSTED_HOSTS must be host names, such as clearance.example.kw."
        if not all(is_network(proxy) for proxy in self.trusted_proxies):
            yield "TRUSTED_PROXIES must be network addresses, such as 10.0.0.0/24."

    def _faults_of_gateways(self) -> Iterator[str]:
        if self.mail_server and not is_host(self.mail_server):
            yield "MAIL_SERVER must be a host name only; the port is MAIL_PORT."
        if not _SENDER.fullmatch(self.mail_default_sender):
            yield "MAIL_DEFAULT_SENDER must be an e-mail address."
        if not all(_ADDRESS.fullmatch(address) for address in self.checkpoint_mailto):
            yield "CHECKPOINT_MAILTO must be e-mail addresses."
        if self.sms_url and (fault := sms_fault(self.sms_url)):
            yield fault
        if not all(_COUNTRY.fullmatch(country) for country in self.sms_countries):
            yield "SMS_COUNTRIES must be country codes in capitals, such as KW,SA."
        if self.s3_endpoint and not is_web_address(self.s3_endpoint):
            yield "S3_ENDPOINT must be an http or https address."
        if self.customs_url and not is_web_address(self.customs_url):
            yield "CUSTOMS_URL must be an http or https address."
        if not (self.customs_token.isascii() and self.customs_token.isprintable()):
            yield "CUSTOMS_TOKEN must be printable ASCII."

    def _faults_of_numbers(self) -> Iterator[str]:
        if not 1 <= self.mail_port <= 65535:
            yield "MAIL_PORT must be a port from 1 to 65535."
        if not 0 <= self.port <= 65535:
            yield "PORT must be a port from 0 (any free one) to 65535."
        if self.sms_daily_budget < 0:
            yield "SMS_DAILY_BUDGET must not be negative."
        for name in _AMOUNTS:
            if getattr(self, name) < 1:
                yield f"{name.upper()} must be at least 1."


def _parse(kind: str, raw: str, name: str) -> Any:
    if kind == "int":
        try:
            return int(raw)
        except ValueError:
            raise BadSettings(f"{name.upper()} must be a whole number.") from None
    if kind == "bool":
        if raw.lower() not in _YES | _NO:
            raise BadSettings(f"{name.upper()} must be 1 (on) or 0 (off).")
        return raw.lower() in _YES
    if kind.startswith("tuple"):
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    return raw.rstrip("/") if name in {"base_url", "customs_url"} else raw


def _driver(url: str) -> str:
    """Accept the URLs that hosting services hand out (`postgres://`)."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url
