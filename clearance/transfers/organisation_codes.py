"""The code by which an organisation without a licence number lets another one name it.

It is told by its general user to whom he chooses; nobody can make it up, so nothing is looked up.
"""

from __future__ import annotations

import re

from clearance.core import crypto

_PURPOSE = "transfer-code"
_LENGTH = 12  # 48 bits
_CODE = re.compile(rf"ORG-([1-9][0-9]{{0,8}})-([0-9A-F]{{{_LENGTH}}})")


def code_of(organisation_id: int) -> str:
    """The organisation's code, such as ORG-7-0A1B2C3D4E5F."""
    proof = crypto.keyed_hash(str(organisation_id), _PURPOSE)[:_LENGTH].upper()
    return f"ORG-{organisation_id}-{proof}"


def read(code: str) -> int | None:
    """The organisation whose code that is, in capitals as `code_of` writes it; None for any other.

    Codes under an earlier secret of the portal are known as long as that secret is.
    """
    found = _CODE.fullmatch(code)
    if found is None:
        return None
    is_right = crypto.matches(found[1], found[2].lower(), _PURPOSE, length=_LENGTH)
    return int(found[1]) if is_right else None
