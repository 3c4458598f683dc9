"""The one reader of the environment: a frozen object with every operator's setting."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
INSTANCE = ROOT / "instance"
DEMO_SECRET = "demo-mode-only-" + "0" * 32


class Mode(StrEnum):
    """What the process is for; everything that is not demo or testing is production."""

    PRODUCTION = "production"
    DEMO = "demo"
    TESTING = "testing"


class BadSettings(Exception):
    """The environment would make the portal unsafe or unable to run; it does not start."""


@dataclass(frozen=True)
class Settings:
    """Every setting of an operator (docs/operations.md has them as a table)."""

    mode: Mode = Mode.PRODUCTION
    secret_key: str = ""
    secret_key_fallbacks: tuple[str, ...] = ()
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
        mode = Mode.TESTING if testing else Mode.DEMO if env.get("DEMO") == "1" else Mode.PRODUCTION
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
        values |= overrides
        if not values.get("secret_key") and mode is not Mode.PRODUCTION:
            values["secret_key"] = DEMO_SECRET
        values.setdefault("trusted_hosts", (_host_of(values.get("base_url", cls.base_url)),))
        values["database_url"] = _driver(values.get("database_url", cls.database_url))
        settings = cls(**values)
        settings._check()
        return settings

    @property
    def is_demo(self) -> bool:
        """Whether /dev/* and the demo world exist."""
        return self.mode is Mode.DEMO

    @property
    def is_https(self) -> bool:
        """Whether people reach the portal over TLS (decides Secure cookies and HSTS)."""
        return self.base_url.startswith("https://")

    def _check(self) -> None:
        if self.mode is Mode.PRODUCTION:
            if len(self.secret_key.encode()) < 32 or self.secret_key == DEMO_SECRET:
                raise BadSettings("SECRET_KEY must be set to a secret of at least 32 bytes.")
            if self.flask_debug:
                raise BadSettings("FLASK_DEBUG shows the portal's inside to everybody.")
            if self.captcha_fixed:
                raise BadSettings("CAPTCHA_FIXED is for automatic tests only.")
            if not self.is_https and not _is_loopback_url(self.base_url):
                raise BadSettings("BASE_URL must be https unless it is a loopback address.")
        if not all(_is_network(each) for each in self.trusted_proxies):
            raise BadSettings("TRUSTED_PROXIES must be network addresses, such as 10.0.0.0/24.")
        if self.signing_cert_file and not self.signing_key_file:
            raise BadSettings("SIGNING_CERT_FILE needs SIGNING_KEY_FILE.")
        if self.mode is Mode.DEMO and not (
            _is_loopback(self.host) and _is_loopback_url(self.base_url)
        ):
            raise BadSettings("Demo mode runs on a loopback address only (HOST, BASE_URL).")


def _parse(kind: str, raw: str, name: str) -> Any:
    if kind == "int":
        try:
            return int(raw)
        except ValueError:
            raise BadSettings(f"{name.upper()} must be a whole number.") from None
    if kind == "bool":
        return raw.lower() in {"1", "true", "yes", "on"}
    if kind.startswith("tuple"):
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    return raw.rstrip("/") if name in {"base_url", "customs_url"} else raw


def _driver(url: str) -> str:
    """Accept the URLs that hosting services hand out (`postgres://`)."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def _is_loopback_url(url: str) -> bool:
    return _is_loopback(_host_of(url))
