"""The `flask services` commands: check, load, export and describe service definitions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from clearance.cli import service_docs
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.services import versions
from clearance.services.versions import BadDefinition


@contextmanager
def _database_needed() -> Iterator[None]:
    """End a command in one line if the database does not answer or lacks its tables."""
    try:
        yield
    except DBAPIError:
        raise click.ClickException(
            "The database does not answer or is not migrated; see `flask db upgrade`."
        ) from None


service_commands = AppGroup("services", help="Service definitions.")
_output = click.option(
    "--output",
    type=click.File("w", encoding="utf-8"),
    default="-",
    metavar="FILE",
    help="File to write.",
)


@service_commands.command("check")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--published", is_flag=True, help="Check the published versions instead of files.")
@_database_needed()
def check(files: tuple[Path, ...], published: bool) -> None:
    """Check definition FILES (by default the shipped ones); exit code 1 for any error.

    With --published, check the newest version of every service and those that undecided requests
    use.
    """
    if published and files:
        raise click.UsageError("Give either FILES or --published.")
    found = versions.published_faults() if published else _faults_of_files(files)
    for line in found:
        click.echo(line)
    if found:
        raise SystemExit(1)
    click.echo("All definitions are valid.")


@service_commands.command("load")
@click.argument("codes", nargs=-1)
@_database_needed()
def load(codes: tuple[str, ...]) -> None:
    """Publish a new version of the shipped definitions of CODES that have changed.

    Without CODES, only services not in the database yet are published.
    """
    now = utc_now()
    try:
        if not codes:
            _say(versions.publish_missing(now))
        else:
            _say([code for code in codes if versions.publish_if_changed(code, None, now)])
    except BadDefinition as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from None
    db.session.commit()


@service_commands.command("export")
@click.argument("code")
@_output
@_database_needed()
def export(code: str, output: TextIO) -> None:
    """Write the newest version of CODE as a definition file."""
    try:
        text = versions.as_yaml(versions.current(code).definition)
    except NotFound:
        raise click.ClickException(f"There is no service {code}.") from None
    output.write(text)


@service_commands.command("describe")
@_output
def describe(output: TextIO) -> None:
    """Write docs/services.md from the shipped definitions (for developers)."""
    text = service_docs.services_page()
    output.write(text)


def _faults_of_files(files: tuple[Path, ...]) -> list[str]:
    found = []
    for path in files or tuple(versions.files()):
        try:
            faults = versions.faults(versions.read_file(path))
        except BadDefinition as unreadable:
            faults = unreadable.faults
        found += [f"{path.name}: {fault}" for fault in faults]
    return found


def _say(codes: list[str]) -> None:
    click.echo(f"Published: {', '.join(codes)}." if codes else "Nothing to publish.")
