"""The `flask` commands: database, audit, staff, customs, services and messages."""

from clearance.cli.commands import init_app

__all__ = ["init_app"]
