"""The `flask services` commands: definitions of services, and whether they are offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TextIO

import click
import sqlalchemy as sa
from flask.cli import AppGroup
from flask_babel import force_locale
from sqlalchemy.exc import DBAPIError

from clearance.auth.sessions import actor_of
from clearance.cli import service_docs
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.errors import DomainError, NotFound
from clearance.core.extensions import db
from clearance.models import Service, User
from clearance.models.enums import Role
from clearance.requests import publishing
from clearance.services import drafting, offering, packs, versions
from clearance.services.packs import Pack
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


def _day(context: click.Context, option: click.Parameter, typed: str | None) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise click.BadParameter("Give a day as 2027-01-31.") from None


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
@click.argument("names", nargs=-1, metavar="[CODE|FILE]...")
@click.option("--publish", is_flag=True, help="Publish FILE where no draft and no fault is open.")
@click.option("--by", "email", metavar="EMAIL", help="Administrator whose draft FILE becomes.")
@click.option("--replace", is_flag=True, help="Replace a draft; undo in the panel brings it back.")
@click.option("--drafts-on", callback=_day, metavar="DAY", help="With --publish: see below.")
@_database_needed()
def load(
    names: tuple[str, ...],
    publish: bool,
    email: str | None,
    replace: bool,
    drafts_on: date | None,
) -> None:
    """Make a draft of each FILE, a pack or a definition, and print its check-up.

    --publish makes a version instead and notifies the service's reviewers. Drafts of requests move
    to it on DAY, such as 2027-01-31; without one they keep their version.
    A CODE publishes a new version of the shipped definition, if that has changed. Without names,
    the shipped services that are not in the database yet are published. A name with a dot or a
    slash is a FILE.
    """
    now = utc_now()
    files = [name for name in names if set(name) & set("./\\")]
    codes = [name for name in names if name not in files]
    try:
        published = versions.publish_missing(now) if not names else []
        published += [code for code in codes if versions.publish_if_changed(code, None, now)]
        for file in files:
            if publish:
                published += _publish(_pack_of(Path(file)), now, drafts_on)
                continue
            pack = _pack_of(Path(file), packs.read_for_draft)
            _make_draft(pack, _administrator(email), now, is_replacing=replace)
        db.session.commit()
    except BadDefinition as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from None
    except DomainError as fault:
        with force_locale("en"):
            raise click.ClickException(str(fault)) from None
    if codes or publish or not names:
        _say(published)


@service_commands.command("export")
@click.argument("code")
@click.option("--version", "number", type=int, help="Number of an earlier version.")
@click.option("--draft", is_flag=True, help="The draft instead of a version.")
@_output
@_database_needed()
def export(code: str, number: int | None, draft: bool, output: TextIO) -> None:
    """Write the newest version of CODE as a pack."""
    try:
        pack = packs.of_draft(code) if draft else packs.of_version(code, number)
    except NotFound:
        what = f"version {number} of {code}" if number is not None else f"service {code}"
        raise click.ClickException(f"There is no {'draft of ' * draft}{what}.") from None
    output.write(packs.written(pack))


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


def _pack_of(path: Path, read: Callable[[bytes], Pack] = packs.read) -> Pack:
    """Return the pack of a file. Raises: BadDefinition."""
    try:
        with path.open("rb") as stream, force_locale("en"):
            return read(stream.read(packs.MOST_BYTES + 1))
    except OSError as error:
        raise BadDefinition([f"{path.name}: {error.strerror}"]) from None
    except DomainError as fault:
        with force_locale("en"):
            raise BadDefinition([f"{path.name}: {fault}"]) from None


def _publish(pack: Pack, now: datetime, drafts_on: date | None) -> list[str]:
    """Publish a pack unless the service says so already; return its code then."""
    if packs.exists(pack.code):
        if drafting.source(pack.code).draft is not None:
            fault = "there is a draft; publish it in the panel, or discard it"
            raise BadDefinition([f"{pack.code}: {fault}"])
        if packs.is_same(pack.definition):
            return []
    publishing.publish_file(pack.definition, now, drafts_on)
    return [pack.code]


def _make_draft(pack: Pack, actor: Actor, now: datetime, *, is_replacing: bool) -> None:
    """Make a draft of a pack and print what its check-up finds."""
    document = pack.definition
    if packs.exists(pack.code):
        document, found = packs.for_service(pack, pack.code), drafting.source(pack.code)
        if packs.is_same(document):
            click.echo(f"{pack.code}: nothing changes.")
            return
        if found.draft is not None and not is_replacing:
            raise BadDefinition([f"{pack.code}: there is a draft already; see --replace"])
        packs.put_in_draft(document, found.version, actor, now)
    else:
        drafting.begin(document, actor, now, verb="imported")
    db.session.commit()
    click.echo(f"{pack.code}: the draft was made.")
    with force_locale("en"):
        for each in drafting.findings(drafting.source(pack.code), kuwait_date(now)):
            click.echo(f"  {each.path}: {each.text}" + (" (suggestion)" if each.is_remark else ""))


def _administrator(email: str | None) -> Actor:
    user = db.session.scalar(
        sa.select(User).where(
            User.email == (email or "").strip().lower(),
            User.role == Role.ADMINISTRATOR,
            User.is_active.is_(True),
        )
    )
    if user is None:
        raise click.UsageError("Name the administrator whose draft it becomes: --by EMAIL.")
    return actor_of(user)


def _faults_of_files(files: tuple[Path, ...]) -> list[str]:
    found = []
    for path in files or tuple(versions.files()):
        try:
            faults = versions.faults(_pack_of(path).definition)
        except BadDefinition as unreadable:
            found += unreadable.faults
        else:
            found += [f"{path.name}: {fault}" for fault in faults]
    return found


def _say(codes: list[str]) -> None:
    click.echo(f"Published: {', '.join(codes)}." if codes else "Nothing to publish.")
