"""`flask doctor`: what is well, what is a warning, what is a fault; nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.cli import doctor
from clearance.core import audit
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.files import storage
from clearance.jobs import runs
from clearance.models import JobRun
from clearance.web import installation
from tests.support.gateways import SmtpGateway, free_port

MakeApp = Callable[..., Flask]


def report(app: Flask) -> tuple[int, dict[str, str]]:
    """Run the command; gives the exit code and check → the last line about it."""
    result = app.test_cli_runner().invoke(args=["doctor"])
    lines = [line.split(maxsplit=1) for line in result.output.splitlines()]
    return result.exit_code, {text.partition(":")[0]: f"{word} {text}" for word, text in lines}


@pytest.fixture
def well(make_app: MakeApp, mail: SmtpGateway) -> Iterator[Flask]:
    """A portal whose mail server answers and whose jobs have just finished."""
    app = make_app(
        mail_server="127.0.0.1",
        mail_port=mail.port,
        sms_url="json://127.0.0.1:9/?:to={mobile}",
    )
    with app.app_context():
        for job in app.extensions["jobs"].periodic:
            runs.finished(job, utc_now(), 0.1)
        audit.access("portal:backup:made", result="ok")
    yield app
    assert mail.messages == []


@pytest.mark.databases
def test_a_portal_that_is_well_is_well(well: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "missing", list)
    monkeypatch.setattr(doctor, "FREE_BYTES", 0)
    code, found = report(well)
    assert found.pop("sms").startswith("FAULT sms: 127.0.0.1:9 cannot be reached")
    assert code == 1 and {line.split()[0] for line in found.values()} == {"ok"}
    assert set(found) | {"sms"} == set(doctor.CHECKS)


def test_a_gateway_that_is_not_there_is_a_fault_and_none_a_warning(make_app: MakeApp) -> None:
    away = make_app(mail_server="127.0.0.1", mail_port=free_port())
    assert report(away)[1]["mail"].startswith("FAULT mail: the server does not talk")
    found = report(make_app())[1]
    assert found["mail"].startswith("warning mail: no MAIL_SERVER")
    assert found["sms"].startswith("warning sms: no SMS_URL")


def test_a_schema_that_lacks_a_migration_is_a_fault(app: Flask) -> None:
    with app.app_context():
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = '0019'"))
        db.session.commit()
    code, found = report(app)
    assert code == 1 and found["database"].startswith("FAULT database: at 0019, this release needs")
    with app.app_context():
        db.session.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))
        db.session.commit()
    assert report(app)[1]["database"] == "warning database: at later, which a later release made"


def test_a_job_that_should_have_finished_is_a_fault(well: Flask) -> None:
    with well.app_context():
        db.session.execute(sa.update(JobRun).values(finished_at=utc_now() - timedelta(days=3)))
        db.session.commit()
    assert report(well)[1]["jobs"].startswith("FAULT jobs: clearance.")


def test_a_backup_that_is_too_old_is_a_fault_and_none_a_warning(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert report(app)[1]["backup"].startswith("warning backup: none was ever made")
    with app.app_context():
        audit.access("portal:backup:made", result="ok")
    assert report(app)[1]["backup"] == "ok backup"
    monkeypatch.setattr(doctor, "BACKUP_AGE", timedelta(0))
    assert report(app)[1]["backup"].startswith("FAULT backup: the last was made")


def test_what_is_not_built_stored_or_free_is_named(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    monkeypatch.setattr(storage, "is_ready", lambda: False)
    monkeypatch.setattr(doctor, "FREE_BYTES", 10**18)
    found = report(app)[1]
    assert found["installation"].endswith("missing: run make install")
    assert found["storage"].startswith("FAULT storage: no file can be written")
    assert found["disk"].startswith("warning disk:") and " MB left at " in found["disk"]


def test_a_database_that_is_away_is_one_line_a_check(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> Iterator[doctor.Finding]:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setitem(doctor.CHECKS, "database", gone)
    fault = "FAULT database: the database does not answer (OperationalError)"
    assert report(app)[1]["database"] == fault
