"""The check of receipts in the browser: on the portal's page and on its saved copy, offline."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from clearance.files import receipts
from tests.support import files

TITLES = {
    "ar": {
        "genuine": "هذا الملف أصلي",
        "changed": "غُيِّر هذا الملف",
        "other": "هذا الملف ليس من هذه البوابة",
        "none": "لا يحمل هذا الملف إيصالاً",
    },
    "en": {
        "genuine": "This file is genuine",
        "changed": "This file was changed",
        "other": "This file is not from this portal",
        "none": "This file has no receipt",
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


def kinds_of(issued: bytes) -> dict[str, bytes]:
    """What each outcome is shown for."""
    flipped = bytearray(issued)
    flipped[len(issued) // 2] ^= 1
    line = issued.rindex(b"kid=") + 4
    return {
        "genuine": issued,
        "changed": bytes(flipped),
        "other": issued[:line] + b"0123456789abcdef" + issued[line + 16 :],
        "none": issued[: issued.rindex(receipts.MARK)],
    }


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_file_is_judged_on_the_page_and_on_its_saved_copy_without_a_network(
    app: Flask, chromium: Browser, tmp_path: Path, lang: str
) -> None:
    with app.app_context():
        kinds = kinds_of(receipts.with_receipt(files.pdf()))
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
            for kind, content in kinds.items():
                chosen = tmp_path / f"{kind}.pdf"
                chosen.write_bytes(content)
                page.locator("input[type=file]").set_input_files(chosen)
                expect(page.locator("[data-receipt-result]")).to_contain_text(TITLES[lang][kind])
            phone.set_offline(False)
        assert errors == []
