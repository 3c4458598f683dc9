"""Receipts in issued PDFs: a signature that anybody can check without the portal.

An ECDSA signature (P-256, SHA-256) with the name of its key. It is the last line of the file, a PDF
comment, and signs every byte before it. A file that the office's certificate signs to its last byte
has it inside that signature, as an unsigned attribute, where it signs every byte but its own, which
count as zeros. The key is derived from SECRET_KEY; its public half is kept in the database for good
and published, so that receipts outlive a change of the secret. A key that others may have is
withdrawn: its receipts prove nothing then, whatever they say of their time.
`static/js/receipt.js` judges files by the same rules.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from clearance.core import audit, crypto
from clearance.core.conditional_writes import insert_into
from clearance.core.extensions import db
from clearance.files import signing
from clearance.models import ReceiptKey

ADDRESS = "/.well-known/clearance-receipts.json"
WITHDRAWN: Final = "receipt:key:withdrawn"
LARGEST_BYTES = 64 * 1024 * 1024  # no issued file is nearly as large
MARK = b"%clearance-receipt v1 "
HALF = 32  # bytes of each half of a signature, and of each coordinate of a point
INSIDE = b"clearance-receipt v2 "
KID_BYTES = 8
DIGEST_LETTERS = 64  # of a file's SHA-256
# The last letter has two bits only: others would be read as the same signature.
_LINE = re.compile(MARK + rb"kid=([0-9a-f]{16}) sig=([A-Za-z0-9_-]{85}[AQgw])\n\Z")
# A signature is in the file in hexadecimal digits with capital letters.
_INSIDE_DIGITS = INSIDE.hex().upper().encode()
_ROOM = bytes(KID_BYTES + 2 * HALF)
_INSIDE = re.compile(_INSIDE_DIGITS + rb"([0-9A-F]{16})([0-9A-F]{128})")
_CERTIFIED = re.compile(rb"/SubFilter\s*/(?:ETSI\.CAdES|adbe\.pkcs7)\.detached")
_ALGORITHM = ec.ECDSA(SHA256(), deterministic_signing=True)


class WithdrawalRefused(Exception):
    """Why a key cannot be withdrawn, in one sentence for the operator."""


class State(StrEnum):
    """What a file's receipt proves."""

    GENUINE = "genuine"
    FORMER = "former"  # genuine, by a key that the portal no longer signs with
    CHANGED = "changed"
    OTHER = "other"
    NONE = "none"
    CERTIFIED = "certified"  # signed with the office's certificate alone
    WITHDRAWN = "withdrawn"  # by a key that others may have


@dataclass(frozen=True)
class Key:
    """A public key that may have signed. x, y: base64url. is_current: it signs now.

    since, withdrawn: UTC days in ISO format, "" if there is none.
    """

    kid: str
    x: str
    y: str
    since: str
    is_current: bool
    withdrawn: str = ""

    def public(self) -> ec.EllipticCurvePublicKey:
        """Return the key for verifying. Raises: ValueError if it is no point of the curve."""
        x, y = (int.from_bytes(_decoded(each)) for each in (self.x, self.y))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


@dataclass(frozen=True)
class _Receipt:
    """What a file carries: the key's name, the signature, and the bytes that it is over."""

    kid: str
    signature: bytes
    content: bytes


def with_receipt(pdf: bytes) -> bytes:
    """Return the PDF with its receipt, signed by the office's certificate too if there is one."""
    if signing.has_key():
        return _inside_signature(signing.signed(pdf, INSIDE + _ROOM))
    content = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    kid, signature = _sign(content)
    return content + MARK + f"kid={kid} sig={_encoded(signature)}\n".encode()


def publish_key(connection: sa.Connection, now: datetime) -> None:
    """Keep the public half of the key that signs now, once."""
    kid, x, y = _named(crypto.signing_key().public_key())
    row = {"kid": kid, "x": x, "y": y, "since": now}
    insert = insert_into(ReceiptKey, connection.dialect.name)
    connection.execute(insert.on_conflict_do_nothing(index_elements=["kid"]), row)


def keys() -> list[Key]:
    """Return every key that signed, and the one that signs now, the newest first."""
    current, x, y = _named(crypto.signing_key().public_key())
    rows = db.session.scalars(
        sa.select(ReceiptKey).order_by(ReceiptKey.since.desc(), ReceiptKey.kid)
    )
    found = [
        Key(row.kid, row.x, row.y, _day(row.since), row.kid == current, _day(row.withdrawn_at))
        for row in rows
    ]
    return found if any(key.is_current for key in found) else [Key(current, x, y, "", True), *found]


def withdraw(kid: str, now: datetime) -> bool:
    """Publish that others may have the key; returns False if that was done before. Flushes.

    Raises: WithdrawalRefused for the key that signs now and for an unknown one.
    """
    if kid == _current_kid():
        raise WithdrawalRefused(
            "This key signs now: change SECRET_KEY, restart every process, then withdraw it"
        )
    key = db.session.get(ReceiptKey, kid, with_for_update=True)
    if key is None:
        raise WithdrawalRefused(f"No receipt was ever made with a key {kid}")
    if key.withdrawn_at is not None:
        return False
    key.withdrawn_at = now
    at = now.isoformat(timespec="seconds")
    audit.record(WITHDRAWN, obj=key, actor_id=None, at=now, changes={"withdrawn_at": [None, at]})
    return True


def document(known: Iterable[Key]) -> dict[str, Any]:
    """Return what is published: a JSON Web Key Set with the days on which the keys came."""
    shared = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig"}
    return {
        "keys": [
            {
                **shared,
                "kid": key.kid,
                "x": key.x,
                "y": key.y,
                "since": key.since,
                "current": key.is_current,
                "withdrawn": key.withdrawn or None,
            }
            for key in known
        ]
    }


def read_document(text: str) -> list[Key]:
    """Return the keys of a published document. Raises: ValueError if it is none."""
    try:
        rows: list[Mapping[str, Any]] = json.loads(text)["keys"]
        found = [
            Key(
                str(row["kid"]),
                str(row["x"]),
                str(row["y"]),
                str(row.get("since") or ""),
                bool(row.get("current")),
                str(row.get("withdrawn") or ""),
            )
            for row in rows
        ]
        for key in found:
            key.public()
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as fault:
        raise ValueError("these are no keys of receipts") from fault
    return found


def judge(data: bytes, known: Iterable[Key]) -> tuple[State, Key | None]:
    """Return what the receipt of a file proves, and the key of that receipt if it is known."""
    if len(data) > LARGEST_BYTES:
        return State.NONE, None
    receipt = _line_of(data) or _inside_of(data)
    if receipt is None:
        if MARK in data or _INSIDE_DIGITS in data:
            return State.CHANGED, None  # something was added after the receipt, or beside it
        return (State.CERTIFIED if _CERTIFIED.search(data) else State.NONE), None
    key = next((each for each in known if each.kid == receipt.kid), None)
    if key is None:
        return State.OTHER, None
    halves = (int.from_bytes(receipt.signature[:HALF]), int.from_bytes(receipt.signature[HALF:]))
    try:
        key.public().verify(encode_dss_signature(*halves), receipt.content, _ALGORITHM)
    except InvalidSignature:
        return State.CHANGED, key
    if key.withdrawn:
        return State.WITHDRAWN, key
    return (State.GENUINE if key.is_current else State.FORMER), key


def _line_of(data: bytes) -> _Receipt | None:
    """Return the receipt that ends a file."""
    found = _LINE.search(data[-400:])
    if found is None:
        return None
    content = data[: len(data) - len(found[0])]
    return _Receipt(found[1].decode(), _decoded(found[2].decode()), content)


def _inside_of(data: bytes) -> _Receipt | None:
    """Return the receipt inside a certificate's signature; None if there are two."""
    found = list(islice(_INSIDE.finditer(data), 2))
    if len(found) != 1:
        return None
    (receipt,) = found
    kid, signature = receipt[1].decode().lower(), bytes.fromhex(receipt[2].decode())
    return _Receipt(kid, signature, _filled(data, receipt.start(2), bytes(2 * HALF)))


def _inside_signature(signed: bytes) -> bytes:
    """Return the signed PDF with the receipt in the room that its signature has for it."""
    place = signed.index(_INSIDE_DIGITS) + len(_INSIDE_DIGITS)
    named = _filled(signed, place, bytes.fromhex(_current_kid()))
    _kid, signature = _sign(named)
    return _filled(named, place + 2 * KID_BYTES, signature)


def _filled(data: bytes, place: int, value: bytes) -> bytes:
    """Return the bytes with the value's hexadecimal digits at a place."""
    digits = value.hex().upper().encode()
    return data[:place] + digits + data[place + len(digits) :]


def _sign(content: bytes) -> tuple[str, bytes]:
    """Return the name of the key that signs now, and its signature of the bytes."""
    halves = decode_dss_signature(crypto.signing_key().sign(content, _ALGORITHM))
    return _current_kid(), b"".join(half.to_bytes(HALF) for half in halves)


def _current_kid() -> str:
    return _named(crypto.signing_key().public_key())[0]


def _day(instant: datetime | None) -> str:
    return instant.date().isoformat() if instant is not None else ""


def _named(public: ec.EllipticCurvePublicKey) -> tuple[str, str, str]:
    """Return the key's name and its point."""
    numbers = public.public_numbers()
    x, y = (each.to_bytes(HALF) for each in (numbers.x, numbers.y))
    return hashlib.sha256(x + y).hexdigest()[:16], _encoded(x), _encoded(y)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
