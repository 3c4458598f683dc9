"""The `flask staff` and `flask customs` commands: first administrator, embedded register."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup
from flask_babel import force_locale

from clearance.accounts import staff_invitations
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.values import BadValue, email_address
from clearance.customs import register_import
from clearance.models.enums import STAFF_ROLES

staff_commands = AppGroup("staff", help="Staff accounts.")
customs_commands = AppGroup("customs", help="Embedded customs register.")


@staff_commands.command("invite")
@click.argument("email")
@click.option(
    "--role", type=click.Choice(sorted(role.value for role in STAFF_ROLES)), required=True
)
def invite(email: str, role: str) -> None:
    """Invite EMAIL as a member of staff. The link is e-mailed and printed."""
    try:
        invitation, link = staff_invitations.invite_staff(email_address(email), role, utc_now())
    except (BadValue, DomainError) as error:
        raise click.ClickException(str(error)) from None
    db.session.commit()
    click.echo(f"Invited {invitation.email} as {role}. The link is valid for 7 days:\n{link}")


@customs_commands.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_register(file: Path) -> None:
    """Import the register from FILE, a CSV or workbook with one row per broker; all or nothing."""
    try:
        with file.open("rb") as stream, force_locale("en"):
            count = register_import.import_file(stream.read(register_import.LIMIT_BYTES + 1))
    except (register_import.BadRows, DomainError) as error:
        with force_locale("en"):
            faults = getattr(error, "faults", None) or [str(error)]
        for fault in faults:
            click.echo(fault, err=True)
        raise click.ClickException("Nothing was imported.") from None
    db.session.commit()
    click.echo(f"Accounts imported: {count}.")
