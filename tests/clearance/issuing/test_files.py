"""Files of issued documents: made once, read with a check, signed where there is a key."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from flask import Flask
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.core.settings import BadSettings
from clearance.files import receipts, storage
from clearance.issuing import files as issued_files
from clearance.jobs import worker
from clearance.models import IssuedDocument
from clearance.models.enums import IssuedKind
from tests.support import files, issued_factories, races

NOW = datetime(2026, 3, 15, 7, 0, tzinfo=UTC)
PASSWORD = "Mursal-9"


def row_of(issued_id: int) -> IssuedDocument:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(IssuedDocument, issued_id)


def is_made(issued_id: int) -> bool:
    with own_transaction(write=False) as connection:
        key = sa.select(IssuedDocument.storage_key).where(IssuedDocument.id == issued_id)
        return connection.scalar(key) is not None


def sheet_of(issued_id: int) -> issued_files.Sheet:
    row = row_of(issued_id)
    sheet = issued_files.Sheet(row.kind, row.language, row.check_code, row.content, row.issued_at)
    db.session.rollback()
    return sheet


def new_document(kind: IssuedKind = IssuedKind.CERTIFICATE) -> int:
    """A committed row without a file; the transaction is over."""
    issued_id = issued_factories.make_issued(kind, now=NOW).id
    db.session.rollback()
    return issued_id


def test_the_job_makes_every_missing_file_and_then_nothing(context: Flask) -> None:
    ids = [new_document(kind) for kind in issued_factories.OF_LICENCES]
    assert issued_files.render_missing(NOW) == 3
    assert issued_files.render_missing(NOW) == 0
    for issued_id in ids:
        data = issued_files.file_of(issued_id)
        assert data.startswith(b"%PDF-")
        assert row_of(issued_id).sha256 == hashlib.sha256(data).hexdigest()
        db.session.rollback()


def test_the_first_reader_gets_the_file_that_everybody_gets(context: Flask) -> None:
    issued_id = new_document()
    first = issued_files.file_of(issued_id)
    assert issued_files.render_missing(NOW) == 0
    assert issued_files.file_of(issued_id) == first


@pytest.mark.databases
def test_however_many_make_it_at_once_there_is_one_file(app: Flask) -> None:
    with app.app_context():
        issued_id = new_document()
        before = set(storage.keys())
    results = races.race(
        app,
        20,
        lambda n: (
            issued_files.render_missing(NOW) if n % 2 else issued_files.file_of(issued_id)[:5]
        ),
        threads=20,
    )
    assert {result for result in results if not isinstance(result, int)} == {b"%PDF-"}
    assert sum(result for result in results if isinstance(result, int)) <= 1
    with app.app_context():
        assert set(storage.keys()) - before == {row_of(issued_id).storage_key}


def test_a_document_that_cannot_be_made_does_not_stop_the_others(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = new_document(IssuedKind.LETTER), new_document(IssuedKind.CARD)
    real = issued_files.issued_pdf

    def failing(sheet: Any, photo: bytes | None) -> bytes:
        if sheet.kind == IssuedKind.LETTER:
            raise RuntimeError("no such font")
        return real(sheet, photo)

    monkeypatch.setattr(issued_files, "issued_pdf", failing)
    assert issued_files.render_missing(NOW) == 1
    assert (row_of(bad).storage_key, row_of(good).sha256 is None) == (None, False)


def test_a_full_disk_leaves_the_row_waiting(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued_id = new_document()
    with monkeypatch.context() as patch:
        patch.setattr(
            storage, "put", lambda *given: (_ for _ in ()).throw(storage.StorageUnavailable)
        )
        with pytest.raises(storage.StorageUnavailable):
            issued_files.file_of(issued_id)
    assert issued_files.file_of(issued_id).startswith(b"%PDF-")


def test_changed_bytes_and_unknown_documents_are_not_given_out(context: Flask) -> None:
    issued_id = new_document()
    issued_files.file_of(issued_id)
    folder = Path(context.extensions["storage"].path)
    key = row_of(issued_id).storage_key
    db.session.rollback()
    assert key is not None
    (folder / key / "file").write_bytes(b"%PDF-1.7 slipped in")
    with pytest.raises(storage.DamagedFile):
        issued_files.file_of(issued_id)
    with pytest.raises(NotFound):
        issued_files.file_of(issued_id + 1)


def test_a_photo_that_is_gone_gives_a_card_with_a_silhouette(context: Flask) -> None:
    issued_id = new_document(IssuedKind.CARD)
    plain = issued_files.file_of(issued_id)
    other = row_of(new_document(IssuedKind.CARD))
    other.content = {**other.content, "photo": {"storage_key": "gone", "sha256": "0" * 64}}
    db.session.commit()
    data = issued_files.file_of(other.id)
    assert data.startswith(b"%PDF-")
    assert abs(len(data) - len(plain)) < 3000  # no picture in it


def test_a_commit_that_issued_something_wakes_the_printer(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[bool] = []
    monkeypatch.setattr(worker, "enqueue_pdf_rendering", lambda: woken.append(True))
    licence = issued_factories.make_licence()
    assert woken == []
    issued_factories.make_issued(IssuedKind.CARD, licence)
    assert woken == [True]
    db.session.rollback()
    context.extensions["jobs"].make_files()
    missing = sa.select(sa.func.count()).where(IssuedDocument.storage_key.is_(None))
    assert db.session.scalar(missing) == 0


def test_the_running_portal_makes_the_file_by_itself(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    with app.app_context():
        app.extensions["jobs"].start()
        try:
            issued_id = new_document()
            limit = time.monotonic() + 60
            while not is_made(issued_id) and time.monotonic() < limit:
                time.sleep(0.05)
        finally:
            app.extensions["jobs"].stop()
        assert is_made(issued_id)
        db.engine.dispose()


@pytest.fixture(scope="module")
def key() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """A key of an invented office, with its own word for it."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented Brokers Office")])
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "crl_sign"), False
    ) | {"encipher_only": False, "decipher_only": False}
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=30))
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=True, key_cert_sign=True, **usage
            ),
            critical=True,
        )
        .sign(private, hashes.SHA256())
    )
    return private, certificate


@pytest.fixture
def signing_app(
    make_app: Callable[..., Flask],
    key: tuple[rsa.RSAPrivateKey, x509.Certificate],
    tmp_path: Path,
) -> Flask:
    """An application whose office has a key."""
    private, certificate = key
    path = tmp_path / "office.p12"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"office",
            private,
            certificate,
            None,
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        )
    )
    return make_app(signing_key_file=str(path), signing_key_password=PASSWORD)


def judged(data: bytes, certificate: x509.Certificate) -> Any:
    """What pyHanko says of the one signature in a PDF, trusting that certificate."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    trusted = ValidationContext(trust_roots=[asn1_x509.Certificate.load(der)])
    (signature,) = PdfFileReader(io.BytesIO(data)).embedded_signatures
    return validate_pdf_signature(signature, trusted)


def off_loop(work: Callable[[], Any]) -> Any:
    """Do it in a thread of its own: the browser of an earlier test leaves this one's loop running.

    Signing and judging run a loop of theirs.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def file_by(app: Flask, issued_id: int) -> bytes:
    with app.app_context():
        return issued_files.file_of(issued_id)


def test_with_a_key_the_file_carries_a_valid_signature_after_the_same_bytes(
    context: Flask, signing_app: Flask, key: tuple[rsa.RSAPrivateKey, x509.Certificate]
) -> None:
    issued_id = new_document()
    plain = issued_files.issued_pdf(sheet_of(issued_id))
    signed, again = (off_loop(partial(file_by, signing_app, issued_id)) for _ in range(2))
    assert again == signed
    assert signed.startswith(plain)
    with signing_app.app_context():
        assert receipts.judge(signed, receipts.keys())[0] == receipts.State.GENUINE
    status = off_loop(partial(judged, signed, key[1]))
    assert (status.bottom_line, status.intact, status.coverage.name) == (
        *(True, True),
        "ENTIRE_FILE",
    )
    place = signed.index(b"/Producer") + 12
    changed = signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :]
    assert not off_loop(partial(judged, changed, key[1])).bottom_line


def openssl_takes(data: bytes, folder: Path) -> bool:
    """Whether OpenSSL verifies the CMS signature in a PDF, trusting `office.pem` in the folder."""
    found = re.search(rb"/ByteRange *\[ *(\d+) (\d+) (\d+) (\d+) *\]", data)
    assert found is not None
    start, length, after, rest = map(int, found.groups())
    assert after + rest == len(data)
    (folder / "cms").write_bytes(bytes.fromhex(data[start + length + 1 : after - 1].decode()))
    (folder / "content").write_bytes(data[start : start + length] + data[after:])
    command = "openssl cms -verify -binary -inform DER -in cms -content content -CAfile office.pem"
    verified = [*command.split(), "-purpose", "any", "-out", "/dev/null"]
    return subprocess.run(verified, cwd=folder, capture_output=True).returncode == 0


def poppler_takes(data: bytes, folder: Path) -> bool:
    """Whether Poppler, as many PDF readers, finds the signature valid and over the whole file."""
    (folder / "signed.pdf").write_bytes(data)
    said = subprocess.run(["pdfsig", "signed.pdf"], cwd=folder, capture_output=True, text=True)
    wanted = ("Signature is Valid.", "Total document signed")
    return said.returncode == 0 and all(words in said.stdout for words in wanted)


@pytest.mark.parametrize(
    ("tool", "takes"),
    [("openssl", openssl_takes), ("pdfsig", poppler_takes)],
    ids=["openssl", "poppler"],
)
def test_other_programs_take_the_signature_with_the_receipt_inside(
    context: Flask,
    signing_app: Flask,
    key: tuple[rsa.RSAPrivateKey, x509.Certificate],
    tmp_path: Path,
    tool: str,
    takes: Callable[[bytes, Path], bool],
) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    (tmp_path / "office.pem").write_bytes(key[1].public_bytes(serialization.Encoding.PEM))
    signed = off_loop(partial(file_by, signing_app, new_document()))
    assert receipts.INSIDE.hex().upper().encode() in signed
    assert takes(signed, tmp_path)
    place = signed.index(b"/Producer") + 12
    assert not takes(signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :], tmp_path)


def test_the_receipt_of_a_certified_file_finds_every_flipped_byte_and_what_is_added(
    context: Flask, signing_app: Flask
) -> None:
    issued_id = new_document()
    signed = off_loop(partial(file_by, signing_app, issued_id))
    receipt = signed.index(receipts.INSIDE.hex().upper().encode())
    places = {*range(0, len(signed), 997), *range(receipt, receipt + 190), len(signed) - 1}
    with signing_app.app_context():
        known = receipts.keys()
        for place in places:
            changed = signed[:place] + bytes([signed[place] ^ 32]) + signed[place + 1 :]
            state, _key = receipts.judge(changed, known)
            assert state not in {receipts.State.GENUINE, receipts.State.FORMER}, place
        for changed in (signed + b"\n", signed + signed, b"%" + signed):
            assert receipts.judge(changed, known)[0] == receipts.State.CHANGED
        copied = files.pdf() + signed[receipt - 200 : receipt + 200]
        assert receipts.judge(copied, known)[0] == receipts.State.CHANGED


def test_a_key_and_its_certificate_may_be_two_files(
    context: Flask,
    make_app: Callable[..., Flask],
    key: tuple[rsa.RSAPrivateKey, x509.Certificate],
    tmp_path: Path,
) -> None:
    paths = {"signing_key_file": "key.pem", "signing_cert_file": "certificate.pem"}
    given = {name: str(tmp_path / file) for name, file in paths.items()}
    Path(given["signing_key_file"]).write_bytes(
        key[0].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        )
    )
    Path(given["signing_cert_file"]).write_bytes(key[1].public_bytes(serialization.Encoding.PEM))
    issued_id = new_document()
    signing = make_app(**given, signing_key_password=PASSWORD)
    signed = off_loop(partial(file_by, signing, issued_id))
    assert off_loop(partial(judged, signed, key[1])).bottom_line


def test_without_a_certificate_the_file_is_what_was_set_and_its_receipt(context: Flask) -> None:
    issued_id = new_document()
    pdf = issued_files.issued_pdf(sheet_of(issued_id))
    assert issued_files.file_of(issued_id) == receipts.with_receipt(pdf)


def test_a_key_that_cannot_be_used_stops_the_start(
    make_app: Callable[..., Flask], signing_app: Flask, tmp_path: Path
) -> None:
    path = str(tmp_path / "office.p12")
    for given in (
        {"signing_key_file": path, "signing_key_password": "wrong"},
        {"signing_key_file": str(tmp_path / "missing.p12")},
        {"signing_key_file": str(tmp_path / "key.pem")},
        {"signing_cert_file": path},
    ):
        with pytest.raises(BadSettings):
            make_app(**given)
