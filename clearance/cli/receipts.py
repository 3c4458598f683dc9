"""`flask receipt`: check issued PDFs against the published keys."""

from __future__ import annotations

import hashlib
from typing import BinaryIO, TextIO

import click
from flask.cli import AppGroup

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.files import receipts
from clearance.files.receipts import State
from clearance.issuing.verification import file_known_by

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
    State.WITHDRAWN: (
        "NOT proven: the key of its receipt was withdrawn on {withdrawn}, as others may have it. "
        "The portal's page /receipt says whether it issued exactly this file."
    ),
}
KNOWN = "Genuine by the portal's records: it issued exactly this file on {day}."
UNKNOWN = (
    "NOT genuine: the key of its receipt was withdrawn, and the portal did not issue this file."
)


@receipt_commands.command("verify")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--keys",
    "published",
    type=click.File(encoding="utf-8"),
    help=f"The published keys ({receipts.ADDRESS}), to check without the portal's database.",
)
def verify(file: BinaryIO, published: TextIO | None) -> None:
    """Check the receipt of FILE; exit code 1 unless it is proven genuine.

    Without --keys the portal's own records count too: the files that it issued, by their hash.
    """
    try:
        keys = receipts.read_document(published.read()) if published else receipts.keys()
    except ValueError as fault:
        raise click.ClickException(f"{fault}.") from None
    data = file.read(receipts.LARGEST_BYTES + 1)
    state, key = receipts.judge(data, keys)
    words = WORDS[state]
    is_proven = state in {State.GENUINE, State.FORMER}
    if not (is_proven or published):
        known = file_known_by(hashlib.sha256(data).hexdigest())
        if known is not None:
            is_proven, words = True, KNOWN.format(day=known.issued_on.isoformat())
        elif state == State.WITHDRAWN:
            words = UNKNOWN
    click.echo(words.format(since=key.since, withdrawn=key.withdrawn) if key else words)
    if not is_proven:
        raise SystemExit(1)


@receipt_commands.command("withdraw")
@click.argument("key")
def withdraw(key: str) -> None:
    """Publish that receipts made with KEY (`kid` in the published list) prove nothing any more.

    For a key that somebody else may have. It cannot be taken back.
    """
    try:
        is_new = receipts.withdraw(key, utc_now())
    except receipts.WithdrawalRefused as fault:
        raise click.ClickException(f"{fault}.") from None
    db.session.commit()
    click.echo("Withdrawn." if is_new else "It was withdrawn before.")
    click.echo("Files with its receipts are checked at /receipt by the portal's own records.")
