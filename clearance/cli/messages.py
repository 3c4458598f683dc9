"""The `flask messages document`, `flask purge` and `flask maintain` commands."""

from __future__ import annotations

import click
from flask.cli import AppGroup, with_appcontext

from clearance.cli import notification_docs
from clearance.core.clock import utc_now
from clearance.jobs import maintenance, retention

message_commands = AppGroup("messages", help="Notification texts.")


@message_commands.command("document")
def document() -> None:
    """Print docs/notices.md, generated from the registered messages (for developers)."""
    click.echo(notification_docs.notices_page(), nl=False)


@click.command("purge")
@with_appcontext
def purge() -> None:
    """Delete expired rows and rows past their retention period, as the hourly job does."""
    removed = retention.purge(utc_now())
    for table, count in removed.items():
        click.echo(f"{table}: {count}")
    click.echo(f"{sum(removed.values())} rows removed.")


@click.command("maintain")
@with_appcontext
def maintain() -> None:
    """Delete what is over and refresh the database's statistics, as the nightly job does."""
    for step, result in maintenance.run(utc_now()).items():
        click.echo(f"{step}: {result}")
