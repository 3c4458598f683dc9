"""The `flask hold` commands: legal holds, for when the office's page cannot be waited for."""

from __future__ import annotations

import click
import sqlalchemy as sa
from flask.cli import AppGroup
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core import legal_holds
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.legal_holds import Subject
from clearance.core.values import BadValue
from clearance.models import LegalHold, Request, User
from clearance.models.enums import Role

hold_commands = AppGroup("hold", help="Legal holds.")
_KEEPERS = (Role.MANAGER, Role.ADMINISTRATOR)
_by = click.option(
    "--by", "keeper", metavar="EMAIL", required=True, help="Manager or administrator who does it."
)
_why = click.option("--why", "reason", required=True, help="Such as a court's order.")


@hold_commands.command("list")
def list_holds() -> None:
    """List the holds in force: number, since when, about what, by whom."""
    for hold in legal_holds.listed(in_force=True):
        click.echo(f"{hold.id}  {hold.set_at:%Y-%m-%d}  {_about(hold)}  by {hold.set_by.email}")


@hold_commands.command("place")
@click.argument("subject", metavar="CIVIL_NUMBER|EMAIL|REQUEST")
@_by
@_why
def place(subject: str, keeper: str, reason: str) -> None:
    """Keep what is about a person or a request (such as LR/12/26) from being deleted.

    A civil number need not be known to the portal. Managers alone hold requests.
    """
    with force_locale("en"):
        try:
            actor = _keeper(keeper)
            hold = legal_holds.place(_subject(subject, actor), reason, actor, utc_now())
        except (BadValue, DomainError) as fault:
            raise click.ClickException(str(fault)) from None
    db.session.commit()
    click.echo(f"Hold {hold.id} is placed on {_about(hold)}.")


@hold_commands.command("lift")
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@_by
@_why
def lift(number: int, keeper: str, reason: str) -> None:
    """Lift the hold of that NUMBER; what is past its period by now goes with the next purge."""
    with force_locale("en"):
        try:
            legal_holds.lift(number, reason, _keeper(keeper), utc_now())
        except (BadValue, DomainError) as fault:
            raise click.ClickException(str(fault)) from None
    db.session.commit()
    click.echo(f"Hold {number} is lifted.")


def _keeper(email: str) -> Actor:
    user = _user(email)
    if user is None or user.role not in _KEEPERS or not user.is_active:
        raise click.UsageError("--by is the e-mail address of a manager or administrator.")
    return actor_of(user)


def _subject(typed: str, actor: Actor) -> Subject:
    if "@" in typed:
        found: Subject | None = _user(typed)
    elif "/" in typed:
        known = sa.select(Request).where(Request.number == typed.strip().upper())
        found = db.session.scalar(known) if actor.is_manager else None
    else:
        return typed
    if found is None:
        raise click.ClickException(f"There is no {typed} that this keeper may read.")
    return found


def _user(email: str) -> User | None:
    return db.session.scalar(sa.select(User).where(User.email == email.strip().lower()))


def _about(hold: LegalHold) -> str:
    if hold.request is not None:
        return f"request {hold.request.number}"
    return hold.user.email if hold.user is not None else f"civil number {hold.civil_id}"
