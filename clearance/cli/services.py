"""The `flask services` commands: definitions of services, and whether they are offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TextIO

import click
from flask.cli import AppGroup
from flask_babel import force_locale
from sqlalchemy.exc import DBAPIError

from clearance.cli import service_docs
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.errors import DomainError, NotFound
from clearance.core.extensions import db
from clearance.models import Service
from clearance.services import offering, versions
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
@click.option("--version", "number", type=int, help="Number of an earlier version.")
@_output
@_database_needed()
def export(code: str, number: int | None, output: TextIO) -> None:
    """Write the newest version of CODE as a definition file."""
    try:
        row = versions.numbered(code, number)
    except NotFound:
        what = f"service {code}" if number is None else f"version {number} of {code}"
        raise click.ClickException(f"There is no {what}.") from None
    output.write(versions.as_yaml(versions.as_published(row)))


@service_commands.command("list")
@_database_needed()
def list_services() -> None:
    """List the services in the office's order: code, state, newest version, open requests."""
    open_requests, today = offering.open_requests(), kuwait_date(utc_now())
    for service in offering.ordered():
        state = offering.state_of(service, today)
        number = versions.numbered(service.code).number
        count = open_requests.get(service.code, 0)
        click.echo(f"{service.code}: {state}, version {number}, {count} open")


def _day(context: click.Context, option: click.Parameter, typed: str | None) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise click.BadParameter("Give a day as 2027-01-31.") from None


_since = click.option("--on", callback=_day, metavar="DAY", help="First day, such as 2027-01-31.")
_why = click.option("--why", default="", help="Reason, for the audit trail.")


@service_commands.command("stop")
@click.argument("code")
@_since
@_why
@_database_needed()
def stop(code: str, on: date | None, why: str) -> None:
    """Stop CODE, now or from a day: no new requests can be begun."""
    _take(offering.stop, code, on, why)


@service_commands.command("start")
@click.argument("code")
@_since
@_why
@_database_needed()
def start(code: str, on: date | None, why: str) -> None:
    """Offer CODE again, now or from a day."""
    _take(offering.start, code, on, why)


def _take(step: Callable[..., Service], code: str, on: date | None, why: str) -> None:
    try:
        service = step(code, None, utc_now(), why=why, since=on)
    except NotFound:
        raise click.ClickException(f"There is no service {code}.") from None
    except DomainError as fault:
        with force_locale("en"):
            raise click.ClickException(str(fault)) from None
    db.session.commit()
    since, until = service.stopped_on, service.resumes_on
    stopped = f"stopped from {since}" + (f" until {until}" if until else "") if since else "in use"
    click.echo(f"{code}: {stopped}.")


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
