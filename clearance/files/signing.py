"""The office's electronic signature in issued PDFs, if a key is configured."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

from flask import Flask, current_app

from clearance.core.settings import BadSettings, Settings

FIELD = "Office"
PKCS12_ENDINGS = (".p12", ".pfx")


def init_app(app: Flask) -> None:
    """Load the configured key, if any. Raises BadSettings if it is unusable."""
    settings: Settings = app.extensions["settings"]
    app.extensions["signer"] = _signer(settings) if settings.signing_key_file else None


def has_key() -> bool:
    """Return whether the office's key is configured."""
    return current_app.extensions["signer"] is not None


def signed(pdf: bytes, note: bytes) -> bytes:
    """Return the PDF with the office's PAdES signature appended, which covers it to its last byte.

    note: kept in an unsigned attribute of the signature, so it may be replaced in the file by one
    of the same length. Call it only if `has_key`.
    """
    # Imported only when needed: pyHanko takes most of a second to load.
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import PdfSignatureMetadata, PdfSigner
    from pyhanko.sign.fields import SigSeedSubFilter

    # Loading pyHanko takes most of a second, and so does this, which has subclasses of its own.
    from clearance.files.signature_note import Note

    signer = copy.copy(current_app.extensions["signer"])
    signer.unsigned_attr_prov_spec = Note(note)
    about = PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
    )
    result = PdfSigner(about, signer=signer).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))
    return bytes(result.getvalue())


def _signer(settings: Settings) -> Any:
    # Imported only when needed: pyHanko takes most of a second to load.
    from pyhanko.sign.signers import SimpleSigner

    password = settings.signing_key_password.encode() or None
    key, certificate = settings.signing_key_file, settings.signing_cert_file
    for name in filter(None, (key, certificate)):
        if not Path(name).is_file():
            raise BadSettings(f"SIGNING_KEY_FILE or SIGNING_CERT_FILE: {name} is not there.")
    if key.lower().endswith(PKCS12_ENDINGS):
        chain = [certificate] if certificate else None
        signer = SimpleSigner.load_pkcs12(key, ca_chain_files=chain, passphrase=password)
    elif certificate:
        signer = SimpleSigner.load(key, certificate, key_passphrase=password)
    else:
        raise BadSettings("SIGNING_CERT_FILE is missing: SIGNING_KEY_FILE is not PKCS#12.")
    if signer is None:
        raise BadSettings("SIGNING_KEY_FILE cannot be read with SIGNING_KEY_PASSWORD.")
    return signer
