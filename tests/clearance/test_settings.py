"""The portal refuses to start where running would be unsafe."""

from __future__ import annotations

import pytest

from clearance.settings import DEMO_SECRET, BadSettings, Mode, Settings

SECRET = "x" * 32
PRODUCTION = {"SECRET_KEY": SECRET, "BASE_URL": "https://portal.example.kw"}


def read(**env: str) -> Settings:
    return Settings.from_environment(env)


def test_everything_that_is_not_demo_or_test_is_production() -> None:
    assert read(**PRODUCTION).mode is Mode.PRODUCTION


@pytest.mark.parametrize("secret", ["", "short", DEMO_SECRET])
def test_production_refuses_a_missing_short_or_known_secret(secret: str) -> None:
    with pytest.raises(BadSettings, match="SECRET_KEY"):
        read(**{**PRODUCTION, "SECRET_KEY": secret})


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
