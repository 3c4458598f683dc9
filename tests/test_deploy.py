"""The files in deploy/ fit the portal: units, proxies, images."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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


def test_the_image_has_what_make_install_made_and_no_more() -> None:
    image = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    assert "RUN make install" in image and "USER clearance" in image
    left_out = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").split()
    assert {".venv", "instance", "tests", ".git"} <= set(left_out)


def test_the_services_of_the_compose_file_share_image_and_settings() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    ours = [services[name] for name in ("schema", "web", "jobs")]
    assert len({str(each["environment"]) for each in ours}) == 1
    assert services["web"]["depends_on"]["schema"] == {
        "condition": "service_completed_successfully"
    }
    for each in ours:
        assert each["read_only"] and each["cap_drop"] == ["ALL"]
