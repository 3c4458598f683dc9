"""`/metrics`: who may read it, what it says, and the log line of each request."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from clearance.accounts import sign_in
from clearance.core import audit
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.jobs import gauges, runs
from clearance.services.extension import Job
from clearance.web.logging import handler_to
from tests.support import factories, outbox_rows, request_factories
from tests.support.pages import PageClient
from tests.support.plans import planned, scanned_tables

TOKEN = "only-for-this-test-0123456789-abcdefg"
ABROAD = "203.0.113.9"
Samples = dict[tuple[str, ...], float]


def status(app: Flask, *, peer: str = "127.0.0.1", path: str = "/metrics", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    client = app.test_client()
    response = client.get(path, headers=named, environ_overrides={"REMOTE_ADDR": peer})
    return response.status_code


def samples(app: Flask) -> Samples:
    """Values by name and labels."""
    text = app.test_client().get("/metrics").get_data(as_text=True)
    families = text_string_to_metric_families(text)
    found = [sample for family in families for sample in family.samples]
    return {(s.name, *(s.labels[name] for name in sorted(s.labels))): s.value for s in found}


@pytest.fixture
def fresh(app: Flask) -> Iterator[Flask]:
    """An application that keeps its gauges and has not read them yet."""
    app.extensions["gauges"] = gauges.Gauges()
    yield app
    gauges.init_app(app)


@pytest.fixture
def portal(make_app: Callable[..., Flask]) -> Flask:
    """The portal behind a proxy on its own machine, with a token."""
    return make_app(
        base_url="https://clearance.example.kw",
        trusted_hosts=("clearance.example.kw",),
        trusted_proxies=("127.0.0.1",),
        metrics_token=TOKEN,
    )


def test_a_program_on_this_machine_reads_them_by_any_local_name(portal: Flask) -> None:
    for name in ("127.0.0.1:8000", "localhost"):
        assert status(portal, Host=name) == 200
    assert status(portal, Host="127.0.0.1", path="/readyz") == 200
    assert status(portal, Host="127.0.0.1", path="/") == 400
    assert status(portal, Host="127.0.0.1", peer=ABROAD) == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_For": ABROAD},
        {"X_Forwarded_For": "127.0.0.1"},
        {"Forwarded": f"for={ABROAD}"},
        {"X_Real_IP": ABROAD},
        {"Via": "1.1 proxy"},
        {"Host": "clearance.example.kw"},
    ],
)
def test_what_a_proxy_on_this_machine_passes_on_is_no_local_program(
    portal: Flask, headers: dict[str, str]
) -> None:
    assert status(portal, **({"Host": "127.0.0.1"} | headers)) in {400, 404}
    portal.config["TRUSTED_HOSTS"] = ["127.0.0.1", "clearance.example.kw"]
    assert status(portal, **({"Host": "127.0.0.1"} | headers)) == 404


def test_another_machine_needs_the_token_and_wrong_ones_are_counted(app: Flask) -> None:
    settings = app.extensions["settings"]
    object.__setattr__(settings, "metrics_token", TOKEN)
    try:
        assert status(app, peer=ABROAD) == 404
        assert status(app, peer=ABROAD, Authorization=f"Basic {TOKEN}") == 404
        assert status(app, peer=ABROAD, Authorization=f"Bearer {TOKEN}") == 200
        wrong = [status(app, peer=ABROAD, Authorization=f"Bearer {n}") for n in range(21)]
        assert wrong == [404] * 20 + [429]
        assert status(app, peer=ABROAD, Authorization=f"Bearer {TOKEN}") == 200
    finally:
        object.__setattr__(settings, "metrics_token", "")


def test_without_a_token_set_none_is_right(app: Flask) -> None:
    assert status(app, peer=ABROAD, Authorization="Bearer ") == 404
    assert status(app, peer=ABROAD, Authorization="Bearer x") == 404


def test_requests_are_counted_by_route_and_never_by_row(app: Flask) -> None:
    client = PageClient(app)
    for path in ("/check/AAAA", "/check/BBBB", "/nowhere/4711", "/static/none.css"):
        client.http.get(path, buffered=True)
    client.http.open("/login", method="BREW", buffered=True)
    found = samples(app)
    assert found["clearance_requests_total", "GET", "/check/<code>", "4xx"] >= 2
    assert found["clearance_requests_total", "GET", "(none)", "4xx"] >= 1
    assert found["clearance_requests_total", "other", "(none)", "4xx"] >= 1
    assert found["clearance_request_seconds_count", "/check/<code>"] >= 2
    assert found["clearance_statements_total", "/check/<code>"] >= 2
    labels = {label for name, *labels in found for label in labels}
    assert not {"4711", "AAAA", "BREW"} & labels


@pytest.mark.databases
def test_the_gauges_say_what_waits_in_few_statements_by_indexes(fresh: Flask) -> None:
    with fresh.app_context():
        agent = factories.make_agent()
        request_factories.make_sent(agent)
        db.session.commit()
        outbox_rows.queue(created_at=utc_now() - timedelta(hours=2))
        runs.finished(Job(audit.access, 60), utc_now(), 1.5)
    with planned(fresh) as plans:
        found = samples(fresh)
    assert found["clearance_database_up",] == 1
    assert found["clearance_open_requests", "submitted"] == 1
    assert found["clearance_outbox_oldest_seconds", "email"] == pytest.approx(7200, abs=60)
    assert found["clearance_job_seconds", "clearance.core.audit.access"] == 1.5
    assert found["clearance_disk_free_bytes", "files"] > 0
    assert len(plans) == 3
    assert {table for _statement, plan in plans for table in scanned_tables(plan)} <= {"job_run"}
    with planned(fresh) as plans:
        samples(fresh)
    assert plans == []


def test_without_its_database_the_counters_are_still_shown(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(database_url="sqlite:////nowhere/at/all.sqlite")
    found = samples(app)
    assert found["clearance_database_up",] == 0
    assert ("clearance_open_requests", "submitted") not in found
    assert samples(app)["clearance_database_errors_total", "unavailable"] >= 1


def test_refused_sign_ins_are_counted(app: Flask) -> None:
    name = ("clearance_access_events_total", "account:sign_in", "refused")
    before = samples(app)[name]
    with factories.visit(app):
        sign_in.sign_in("nobody@example.com", "x", ip=ABROAD, device=None, now=utc_now())
        db.session.commit()
    assert samples(app)[name] == before + 1


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What the portal logs, as parsed lines."""
    found: list[dict[str, Any]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(self.format(record)))

    handler, logger = Kept(), logging.getLogger("clearance.web")
    handler.setFormatter(handler_to(sys.stderr).formatter)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def test_each_request_is_one_line_without_personal_data(
    app: Flask, lines: list[dict[str, Any]]
) -> None:
    client = PageClient(app)
    with app.app_context():
        agent = factories.make_agent()
        factories.sign_in(client, agent)
    response = client.http.get("/my/requests/?q=Salem&civil_id=299010100018", buffered=True)
    line = [line for line in lines if line["event"] == "request"][-1]
    assert response.headers["X-Request-ID"] == line["request_id"]
    assert (line["method"], line["route"]) == ("GET", "/my/requests/")
    assert (line["role"], line["status"], line["level"]) == ("agent", 200, "info")
    assert line["ms"] > 0 and line["statements"] > 0
    assert set(line) == {
        *("request_id", "method", "route", "role", "status", "ms", "statements"),
        *("event", "level", "timestamp"),
    }


def test_a_response_is_noted_when_its_last_byte_is_out(
    app: Flask, lines: list[dict[str, Any]]
) -> None:
    response = app.test_client().get("/terms", buffered=False)
    assert "request" not in [line["event"] for line in lines]
    response.close()
    assert [line["route"] for line in lines if line["event"] == "request"] == ["/terms"]
