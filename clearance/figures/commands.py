"""`flask figures`: count the summaries anew."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.figures import summaries

commands = AppGroup("figures", help="Summaries for the dashboard.")


def add(app: Flask) -> None:
    """Add the commands to the application."""
    app.cli.add_command(commands)


@commands.command("rebuild")
def rebuild() -> None:
    """Count all figures anew from requests and events."""
    summaries.forget()
    db.session.commit()
    summaries.refresh(utc_now(), seconds=None)
    click.echo("The figures were counted anew.")
