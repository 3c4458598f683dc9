"""The files in deploy/ fit the portal: units, proxies, images."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from flask import Flask
from flask_babel import force_locale, gettext

from clearance.core.settings import ROOT, Settings

DEPLOY = ROOT / "deploy"
UNITS = ("clearance-web", "clearance-jobs")
UNIT_FILES = (
    *(f"{name}.service" for name in (*UNITS, "clearance-backup")),
    "clearance-backup.timer",
)


@pytest.mark.parametrize("name", UNIT_FILES)
def test_systemd_takes_the_units(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    text = (DEPLOY / "systemd" / name).read_text(encoding="utf-8")
    here = text.replace("/srv/clearance/.venv/bin", str(Path(sys.executable).parent))
    unit = tmp_path / name
    unit.write_text(here.replace("/srv/clearance", str(ROOT)), encoding="utf-8")
    if unit.suffix == ".timer":
        (tmp_path / f"{unit.stem}.service").write_text("[Service]\nExecStart=/bin/true\n")
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert unit.name not in found.stderr, found.stderr


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_that_stops_lets_the_work_end(name: str) -> None:
    text = (DEPLOY / "systemd" / f"{name}.service").read_text(encoding="utf-8")
    configured = (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
    seconds = re.search(r"graceful_timeout = (\d+)", configured)
    stop = re.search(r"TimeoutStopSec=(\d+)", text)
    assert seconds and stop
    assert int(stop[1]) > (int(seconds[1]) if name == "clearance-web" else 25)
    assert "RestartPreventExitStatus=3" in text  # the exit code of invalid settings


def test_proxies_take_what_the_portal_takes() -> None:
    most = Settings.request_max_bytes
    for name, pattern in (
        ("nginx.conf", r"client_max_body_size (\d+)m"),
        ("Caddyfile", r"(\d+)MB"),
    ):
        size = re.search(pattern, (DEPLOY / name).read_text(encoding="utf-8"))
        assert size and int(size[1]) * 1_000_000 > most


def test_proxies_log_no_addresses() -> None:
    nginx = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert "access_log off;" in nginx and re.search(r"error_log \S+ crit;", nginx)
    caddy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    assert "exclude http.log.error" in caddy and "output" not in caddy


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("away", "The service is temporarily unavailable"),
        ("too-large", "The file is too large"),
    ],
)
def test_pages_of_the_proxies_say_what_the_portals_own_would(
    context: Flask, page: str, title: str
) -> None:
    text = (DEPLOY / "pages" / f"{page}.html").read_text(encoding="utf-8")
    assert f"<h2>{title}</h2>" in text
    with context.test_request_context(), force_locale("ar"):
        assert f"<h1>{gettext(title)}</h1>" in text and gettext(title) != title
    for proxy in ("nginx.conf", "Caddyfile"):
        assert f" /{page}.html" in (DEPLOY / proxy).read_text(encoding="utf-8")


def test_the_image_has_what_make_install_made_and_no_more() -> None:
    image = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert "RUN make install" in image and "USER clearance" in image
    left_out = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").split()
    assert {".venv", "instance", "tests", ".git"} <= set(left_out)


def test_the_services_of_the_compose_file_share_image_and_settings() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    ours = [services[name] for name in ("schema", "web", "jobs")]
    assert len({str(each["environment"]) for each in ours}) == 1
    for each in ours:
        # Podman 4.3 never starts what depends on a service that has ended, as the schema's does.
        assert list(each["depends_on"]) == ["database"]
        assert each["read_only"] and each["cap_drop"] == ["ALL"]


def _named_metrics(text: str) -> set[str]:
    return set(re.findall(r"clearance_[a-z_]+", text))


@pytest.fixture
def exported(app: Flask) -> set[str]:
    """The names of all series that the portal exports."""
    names = set()
    lines = app.test_client().get("/metrics").get_data(as_text=True).splitlines()
    for _hash, what, name, kind in (line.split(maxsplit=3) for line in lines if line[0] == "#"):
        names.add(name)
        if (what, kind) == ("TYPE", "histogram"):
            names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")}
    return names


def test_every_alarm_watches_a_metric_of_the_portal_and_says_what_to_do(
    exported: set[str],
) -> None:
    text = (DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    assert len(rules) == len({rule["alert"] for rule in rules})
    for rule in rules:
        named = _named_metrics(rule["expr"])
        assert named <= exported and (named or rule["alert"] == "ClearanceDown"), rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert {"summary", "action"} <= set(rule["annotations"])


def test_prometheus_takes_the_alarms_and_each_rings_when_it_must() -> None:
    folder = DEPLOY / "prometheus"
    names = re.compile(r'(?:alert: |alertname=")(\w+)')
    rules, cases = (
        names.findall((folder / name).read_text(encoding="utf-8"))
        for name in ("alerts.yml", "alerts_test.yml")
    )
    assert rules == cases
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yml"],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def test_every_query_of_the_dashboard_reads_a_metric_of_the_portal(exported: set[str]) -> None:
    text = (DEPLOY / "grafana" / "clearance.json").read_text(encoding="utf-8")
    queries = [
        target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]
    ]
    assert len(queries) >= 15
    for query in queries:
        assert _named_metrics(query) and _named_metrics(query) <= exported, query
