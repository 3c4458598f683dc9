"""`flask doctor`: what an operator looks at first, checked at once, without sending anything."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from clearance import backups
from clearance.auth import sealed_factors
from clearance.core import schema
from clearance.core.clock import utc_now
from clearance.core.database import reading
from clearance.core.extensions import db
from clearance.core.settings import Settings
from clearance.files import storage
from clearance.jobs import runs, worker
from clearance.notifications import outbox
from clearance.notifications.mail_transport import TransportDown, mail
from clearance.services import versions
from clearance.web import installation

BACKUP_AGE = timedelta(days=2)
CLOCK_APART = timedelta(seconds=5)
FREE_BYTES = 2 * 1024**3
CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Finding:
    """One line of the report. is_fault: it must be mended; else it is a warning."""

    text: str
    is_fault: bool = True


def _installation() -> Iterator[Finding]:
    for lacking in installation.missing():
        yield Finding(f"{lacking} missing: run make install")


def _database() -> Iterator[Finding]:
    with db.engine.connect() as connection:
        found = ", ".join(schema.current(connection)) or "nothing"
        if not schema.is_new_enough(connection):
            newest = ", ".join(schema.newest())
            yield Finding(f"at {found}, this release needs {newest}: run flask db upgrade")
        elif found != ", ".join(schema.newest()):
            yield Finding(f"at {found}, which a later release made", is_fault=False)


def _clock() -> Iterator[Finding]:
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            there = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        apart = abs(there - utc_now())
        if apart > CLOCK_APART:
            yield Finding(f"{apart.total_seconds():.0f} s apart from the database's")


def _storage() -> Iterator[Finding]:
    if not storage.is_ready():
        yield Finding("no file can be written (STORAGE_URL); the log says why")
    elif storage.is_public():
        yield Finding("strangers can read the files: close the bucket or folder to them")
    elif not storage.keeps_conditions():
        text = "the S3 server ignores If-None-Match: lines of checkpoints.jsonl can be lost"
        yield Finding(text, is_fault=False)


def _disk() -> Iterator[Finding]:
    for folder in sorted(set(storage.disks().values())):
        free = shutil.disk_usage(folder).free
        if free < FREE_BYTES:
            yield Finding(f"{free // 1024**2:,} MB left at {folder}", is_fault=False)


def _mail() -> Iterator[Finding]:
    if not _settings().mail_server:
        yield Finding("no MAIL_SERVER: e-mails wait in the outbox", is_fault=False)
        return
    try:
        mail.connect().configure_host().quit()
    except TransportDown as fault:
        yield Finding(f"the server does not talk to the portal ({fault})")


def _sms() -> Iterator[Finding]:
    parts = urlsplit(_settings().sms_url)
    if not parts.hostname:
        yield Finding("no SMS_URL: SMS wait in the outbox", is_fault=False)
        return
    port = parts.port or (443 if parts.scheme.endswith("s") else 80)
    if "." in parts.hostname:  # others are keys of the gateway, whose address apprise knows
        try:
            socket.create_connection((parts.hostname, port), CONNECT_SECONDS).close()
        except OSError as fault:
            yield Finding(f"{parts.hostname}:{port} cannot be reached ({type(fault).__name__})")


def _outbox() -> Iterator[Finding]:
    if entry := outbox.held_since_restore(utc_now()):
        yield Finding(f"held since {entry} was restored: flask outbox release lets messages leave")
    state = outbox.waiting(utc_now())
    if state.is_late:
        yield Finding(f"{state.queued} messages wait, the oldest {state.oldest_minutes} minutes")
    if state.given_up:
        yield Finding(f"{state.given_up} messages could not be delivered", is_fault=False)


def _jobs() -> Iterator[Finding]:
    jobs: worker.Jobs = current_app.extensions["jobs"]
    never = []
    for job, end in runs.overdue(jobs.periodic, utc_now()):
        if end is None:
            never.append(job.name)
            continue
        last = end.isoformat(timespec="minutes")
        yield Finding(f"{job.name} last finished {last}: is flask jobs running?")
    if never:  # one line for a new portal, where it is all of them
        more = f" and {len(never) - 1} more" if len(never) > 1 else ""
        yield Finding(f"{never[0]}{more} never finished: is flask jobs running?", is_fault=False)


def _backup() -> Iterator[Finding]:
    made = backups.last_made()
    if made is None:
        yield Finding("none was ever made: flask backup make", is_fault=False)
    elif utc_now() - made > BACKUP_AGE:
        yield Finding(f"the last was made {made.isoformat(timespec='minutes')}")


def _services() -> Iterator[Finding]:
    for fault in versions.published_faults():
        yield Finding(fault)


def _secrets() -> Iterator[Finding]:
    found = sealed_factors.state()
    if found.lost:
        yield Finding(
            f"no key opens {found.lost} second factors: SECRET_KEY_FALLBACKS lacks an older key"
        )
    if found.older:
        yield Finding(
            f"{found.older} second factors need a key of SECRET_KEY_FALLBACKS: flask maintain "
            "seals them under SECRET_KEY",
            is_fault=False,
        )


CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "installation": _installation,
    "database": _database,
    "clock": _clock,
    "storage": _storage,
    "disk": _disk,
    "mail": _mail,
    "sms": _sms,
    "outbox": _outbox,
    "jobs": _jobs,
    "backup": _backup,
    "secrets": _secrets,
    "services": _services,
}


@click.command("doctor")
@with_appcontext
def doctor() -> None:
    """Check settings, database, files, gateways, jobs and services; exit code 1 for any fault."""
    has_faults = False
    for name, check in CHECKS.items():
        findings = _findings(check)
        has_faults |= any(finding.is_fault for finding in findings)
        if not findings:
            click.echo(f"ok       {name}")
        for finding in findings:
            click.echo(f"{'FAULT' if finding.is_fault else 'warning':<8} {name}: {finding.text}")
    if has_faults:
        raise SystemExit(1)


def _findings(check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        with reading():
            return list(check())
    except SQLAlchemyError as fault:
        return [Finding(f"the database does not answer ({type(fault).__name__})")]
    except OSError as fault:
        return [Finding(f"{fault.strerror or type(fault).__name__}")]


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
