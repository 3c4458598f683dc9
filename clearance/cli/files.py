"""`flask storage copy`: from a folder to a bucket, and back."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from clearance.core.settings import BadSettings, Settings
from clearance.files import copying, storage
from clearance.files.stores import Store

storage_commands = AppGroup("storage", help="Stored files.")


@storage_commands.command("copy")
@click.option("--from", "source", metavar="URL", help="Where the files are; else STORAGE_URL.")
@click.option("--to", "target", metavar="URL", required=True, help="Where they are copied to.")
def copy(source: str | None, target: str) -> None:
    """Copy all files into another folder or bucket, each verified by its hash.

    It can be stopped and run again: what is there already is verified and not copied. Nothing is
    removed. Exit code 1 if a file is missing or differs from its row; those are named.
    """
    settings: Settings = current_app.extensions["settings"]
    source = source or settings.storage_url
    if source.rstrip("/") == target.rstrip("/"):
        raise click.BadParameter("that is where the files are", param_hint="--to")
    try:
        outcome = copying.copy_all(_store(source), _store(target), _report)
    except OSError as fault:
        raise click.ClickException(f"Stopped ({fault}). Run it again: it goes on.") from fault
    click.echo(f"{outcome.copied:,} files copied, {outcome.there:,} were there already.")
    for words, keys in (
        ("missing", outcome.missing),
        ("not what the database says", outcome.changed),
    ):
        for key in keys:
            click.echo(f"{key} is {words}: {', '.join(copying.rows_with([key]))}")
    if outcome.missing or outcome.changed:
        raise SystemExit(1)


def _store(url: str) -> Store:
    try:
        return storage.store_at(url, current_app.extensions["settings"])
    except BadSettings as fault:
        raise click.ClickException(str(fault).replace("STORAGE_URL", url, 1)) from None


def _report(outcome: copying.Outcome) -> None:
    click.echo(f"{outcome.copied:,} copied, {outcome.there:,} there already", err=True)
