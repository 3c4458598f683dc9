"""Demo mode: sample data on first start, and any number of sample requests."""

from __future__ import annotations

from datetime import datetime

import click
import sqlalchemy as sa
import structlog
from flask import Flask
from flask.cli import AppGroup

from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.demo import mass, people, register, stories
from clearance.demo.people import ACCOUNTS, PASSWORD
from clearance.figures import summaries
from clearance.models import User

__all__ = ["ACCOUNTS", "PASSWORD", "build_world", "init_app"]

log = structlog.get_logger("clearance.demo")
commands = AppGroup("demo", help="Demo data.")


def init_app(app: Flask) -> None:
    """Build the demo data when the portal first starts, and register the commands."""
    app.cli.add_command(commands)
    app.extensions["jobs"].at_start.append(build_world)
    app.extensions["demo_accounts"] = [
        {"email": account.email, "about": account.label, "password": PASSWORD}
        for account in ACCOUNTS
    ]


def build_world(now: datetime) -> None:
    """Fill an empty database with demo data; do nothing in any other. Commits as it goes."""
    with own_transaction(write=False) as connection:
        is_empty = connection.scalar(sa.select(sa.func.count()).select_from(User)) == 0
    if not is_empty:
        return
    cast = people.make(now)
    licences = register.make(cast, now)
    db.session.commit()
    stories.play(cast, licences, now)
    summaries.refresh(now, seconds=None)
    log.info("demo_world_made")


@commands.command("requests")
@click.argument("count", type=click.IntRange(1, 5_000_000))
def add_requests(count: int) -> None:
    """Add COUNT realistic requests, the same for the same COUNT."""
    seconds = mass.add_requests(count, utc_now())
    click.echo(f"{count:,} requests added in {seconds:.0f} s.")
