"""`flask backup`, `flask restore` and `flask outbox`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup, with_appcontext
from flask_babel import force_locale
from sqlalchemy.exc import SQLAlchemyError

from clearance import backups
from clearance.backups import BackupError, Keep
from clearance.core import database_faults, schema
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.notifications import outbox

REPORT_SECONDS = 5.0

backup_commands = AppGroup("backup", help="Backups of database and files.")
outbox_commands = AppGroup("outbox", help="Waiting messages.")


class Progress:
    """Says on standard error how far the work is, at most every few seconds."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, text: str) -> None:
        """Say it, unless something was said a moment ago."""
        if time.monotonic() - self._last >= REPORT_SECONDS:
            click.echo(text, err=True)
            self._last = time.monotonic()


@backup_commands.command("make")
@click.argument("destination")
@click.option(
    "--keep",
    metavar="7d4w12m",
    help="Then remove older entries, except for the newest of so many days, weeks and months.",
)
def make(destination: str, keep: str | None) -> None:
    """Back up database and files, as a new entry in DESTINATION, a folder or s3://bucket/prefix.

    The portal may work meanwhile.
    The last line printed is the entry's path.
    """
    try:
        policy = Keep.parse(keep) if keep else None
    except ValueError as fault:
        raise click.BadParameter(str(fault), param_hint="--keep") from None
    with _plain_refusals("No backup was made"):
        made = backups.make(backups.place(destination), policy, Progress())
    for name in made.removed:
        click.echo(f"removed: {name}")
    click.echo(_summary(made.manifest))
    click.echo(made.address)


@backup_commands.command("verify")
@click.argument("entry")
def verify(entry: str) -> None:
    """Read ENTRY from beginning to end; exit code 1 if it is not as it was written."""
    with _plain_refusals("The backup cannot be relied on"):
        manifest = backups.verify(*backups.locate(entry), Progress())
    click.echo(_summary(manifest))
    click.echo("The backup is whole.")


@click.command("restore")
@click.argument("entry")
@with_appcontext
def restore(entry: str) -> None:
    """Restore ENTRY into the empty database and storage of the settings.

    Exit code 1 also if it was restored, but something was wrong when the backup was made.
    """
    with _plain_refusals("Nothing was restored"):
        restored = backups.restore(*backups.locate(entry), Progress())
    click.echo(_summary(restored.manifest))
    click.echo("Everybody has to sign in again. No message leaves before: flask outbox release")
    if restored.findings:
        with force_locale("en"):
            for finding in restored.findings:
                click.echo(str(finding))
        click.echo("Restored, but the lines above were wrong when the backup was made already.")
        raise SystemExit(1)
    click.echo("Restored.")


@outbox_commands.command("release")
def release() -> None:
    """Let messages leave again, after a restore."""
    now = utc_now()
    waiting = outbox.waiting(now).queued
    if not outbox.release(now):
        click.echo("The outbox is not held.")
        return
    click.echo(f"The outbox is released: {waiting:,} messages wait to be sent.")


def _summary(manifest: backups.Manifest) -> str:
    return (
        f"made {manifest.made_at}, release {manifest.release}, {manifest.database}, schema "
        f"{manifest.revision}: {sum(manifest.rows.values()):,} rows, {manifest.files:,} files of "
        f"{manifest.bytes:,} bytes, trail up to seal {manifest.position:,}"
    )


@contextmanager
def _plain_refusals(what: str) -> Iterator[None]:
    """End with one line on standard error and exit code 1."""
    try:
        yield
    except (BackupError, DomainError) as fault:
        refusal = str(fault)
    except OSError as fault:
        # A bucket's faults are sentences; those of the system have a number and a file.
        refusal = (
            f"{fault.strerror} ({fault.filename or 'writing'})." if fault.strerror else f"{fault}."
        )
    except schema.BrokenReferences as fault:
        refusal = f"{fault}."
    except SQLAlchemyError as fault:
        refusal = f"the database: {database_faults.in_a_line(fault)}"
    else:
        return
    click.echo(f"{what}. {refusal}", err=True)
    sys.exit(1)
