"""The manifest of an entry: what is in it, signed under SECRET_KEY."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from clearance.backups.errors import BackupError
from clearance.core import crypto

_PURPOSE = "backup manifest"


@dataclass(frozen=True)
class Manifest:
    """What an entry holds, and what the restored portal is compared with.

    made_at: ISO, UTC; everything committed before it is in the entry. release: of the portal.
    database: sqlite or postgresql. revision: of the schema. rows: table → number. position, hash:
    of the highest seal of the trail. database_sha256: of the database's bytes in their order.
    files, bytes: number and size of stored files. files_sha256: of their descriptions in their
    order, each with its own hash. keys: fingerprints of the secrets that open what is encrypted in
    the data (second factors, messages with codes).
    """

    made_at: str
    release: str
    database: str
    revision: str
    rows: Mapping[str, int]
    position: int
    hash: str
    database_sha256: str
    files: int
    bytes: int
    files_sha256: str
    keys: tuple[str, ...]

    def signed(self) -> dict[str, Any]:
        """Return it with its signature, as the last part's description."""
        content = asdict(self)
        return {**content, "signature": crypto.keyed_hash(_text(content), _PURPOSE)}


def read(content: Mapping[str, Any]) -> Manifest:
    """Read what `signed` returned. Raises: BackupError if it was changed, or its key is gone."""
    fields = {name: value for name, value in content.items() if name not in {"signature", "part"}}
    signature = str(content.get("signature"))
    if not signature.isascii() or not crypto.matches(_text(fields), signature, _PURPOSE):
        raise BackupError("The manifest was not signed with a SECRET_KEY that the portal has.")
    try:
        return Manifest(**{**fields, "keys": tuple(fields["keys"])})
    except (KeyError, TypeError):
        raise BackupError(
            "The backup is of another release: its manifest has other fields."
        ) from None


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True)
