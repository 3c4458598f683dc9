"""Bytes of ours in a PDF's signature, as an attribute that its certificate does not sign.

Imported only where a file is signed: pyHanko takes most of a second to load.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asn1crypto.core import OctetString
from pyhanko.sign.attributes import CMSAttributeProvider, UnsignedAttributeProviderSpec

# An identifier made of a random UUID needs no registration (ITU-T X.667).
OID = "2.25.251706736488258617873246140722989714147"


class Note(UnsignedAttributeProviderSpec):
    """Adds one attribute with the bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def unsigned_attr_providers(self, *_args: Any, **_more: Any) -> Iterator[CMSAttributeProvider]:
        """Yield the one attribute."""
        yield _Attribute(self._content)


class _Attribute(CMSAttributeProvider):
    attribute_type = OID

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def build_attr_value(self, dry_run: bool = False) -> OctetString:
        return OctetString(self._content)
