"""Keyed hashes and text encryption under the portal's secret key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from clearance.core.settings import Settings

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def keyed_hash(text: str, purpose: str) -> str:
    """Return the hash of `text` under the portal's secret, 64 hexadecimal characters.

    purpose: keeps the hashes of different uses apart. For short secrets (codes), whose plain hash
    could be reversed by brute force.
    """
    return _keyed(_secrets()[0], text, purpose)


def matches(text: str, digest: str, purpose: str, *, length: int = 64) -> bool:
    """Return whether `digest` is the keyed hash of `text` under the current or an earlier secret.

    length: of `digest`, in characters. Takes as long for a wrong text as for a right one.
    """
    found = False
    for secret in _secrets():
        found |= hmac.compare_digest(_keyed(secret, text, purpose)[:length], digest)
    return found


def token_hash(token: str) -> str:
    """Return the hash stored for a long random token (no key is needed)."""
    return hashlib.sha256(token.encode()).hexdigest()


def encrypt(text: str) -> str:
    """Return `text` encrypted and authenticated under the portal's secret; URL-safe characters."""
    return _box(_secrets()).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return the text that `encrypt` made `token` from, under the current or an earlier secret.

    Raises: ValueError when it was altered, or encrypted under a secret no longer configured.
    """
    try:
        return _box(_secrets()).decrypt(token.encode()).decode()
    except InvalidToken:
        raise ValueError("this was not sealed by the portal's secret") from None


def opened_by(token: str) -> str | None:
    """Return the fingerprint of the secret that `encrypt` made `token` under; None if unknown."""
    for secret in _secrets():
        try:
            _box((secret,)).decrypt(token.encode())
        except InvalidToken:
            continue
        return fingerprint(secret)
    return None


def fingerprint(secret: str) -> str:
    """Return 16 hexadecimal characters that tell secrets apart and do not reveal them."""
    return derived(secret, "fingerprint")[:8].hex()


def signing_key() -> ec.EllipticCurvePrivateKey:
    """Return the key that signs receipts, derived from the current secret."""
    return _signing_key(_secrets()[0])


def _secrets() -> tuple[str, ...]:
    settings: Settings = current_app.extensions["settings"]
    return (settings.secret_key, *settings.secret_key_fallbacks)


@lru_cache(maxsize=64)
def derived(secret: str, purpose: str, salt: bytes | None = None) -> bytes:
    """Return a key of 32 bytes for one purpose, made from a secret."""
    kdf = HKDF(algorithm=SHA256(), length=32, salt=salt, info=f"clearance:{purpose}".encode())
    return kdf.derive(secret.encode())


def _keyed(secret: str, text: str, purpose: str) -> str:
    return hmac.new(derived(secret, purpose), text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=8)
def _signing_key(secret: str) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(derived(secret, "receipt"))
    return ec.derive_private_key(number % (_P256_ORDER - 1) + 1, ec.SECP256R1())


@lru_cache(maxsize=8)
def _box(secrets: tuple[str, ...]) -> MultiFernet:
    keys = [base64.urlsafe_b64encode(derived(secret, "seal")) for secret in secrets]
    return MultiFernet([Fernet(key) for key in keys])
