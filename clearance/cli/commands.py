"""The `flask` command groups; database and audit commands are defined here."""

from __future__ import annotations

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from clearance.cli.accounts import customs_commands, staff_commands
from clearance.cli.messages import message_commands, purge
from clearance.cli.services import service_commands
from clearance.core import audit, schema
from clearance.core.clock import utc_now
from clearance.core.extensions import db
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
        message_commands,
        purge,
    ):
        app.cli.add_command(group)


@database_commands.command("upgrade")
def upgrade() -> None:
    """Migrate the schema to the newest revision and publish services not in the database yet."""
    schema.upgrade(current_app.extensions["settings"].database_url)
    versions.publish_missing(utc_now())
    db.session.commit()
    click.echo("The database schema is up to date.")


@database_commands.command("revision")
@click.argument("message")
def revision(message: str) -> None:
    """Generate a migration for differences between models and database (for developers)."""
    schema.write_revision(current_app.extensions["settings"].database_url, message)


@audit_commands.command("verify")
def verify() -> None:
    """Verify the chain of audit events; exit code 1 if it is broken."""
    faults = audit.verify_chain(db.session())
    for fault in faults:
        click.echo(fault)
    if faults:
        raise SystemExit(1)
    click.echo("The audit trail is intact.")
