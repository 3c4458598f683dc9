"""The check of receipts in the browser: on the portal's page and on its saved copy, offline."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.extensions import db
from clearance.files import receipts
from tests.support import files

TITLES = {
    "ar": {
        "genuine": "هذا الملف أصلي",
        "changed": "غُيِّر هذا الملف",
        "other": "هذا الملف ليس من هذه البوابة",
        "none": "لا يحمل هذا الملف إيصالاً",
        "withdrawn": "لم يعد هذا الإيصال يثبت شيئاً",
    },
    "en": {
        "genuine": "This file is genuine",
        "changed": "This file was changed",
        "other": "This file is not from this portal",
        "none": "This file has no receipt",
        "withdrawn": "This receipt no longer proves anything",
    },
}


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The portal's pages without a demo world, which no receipt needs."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def kinds_of(issued: bytes, certified: bytes, withdrawn: bytes) -> list[tuple[str, bytes]]:
    """What each outcome is shown for."""
    line = issued.rindex(b"kid=") + 4
    return [
        ("genuine", issued),
        ("changed", flipped(issued, len(issued) // 2)),
        ("changed", flipped(issued, len(issued) - 2, 2)),
        ("other", issued[:line] + b"0123456789abcdef" + issued[line + 16 :]),
        ("none", issued[: issued.rindex(receipts.MARK)]),
        ("genuine", certified),
        ("changed", flipped(certified, 100)),
        ("changed", certified + certified),
        ("withdrawn", withdrawn),
    ]


def flipped(data: bytes, place: int, bit: int = 1) -> bytes:
    return data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


def certified_pdf() -> bytes:
    """A file with its receipt where a certificate's signature has it."""
    room = (receipts.INSIDE + bytes(8 + 64)).hex().upper().encode()
    return receipts._inside_signature(files.pdf() + b"<" + room + b">")


def withdrawn_pdf(make_app: Callable[..., Flask]) -> bytes:
    """A file with a receipt by a key that the application withdrew."""
    with make_app(secret_key="another-secret-" + "1" * 32).app_context():
        issued = receipts.with_receipt(files.pdf())
        with own_transaction() as connection:
            receipts.publish_key(connection, utc_now())
        kid = receipts.keys()[0].kid
    with make_app().app_context():
        receipts.withdraw(kid, utc_now())
        db.session.commit()
    return issued


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_file_is_judged_on_the_page_and_on_its_saved_copy_without_a_network(
    app: Flask, chromium: Browser, tmp_path: Path, lang: str, make_app: Callable[..., Flask]
) -> None:
    withdrawn = withdrawn_pdf(make_app)
    with app.app_context():
        kinds = kinds_of(receipts.with_receipt(files.pdf()), certified_pdf(), withdrawn)
    client = app.test_client()
    client.set_cookie("lang", lang)
    copy = tmp_path / "receipts.html"
    copy.write_bytes(client.get("/receipt/offline").data)
    with served(app) as url, chromium.new_context(viewport={"width": 390, "height": 844}) as phone:
        phone.add_cookies([{"name": "lang", "value": lang, "url": url}])
        page = phone.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        for address in (f"{url}/receipt", copy.as_uri()):
            page.goto(address)
            page.locator("[data-receipt-form]").wait_for()
            phone.set_offline(True)
            for kind, content in kinds:
                chosen = tmp_path / f"{kind}.pdf"
                chosen.write_bytes(content)
                page.locator("input[type=file]").set_input_files(chosen)
                expect(page.locator("[data-receipt-result]")).to_contain_text(TITLES[lang][kind])
            question = page.locator("[data-receipt-ask]").last
            digest = hashlib.sha256(withdrawn).hexdigest()
            expect(question).to_have_attribute("href", re.compile(f"/receipt/{digest}$"))
            phone.set_offline(False)
        assert errors == []
