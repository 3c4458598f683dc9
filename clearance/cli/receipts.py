"""`flask receipt`: check issued PDFs against the published keys."""

from __future__ import annotations

from typing import BinaryIO, TextIO

import click
from flask.cli import AppGroup

from clearance.files import receipts
from clearance.files.receipts import State

receipt_commands = AppGroup("receipt", help="Receipts in issued PDFs.")

WORDS = {
    State.GENUINE: "Genuine: this portal issued the file, and not a byte was changed since.",
    State.FORMER: "Genuine: this portal issued the file with an earlier key, of {since}.",
    State.CHANGED: "NOT genuine: the file was changed after it was issued.",
    State.OTHER: "NOT proven: another portal issued the file, or the list of keys is too old.",
    State.NONE: (
        "No receipt: the file was printed or saved anew, or never came from here. Check the code "
        "that is printed on it at /check."
    ),
    State.CERTIFIED: (
        "No receipt: the file is signed with the office's certificate instead. Open it in a PDF "
        "reader, which checks that signature."
    ),
}


@receipt_commands.command("verify")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--keys",
    "published",
    type=click.File(encoding="utf-8"),
    help=f"The published keys ({receipts.ADDRESS}), to check without the portal's database.",
)
def verify(file: BinaryIO, published: TextIO | None) -> None:
    """Check the receipt of FILE; exit code 1 unless it is proven genuine."""
    try:
        keys = receipts.read_document(published.read()) if published else receipts.keys()
    except ValueError as fault:
        raise click.ClickException(f"{fault}.") from None
    state, key = receipts.judge(file.read(), keys)
    click.echo(WORDS[state].format(since=key.since if key else ""))
    if state not in {State.GENUINE, State.FORMER}:
        raise SystemExit(1)
