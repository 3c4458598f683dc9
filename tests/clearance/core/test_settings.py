"""The portal refuses to start where running would be unsafe."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from apprise.manager_plugins import NotificationManager
from flask import Flask

from clearance.core.setting_addresses import PLAIN_GATEWAYS, SMS_GATEWAYS
from clearance.core.settings import DEMO_SECRET, ROOT, BadSettings, Mode, Settings

SECRET = "only-for-these-tests-" + "x" * 11
PRODUCTION = {"SECRET_KEY": SECRET, "BASE_URL": "https://portal.example.kw"}


def read(**env: str) -> Settings:
    return Settings.from_environment(env)


def test_everything_that_is_not_demo_or_test_is_production() -> None:
    assert read(**PRODUCTION).mode is Mode.PRODUCTION


@pytest.mark.parametrize("secret", ["", "short", DEMO_SECRET])
def test_production_refuses_a_missing_short_or_known_secret(secret: str) -> None:
    with pytest.raises(BadSettings, match="SECRET_KEY"):
        read(**{**PRODUCTION, "SECRET_KEY": secret})


@pytest.mark.parametrize("mode", [{}, {"DEMO": "1"}])
@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS", "BACKUP_KEY"])
@pytest.mark.parametrize("secret", ["a", "a" * 32, "ab" * 40, "password"])
def test_a_secret_that_can_be_guessed_is_refused(
    mode: dict[str, str], name: str, secret: str
) -> None:
    with pytest.raises(BadSettings, match=name):
        read(**{"SECRET_KEY": SECRET, **mode, name: secret})


NONSENSE = {
    "BASE_URL": [
        "nonsense",
        "https://",
        "https:///x",
        "ftp://a.example",
        "https://a.example/x",
        "https://a.example:99999",
        "https://u:p@a.example",
        "https://a b.example",
        "https://[::1",
        "https://a.example?x=1",
    ],
    "DATABASE_URL": [
        "nonsense",
        "mysql://u:p@db/clearance",
        "oracle://db",
        "postgresql+psycopg2://db/x",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://db:port/x",
        "://",
    ],
    "HOST": ["a b", "http://127.0.0.1", "127.0.0.1:5000"],
    "PORT": ["-1", "65536", "tcp://10.0.0.1:80"],
    "MAIL_SERVER": ["smtp://mail.example", "mail.example:25", "a b"],
    "MAIL_PORT": ["0", "-25", "65536"],
    "MAIL_USE_TLS": ["yess", "tls"],
    "MAIL_DEFAULT_SENDER": ["nobody", "a@b\nBcc: c@d", "@"],
    "SMS_URL": [
        "nonsense",
        "syslog://{mobile}",
        "dbus://{mobile}",
        "mailto://u:p@a.example/{mobile}",
        "file:///tmp/{mobile}",
        "http://gateway.example/{mobile}",
        "smpp://u:p@host/{mobile}",
        "json://gateway.example/",
        "json:///{mobile}",
        "json://",
        "twilio",
        "://{mobile}",
    ],
    "SMS_COUNTRIES": ["kw", "Kuwait", "965"],
    "SMS_DAILY_BUDGET": ["-1", "many"],
    "CUSTOMS_URL": ["file:///etc/passwd", "nonsense", "https://", "ftp://customs.example"],
    "CUSTOMS_TOKEN": ["a\nb", "ر"],
    "TRUSTED_HOSTS": ["*", "https://a.example", "a.example/x", "a b"],
    "TRUSTED_PROXIES": ["proxy.example", "10.0.0.0/33"],
    "UPLOAD_MAX_BYTES": ["0", "-1"],
    "UPLOAD_MAX_FILES": ["0"],
    "REQUEST_MAX_BYTES": ["-5"],
    "ORGANISATION_MAX_BYTES": ["0"],
    "DEMO": ["maybe"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in NONSENSE.items() for value in values]
)
def test_nonsense_is_refused_with_one_line_that_names_the_setting(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=f"^{name} ") as caught:
        read(**{**PRODUCTION, name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "http://[::1]:5000"),
        ("BASE_URL", "https://portal.example.kw:8443/"),
        ("DATABASE_URL", "sqlite:////srv/clearance.sqlite"),
        ("DATABASE_URL", "postgresql://u:p%40@/clearance?host=/run/postgresql"),
        ("HOST", "::"),
        ("HOST", "0.0.0.0"),
        ("MAIL_DEFAULT_SENDER", "Clearance <clearance@example.com>"),
        ("MAIL_USE_TLS", "TRUE"),
        ("SMS_URL", "jsons://user:pass@gateway.example:8443/send/?:to={mobile}"),
        ("SMS_URL", "twilio://AC1:token@+15550001111/{mobile}"),
        ("SMS_DAILY_BUDGET", "0"),
        ("TRUSTED_HOSTS", ".example.kw, portal, 127.0.0.1:5000"),
        ("CUSTOMS_URL", "http://10.0.0.1:8080/api/"),
    ],
)
def test_what_makes_sense_is_taken(name: str, value: str) -> None:
    assert read(**{**PRODUCTION, name: value}).mode is Mode.PRODUCTION


def test_production_refuses_a_fixed_image_text() -> None:
    with pytest.raises(BadSettings, match="CAPTCHA_FIXED"):
        read(**PRODUCTION, CAPTCHA_FIXED="abcdef")


def test_production_refuses_debug() -> None:
    with pytest.raises(BadSettings, match="FLASK_DEBUG"):
        read(**PRODUCTION, FLASK_DEBUG="1")
    assert read(**PRODUCTION, FLASK_DEBUG="0").mode is Mode.PRODUCTION


@pytest.mark.parametrize("proxies", ["proxy.example", "10.0.0.0/33"])
def test_a_proxy_that_is_no_network_address_is_refused(proxies: str) -> None:
    with pytest.raises(BadSettings, match="TRUSTED_PROXIES"):
        read(**PRODUCTION, TRUSTED_PROXIES=proxies)


def test_production_refuses_plain_http_for_people_elsewhere() -> None:
    with pytest.raises(BadSettings, match="https"):
        read(SECRET_KEY=SECRET, BASE_URL="http://portal.example.kw")


def test_production_runs_on_loopback_over_http() -> None:
    assert not read(SECRET_KEY=SECRET).is_https


@pytest.mark.parametrize(
    "env", [{"HOST": "0.0.0.0"}, {"BASE_URL": "https://portal.example.kw"}, {"HOST": "::"}]
)
def test_demo_refuses_an_address_that_is_not_loopback(env: dict[str, str]) -> None:
    with pytest.raises(BadSettings, match="loopback"):
        read(DEMO="1", **env)


def test_demo_runs_on_loopback_without_a_secret_of_its_own() -> None:
    settings = read(DEMO="1", CAPTCHA_FIXED="abcdef")
    assert settings.is_demo
    assert settings.captcha_fixed == "abcdef"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_database_urls_of_hosting_services_are_understood(scheme: str) -> None:
    url = read(**PRODUCTION, DATABASE_URL=f"{scheme}://u:p@db/clearance").database_url
    assert url == "postgresql+psycopg://u:p@db/clearance"


def test_trusted_hosts_follow_the_base_url_unless_named() -> None:
    assert read(**PRODUCTION).trusted_hosts == ("portal.example.kw",)
    named = read(**PRODUCTION, TRUSTED_HOSTS="a.example, b.example")
    assert named.trusted_hosts == ("a.example", "b.example")


def test_a_number_that_is_no_number_is_named() -> None:
    with pytest.raises(BadSettings, match="MAIL_PORT"):
        read(**PRODUCTION, MAIL_PORT="mail")


def test_limits_are_read_by_their_names() -> None:
    assert read(**PRODUCTION, LIMIT_SIGN_IN="3/minute").limits == {"sign_in": "3/minute"}


@pytest.mark.parametrize(
    "settings",
    [
        {"extensions": ("nowhere.to.be.found",)},
        {"extensions": ("json",)},
        {"storage_url": "ftp://bucket"},
        {"storage_url": "file:///proc/nothing/here"},
        {"limits": {"sign_in_ip": "0 per 1 hour"}},
        {"limits": {"sign_in_ip": "1 per 9999999 year"}},
        {"limits": {"nothing": "1 per 1 hour"}},
        {"signing_key_file": "/nowhere/key.pem"},
    ],
)
def test_what_only_the_start_can_judge_is_named_too(
    make_app: Callable[..., Flask], settings: dict[str, Any]
) -> None:
    with pytest.raises(BadSettings, match=next(iter(settings)).upper().rstrip("S")):
        make_app(**settings)


@pytest.mark.parametrize(
    ("command", "env"),
    [
        (["app.py"], {}),
        (["app.py"], {"DEMO": "1", "SMS_URL": "syslog://{mobile}"}),
        (["-m", "flask", "--app", "app", "jobs"], {"DEMO": "1", "SMS_URL": "twilio://{mobile}"}),
        (["-c", "import app; app.app"], {"DEMO": "1", "DATABASE_URL": "mysql://u:p@db/x"}),
    ],
)
def test_the_start_stops_with_one_line(command: list[str], env: dict[str, str]) -> None:
    """With the exit code at which gunicorn gives up."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=kept | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = ended.stderr.strip().splitlines()
    assert (ended.returncode, len(lines)) == (3, 1), ended.stderr
    assert lines[0].startswith("Clearance does not start: ")
    assert (list(env) or ["SECRET_KEY"])[-1] in lines[0]


CALLS = re.compile(r"(?:\w+\.)*(?:requests|session)\.\w+|method|func")


def plugins() -> dict[str, Any]:
    """apprise's own services by their schemes."""
    manager = NotificationManager()
    manager.load_modules()
    return {
        scheme: plugin
        for plugin in manager.plugins()
        for named in (plugin.protocol, plugin.secure_protocol)
        for scheme in ([named] if isinstance(named, str) else named or [])
    }


def test_every_gateway_is_one_of_apprises_that_carries_texts_to_numbers() -> None:
    known = plugins()
    assert set(known) >= SMS_GATEWAYS
    for scheme in SMS_GATEWAYS - PLAIN_GATEWAYS - {"sfr"}:  # its number is called `to`
        tokens = known[scheme].template_tokens
        assert {"target_phone", "target_phone_no"} & set(tokens), scheme


def test_every_gateway_asks_before_it_follows_a_redirect() -> None:
    """So that the transport's `http_redirects=False` holds for each; see sms_transport."""
    known = plugins()
    for scheme in SMS_GATEWAYS:
        tree = ast.parse(inspect.getsource(sys.modules[known[scheme].__module__]))
        calls = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and re.fullmatch(
                r"(?:\w+\.)*(?:requests|session)\.\w+|method|func", ast.unparse(node.func)
            )
            and {"timeout", "data", "json"} & {word.arg for word in node.keywords}
        ]
        assert calls, scheme
        for call in calls:
            words = {word.arg: ast.unparse(word.value) for word in call.keywords}
            assert words.get("allow_redirects") == "self.redirects", f"{scheme}:{call.lineno}"
