"""Receipts in issued PDFs: a signature that anybody can check without the portal.

The last line of the file is a PDF comment with the key's name and an ECDSA signature (P-256,
SHA-256) over every byte before it. The key is derived from SECRET_KEY; its public half is kept in
the database for good and published, so that receipts outlive a change of the secret.
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
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from clearance.core import crypto
from clearance.core.conditional_writes import insert_into
from clearance.core.extensions import db
from clearance.models import ReceiptKey

ADDRESS = "/.well-known/clearance-receipts.json"
MARK = b"%clearance-receipt v1 "
HALF = 32  # bytes of each half of a signature, and of each coordinate of a point
_LINE = re.compile(MARK + rb"kid=([0-9a-f]{16}) sig=([A-Za-z0-9_-]{86})\n\Z")
_CERTIFIED = re.compile(rb"/SubFilter\s*/(?:ETSI\.CAdES|adbe\.pkcs7)\.detached")
_ALGORITHM = ec.ECDSA(SHA256(), deterministic_signing=True)


class State(StrEnum):
    """What a file's receipt proves."""

    GENUINE = "genuine"
    FORMER = "former"  # genuine, by a key that the portal no longer signs with
    CHANGED = "changed"
    OTHER = "other"
    NONE = "none"
    CERTIFIED = "certified"  # signed with the office's certificate instead


@dataclass(frozen=True)
class Key:
    """A public key that may have signed. x, y: base64url. is_current: it signs now."""

    kid: str
    x: str
    y: str
    since: str
    is_current: bool

    def public(self) -> ec.EllipticCurvePublicKey:
        """Return the key for verifying. Raises: ValueError if it is no point of the curve."""
        x, y = (int.from_bytes(_decoded(each)) for each in (self.x, self.y))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def with_receipt(pdf: bytes) -> bytes:
    """Return the PDF with its receipt at the end."""
    key = crypto.signing_key()
    content = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    halves = decode_dss_signature(key.sign(content, _ALGORITHM))
    signature = _encoded(b"".join(half.to_bytes(HALF) for half in halves))
    kid, _x, _y = _named(key.public_key())
    return content + MARK + f"kid={kid} sig={signature}\n".encode()


def publish_key(connection: sa.Connection, now: datetime) -> None:
    """Keep the public half of the key that signs now, once."""
    kid, x, y = _named(crypto.signing_key().public_key())
    row = {"kid": kid, "x": x, "y": y, "since": now}
    insert = insert_into(ReceiptKey, connection.dialect.name)
    connection.execute(insert.on_conflict_do_nothing(index_elements=["kid"]), row)


def keys() -> list[Key]:
    """Return every key that signed, and the one that signs now, the newest first."""
    current, x, y = _named(crypto.signing_key().public_key())
    rows = db.session.execute(
        sa.select(ReceiptKey.kid, ReceiptKey.x, ReceiptKey.y, ReceiptKey.since).order_by(
            ReceiptKey.since.desc(), ReceiptKey.kid
        )
    ).all()
    found = [
        Key(row.kid, row.x, row.y, row.since.date().isoformat(), row.kid == current) for row in rows
    ]
    return found if any(key.is_current for key in found) else [Key(current, x, y, "", True), *found]


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
            }
            for key in known
        ]
    }


def read_document(text: str) -> list[Key]:
    """Return the keys of a published document. Raises: ValueError if it is none."""
    try:
        rows: list[Mapping[str, Any]] = json.loads(text)["keys"]
        return [
            Key(row["kid"], row["x"], row["y"], row.get("since", ""), bool(row.get("current")))
            for row in rows
        ]
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError("these are no keys of receipts") from fault


def judge(data: bytes, known: Iterable[Key]) -> tuple[State, Key | None]:
    """Return what the receipt of a file proves, and the key that proves it, if any."""
    line = _LINE.search(data[-400:])
    if line is None:
        if MARK in data:
            return State.CHANGED, None  # something was added after the receipt
        return (State.CERTIFIED if _CERTIFIED.search(data) else State.NONE), None
    key = next((each for each in known if each.kid == line[1].decode()), None)
    if key is None:
        return State.OTHER, None
    signature = _decoded(line[2].decode())
    halves = (int.from_bytes(signature[:HALF]), int.from_bytes(signature[HALF:]))
    content = data[: len(data) - len(line[0])]
    try:
        key.public().verify(encode_dss_signature(*halves), content, _ALGORITHM)
    except InvalidSignature:
        return State.CHANGED, key
    return (State.GENUINE if key.is_current else State.FORMER), key


def _named(public: ec.EllipticCurvePublicKey) -> tuple[str, str, str]:
    """Return the key's name and its point."""
    numbers = public.public_numbers()
    x, y = (each.to_bytes(HALF) for each in (numbers.x, numbers.y))
    return hashlib.sha256(x + y).hexdigest()[:16], _encoded(x), _encoded(y)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
