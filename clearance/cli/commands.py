"""The `flask` command groups; database and audit commands are defined here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click
from alembic.util.exc import CommandError
from flask import Flask, current_app
from flask.cli import AppGroup
from flask_babel import force_locale
from sqlalchemy.exc import DBAPIError, OperationalError

from clearance.cli.accounts import customs_commands, staff_commands
from clearance.cli.backups import backup_commands, outbox_commands, restore
from clearance.cli.doctor import doctor
from clearance.cli.files import storage_commands
from clearance.cli.holds import hold_commands
from clearance.cli.messages import maintain, message_commands, purge
from clearance.cli.receipts import receipt_commands
from clearance.cli.services import service_commands
from clearance.core import database_faults, schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.files import checkpoints
from clearance.services import versions

database_commands = AppGroup("db", help="Database schema.")
audit_commands = AppGroup("audit", help="Audit trail.")


def init_app(app: Flask) -> None:
    """Register the command groups."""
    for group in (
        database_commands,
        audit_commands,
        staff_commands,
        customs_commands,
        service_commands,
        receipt_commands,
        message_commands,
        backup_commands,
        restore,
        outbox_commands,
        storage_commands,
        hold_commands,
        purge,
        maintain,
        doctor,
    ):
        app.cli.add_command(group)


@database_commands.command("upgrade")
def upgrade() -> None:
    """Migrate the schema to the newest revision and publish services not in the database yet."""
    with _one_line_for_interruptions():
        schema.upgrade(current_app.extensions["settings"].database_url)
        versions.publish_missing(utc_now())
        db.session.commit()
    click.echo("The database schema is up to date.")


@database_commands.command("current")
def current() -> None:
    """Print the revision that the database is at, and the newest of this release."""
    with db.engine.connect() as connection:
        found = ", ".join(schema.current(connection)) or "empty"
    newest = ", ".join(schema.newest())
    click.echo(f"{found}" if found == newest else f"{found}, newest {newest}")


@database_commands.command("downgrade")
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the schema back to an earlier REVISION, such as 0019; what it cannot hold is lost."""
    try:
        with _one_line_for_interruptions():
            schema.downgrade(current_app.extensions["settings"].database_url, revision)
    except CommandError as fault:
        raise click.ClickException(f"{fault}.") from None
    click.echo(f"The database schema is at {revision}.")


@database_commands.command("revision")
@click.argument("message")
def revision(message: str) -> None:
    """Generate a migration for differences between models and database (for developers)."""
    schema.write_revision(current_app.extensions["settings"].database_url, message)


@contextmanager
def _one_line_for_interruptions() -> Iterator[None]:
    """Say in a line what interrupted a migration: a restart, a full disk, locks, a missing right.

    Schema and services are each changed in one transaction. Raises: ClickException.
    """
    try:
        yield
    except DBAPIError as fault:
        if not (isinstance(fault, OperationalError) or database_faults.is_of_another_role(fault)):
            raise
        reason = database_faults.in_a_line(fault)
        raise click.ClickException(
            f"Interrupted: {reason}. Nothing is half done; mend that and run the command again."
        ) from None


@audit_commands.command("checkpoint")
def checkpoint() -> None:
    """Keep a signed checkpoint of the trail in the storage, and print it."""
    click.echo(checkpoints.take(utc_now()))


@audit_commands.command("verify")
@click.option(
    "--checkpoint",
    "file",
    type=click.File(encoding="utf-8"),
    help="File with checkpoints from mails or logs, one a line, to compare as well.",
)
def verify(file: TextIO | None) -> None:
    """Verify the chain of audit events against its checkpoints; exit code 1 if it is broken."""
    given, stored = checkpoints.read_all(file or ()), checkpoints.kept()
    verdict = checkpoints.verify(given.checkpoints)
    checkpoints.note(verdict)
    with force_locale("en"):
        for fault in verdict.faults:
            click.echo(str(fault))
    if unsigned := given.unsigned + stored.unsigned:
        click.echo(f"{unsigned} checkpoints are not signed with a key that the portal has now.")
    if not verdict.is_intact:
        raise SystemExit(1)
    click.echo(f"The audit trail is intact: {verdict.sealed:,} events.")
    if verdict.proven_until is None:
        click.echo("No checkpoint confirms it: a tail that was cut off would not be found.")
    else:
        click.echo(f"Checkpoints confirm it up to {verdict.proven_until.isoformat()}.")
