"""An entry's bytes as frames: encrypted or signed one by one, so that every change is found.

A frame is its length (4 bytes) and what the cipher made of up to FRAME_BYTES. The nonce counts the
frames and marks the last one, so that frames that were removed, repeated, reordered or cut off do
not open. The header before them, which says which key is needed, is authenticated with each frame.
With `BACKUP_KEY` the cipher is AES-256-GCM, without it the bytes are plain and carry an HMAC under
`SECRET_KEY`. The key is derived anew for every entry, from a random salt.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

from clearance.backups.errors import BackupError
from clearance.core import crypto
from clearance.core.settings import Settings

MAGIC = b"CLEARANCE-BACKUP 1\n"
FRAME_BYTES = 1024 * 1024
_HEADER_BYTES = 4096
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_TAG_BYTES = 64  # at most, of either cipher
_DAMAGED = "The backup is damaged: part {number} was changed, moved or cut off."


@dataclass(frozen=True)
class Keys:
    """The operator's keys. backup_key: "" to sign without encrypting; secrets: newest first."""

    backup_key: str
    secrets: tuple[str, ...]

    @classmethod
    def configured(cls) -> Keys:
        """Return the application's."""
        settings: Settings = current_app.extensions["settings"]
        return cls(settings.backup_key, (settings.secret_key, *settings.secret_key_fallbacks))


@dataclass(frozen=True)
class Header:
    """What is readable without a key. key: fingerprint of the one that opens the frames."""

    is_encrypted: bool
    key: str
    salt: str

    def written(self) -> bytes:
        """Return it as a line of JSON after the magic line."""
        return MAGIC + json.dumps(asdict(self)).encode() + b"\n"


class _Cipher(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes: ...


class _Signed:
    """The interface of AESGCM, which leaves the bytes readable and signs them."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
        return data + self._tag(nonce, data, associated)

    def decrypt(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
        content, tag = data[:-32], data[-32:]
        if not hmac.compare_digest(tag, self._tag(nonce, content, associated)):
            raise InvalidTag
        return content

    def _tag(self, nonce: bytes, data: bytes, associated: bytes) -> bytes:
        tag = hmac.new(self._key, nonce + associated, hashlib.sha256)
        tag.update(data)
        return tag.digest()


class FrameWriter:
    """Writes an entry to a stream. Call `close` once all is written: it makes the last frame."""

    def __init__(self, out: BinaryIO, keys: Keys) -> None:
        secret = keys.backup_key or keys.secrets[0]
        header = Header(bool(keys.backup_key), crypto.fingerprint(secret), secrets.token_hex(16))
        self._out, self._pending, self._number = out, bytearray(), 0
        self._cipher = _cipher(header, secret)
        self._associated = header.written()
        out.write(self._associated)

    def write(self, data: bytes) -> None:
        """Add bytes of any length."""
        self._pending += data
        while len(self._pending) > FRAME_BYTES:
            self._emit(bytes(self._pending[:FRAME_BYTES]))
            del self._pending[:FRAME_BYTES]

    def close(self) -> None:
        """Write the rest as the last frame."""
        self._emit(bytes(self._pending), is_last=True)

    def _emit(self, data: bytes, *, is_last: bool = False) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, is_last), data, self._associated)
        self._out.write(len(sealed).to_bytes(4, "big"))
        self._out.write(sealed)
        self._number += 1


class FrameReader:
    """Reads an entry from a stream; nothing is returned before its frame is found genuine.

    Raises: BackupError at the first fault, and at once for something else or a key not given.
    """

    def __init__(self, stream: BinaryIO, keys: Keys) -> None:
        self._stream, self._number = stream, 0
        self._content, self._place, self._is_over = b"", 0, False
        self._header, self._associated = _read_header(stream)
        self._cipher = _cipher(self._header, _secret_for(self._header, keys))

    def read(self, count: int) -> bytes:
        """Return exactly `count` bytes. Raises: BackupError, also at the end."""
        parts = []
        while count:
            if self._place == len(self._content):
                self._next()
            part = self._content[self._place : self._place + count]
            self._place += len(part)
            count -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self) -> None:
        """Make sure that nothing follows. Raises: BackupError."""
        if self._place < len(self._content) or not self._is_over or self._stream.read(1):
            raise BackupError(_DAMAGED.format(number=self._number))

    def _next(self) -> None:
        damaged = BackupError(_DAMAGED.format(number=self._number + 1))
        length = int.from_bytes(_exactly(self._stream, 4, damaged), "big")
        if self._is_over or length > FRAME_BYTES + _TAG_BYTES:
            raise damaged
        sealed = _exactly(self._stream, length, damaged)
        for is_last in (False, True):
            try:
                nonce = _nonce(self._number, is_last)
                self._content = self._cipher.decrypt(nonce, sealed, self._associated)
            except InvalidTag:
                continue
            self._place, self._is_over = 0, is_last
            self._number += 1
            if self._content:
                return
            break
        raise damaged


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _cipher(header: Header, secret: str) -> _Cipher:
    key = crypto.derived(secret, "backup", bytes.fromhex(header.salt))
    return AESGCM(key) if header.is_encrypted else _Signed(key)


def _read_header(stream: BinaryIO) -> tuple[Header, bytes]:
    if stream.read(len(MAGIC)) != MAGIC:
        raise BackupError("This is no backup of the portal, or one of a later release.")
    line = stream.readline(_HEADER_BYTES)
    try:
        header = Header(**json.loads(line))
        if not _FINGERPRINT.fullmatch(header.key):  # it is printed before anything is proven
            raise ValueError("no fingerprint")
        bytes.fromhex(header.salt)
    except (TypeError, ValueError, RecursionError):
        raise BackupError("The backup is damaged: its first lines were changed.") from None
    return header, MAGIC + line


def _secret_for(header: Header, keys: Keys) -> str:
    if not header.is_encrypted:
        named, known = "SECRET_KEY", keys.secrets
    elif keys.backup_key:
        named, known = "BACKUP_KEY", (keys.backup_key,)
    else:
        raise BackupError("The backup is encrypted: set BACKUP_KEY.")
    return _of_fingerprint(header.key, named, known)


def _of_fingerprint(wanted: str, named: str, known: Iterable[str]) -> str:
    for secret in known:
        if crypto.fingerprint(secret) == wanted:
            return secret
    raise BackupError(f"{named} is not the key that this backup was made with (key {wanted}).")


def _exactly(stream: BinaryIO, count: int, damaged: BackupError) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise damaged
    return found
