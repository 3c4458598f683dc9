"""Documents of a request: adding with and without scripts, what is refused, names, removing."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth import rate_limits
from clearance.core.extensions import db
from clearance.files import file_inspection, previews
from clearance.models import Document, Request
from clearance.requests import attachments
from tests.admin_views.my.conftest import People
from tests.support import files, request_factories
from tests.support.pages import Page, PageClient, form_data

FORM = "#request-form"


def kept(app: Flask) -> list[Document]:
    with app.app_context():
        return list(db.session.scalars(sa.select(Document).order_by(Document.id)))


def by_script(client: PageClient, req: Request, data: bytes, name: str, **values: Any) -> Any:
    posted = {
        "csrf_token": client.csrf_token(),
        "files": (io.BytesIO(data), name),
        "kind": "photo",
        "label": "",
        **values,
    }
    return client.http.post(
        f"/my/requests/{req.id}/documents",
        data=posted,
        content_type="multipart/form-data",
        headers={"Accept": "application/json"},
    )


def by_page(client: PageClient, page: Page, *chosen: tuple[bytes, str], **values: Any) -> Page:
    """Upload without scripts: the button sends the request's form along."""
    from tests.support.pages import form_data

    button = page.soup.select_one("button[formaction$='/documents']")
    data = form_data(page.form(FORM)) | {"kind": "photo", "label": ""} | values
    data["files"] = [(io.BytesIO(content), name) for content, name in chosen]
    response = client.http.post(
        button["formaction"],
        data=data,
        content_type="multipart/form-data",
        follow_redirects=True,
    )
    return Page(response, response.request.path).check()


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        (files.png(), "photo.png", "image/png"),
        (files.jpeg(), "صورة شخصية.jpg", "image/jpeg"),
        (files.pdf(), "scan.pdf", "application/pdf"),
    ],
)
def test_a_script_adds_a_file_and_gets_its_row(
    app: Flask, mine: PageClient, empty_draft: Request, data: bytes, name: str, media_type: str
) -> None:
    answer = by_script(mine, empty_draft, data, name, label="صورتي", kind="civil_id_copy")
    (document,) = kept(app)
    body = answer.get_json()
    assert f"document-{document.id}" in body["row_html"]
    assert "صورتي" in body["row_html"]
    assert "is-done" in body["parts"]["documents-wanted"]
    assert (document.label, document.media_type) == ("صورتي", media_type)
    assert "version" not in body, "its form would pass over what a colleague saved meanwhile"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"MZ program", "photo.png"),
        (b"", "photo.png"),
        (files.png(), "photo.exe"),
        (files.truncated(files.png()), "photo.png"),
        (files.pdf_with_javascript(), "scan.pdf"),
        (b"<svg onload=alert(1)>", "photo.svg"),
    ],
)
def test_a_bad_file_is_told_and_leaves_nothing(
    app: Flask, mine: PageClient, empty_draft: Request, data: bytes, name: str
) -> None:
    answer = by_script(mine, empty_draft, data, name)
    assert answer.status_code == 400
    assert name in answer.get_json()["error"]
    assert kept(app) == []


def test_a_name_that_turns_the_text_round_is_shown_harmless(
    app: Flask, mine: PageClient, empty_draft: Request
) -> None:
    answer = by_script(mine, empty_draft, files.png(), "photo\u202egnp.png")
    assert "\u202e" not in answer.get_data(as_text=True)
    assert all("\u202e" not in document.label for document in kept(app))


@pytest.mark.parametrize("kind", ["", "nothing", "passport_copy"])
def test_a_kind_the_service_does_not_take_is_refused(
    app: Flask, mine: PageClient, empty_draft: Request, kind: str
) -> None:
    assert by_script(mine, empty_draft, files.png(), "photo.png", kind=kind).status_code == 400
    assert kept(app) == []


def test_without_scripts_an_upload_keeps_what_was_typed(
    app: Flask, mine: PageClient, empty_draft: Request
) -> None:
    page = mine.get(f"/my/requests/{empty_draft.id}/form")
    page = by_page(mine, page, (files.png(), "a.png"), (files.jpeg(), "b.jpg"), address="المنقف")
    assert "2 files were added." in page.text
    assert {document.label for document in kept(app)} == {"a.png", "b.jpg"} or len(kept(app)) == 2
    with app.app_context():
        assert db.session.get_one(Request, empty_draft.id).address == "المنقف"


def test_without_scripts_a_bad_file_beside_a_good_one_is_told(
    app: Flask, mine: PageClient, empty_draft: Request
) -> None:
    page = mine.get(f"/my/requests/{empty_draft.id}/form")
    page = by_page(mine, page, (files.png(), "a.png"), (b"MZ", "b.png"), civil_id="12")
    assert "b.png" in page.soup.select_one(".flashes").get_text()
    assert page.error_of("civil_id")
    assert len(kept(app)) == 1


def test_without_scripts_pressing_upload_without_a_file_says_so(
    app: Flask, mine: PageClient, empty_draft: Request
) -> None:
    page = by_page(mine, mine.get(f"/my/requests/{empty_draft.id}/form"))
    assert "Choose a file first." in page.text


def test_a_file_chosen_but_not_uploaded_goes_with_the_form(
    app: Flask, mine: PageClient, empty_draft: Request
) -> None:
    page = mine.get(f"/my/requests/{empty_draft.id}/form")
    values = {"files": (io.BytesIO(files.png()), "late.png"), "kind": "photo"}
    page = mine.submit(page, values, form=FORM, press="submit=save")
    assert [document.kind for document in kept(app)] == ["photo"]


def test_a_document_is_renamed_and_removed(
    app: Flask, mine: PageClient, empty_draft: Request
) -> None:
    by_script(mine, empty_draft, files.png(), "photo.png")
    (document,) = kept(app)
    page = mine.get(f"/my/requests/{empty_draft.id}/form")
    rename = page.soup.select_one("button[formaction$='/rename']")["formaction"]
    mine.post(rename, {f"document-{document.id}-label": "الصورة الشخصية"})
    assert kept(app)[0].label == "الصورة الشخصية"
    remove = page.soup.select_one("button[formaction$='/remove']")["formaction"]
    page = mine.post(remove, {})
    assert "The document was removed." in page.text
    assert kept(app) == []


def test_removing_a_document_keeps_what_was_typed_wrongly_beside_it(
    app: Flask, mine: PageClient, empty_draft: Request
) -> None:
    by_script(mine, empty_draft, files.png(), "photo.png")
    page = mine.get(f"/my/requests/{empty_draft.id}/form")
    remove = page.soup.select_one("button[formaction$='/remove']")["formaction"]
    page = mine.post(remove, form_data(page.form(FORM)) | {"civil_id": "12"})
    assert "The document was removed." in page.text
    assert page.soup.find(attrs={"name": "civil_id"})["value"] == "12"
    assert page.error_of("civil_id")
    assert kept(app) == []


@pytest.mark.parametrize("way", ["documents", "form"])
def test_files_for_what_is_not_ones_own_are_neither_counted_nor_judged(
    empty_draft: Request,
    people: People,
    browser: Callable[..., PageClient],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    judged: list[str] = []
    monkeypatch.setitem(rate_limits.POLICIES, "upload_account", "1 per 1 hour")
    monkeypatch.setattr(attachments, "check_upload", lambda name, _stream: judged.append(name))
    stranger = browser(people.foreign)
    for _time in range(3):
        data = {
            "csrf_token": stranger.csrf_token(),
            "files": (io.BytesIO(files.png()), "photo.png"),
            "kind": "photo",
        }
        address = f"/my/requests/{empty_draft.id}/{way}"
        assert stranger.http.post(address, data=data).status_code == 404
    assert judged == []


def test_documents_of_a_sent_request_stay(app: Flask, mine: PageClient, people: People) -> None:
    with app.app_context():
        sent = request_factories.make_sent(people.owner)
        document = sent.documents[0]
    address = f"/my/requests/{sent.id}/documents"
    mine.post(f"{address}/{document.id}/remove", {})
    mine.post(f"{address}/{document.id}/rename", {"label": "x"})
    assert by_script(mine, sent, files.png(), "photo.png").status_code == 400
    assert [each.label for each in kept(app)] == [
        "civil_id_copy.pdf",
        "photo.pdf",
        "good_conduct.pdf",
    ]


def test_a_document_is_looked_at_and_downloaded_by_who_may_see_it(
    app: Flask,
    browser: Callable[..., PageClient],
    mine: PageClient,
    people: People,
    empty_draft: Request,
) -> None:
    by_script(mine, empty_draft, files.pdf(), "scan.pdf", kind="civil_id_copy")
    (document,) = kept(app)
    address = f"/my/requests/{empty_draft.id}/documents/{document.id}"
    page = mine.get(address)
    image = page.soup.select_one("main figure img")["src"]
    assert mine.http.get(image).mimetype.startswith("image/")
    answer = mine.http.get(f"{address}/file")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    for path in (address, f"{address}/file", f"{address}/pages/1"):
        browser(people.foreign).get(path, status=404)
        browser(people.ungranted).get(path, status=404)
    mine.get(f"{address}/pages/99", status=404)


@pytest.fixture
def no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(file_inspection.INSIDE_A_TASK, "check", 0)
    monkeypatch.setitem(file_inspection.INSIDE_A_TASK, "draw", 0)


def test_a_script_is_told_when_to_come_back_with_its_file(
    app: Flask, mine: PageClient, empty_draft: Request, no_place: None
) -> None:
    answer = by_script(mine, empty_draft, files.png(), "photo.png")
    assert answer.status_code == 503
    assert 0 < int(answer.headers["Retry-After"]) <= 10
    assert "Many files" in answer.get_json()["error"]
    assert kept(app) == []


def test_a_page_keeps_what_was_typed_beside_a_file_that_found_no_place(
    app: Flask, mine: PageClient, empty_draft: Request, no_place: None
) -> None:
    page = by_page(
        mine, mine.get(f"/my/requests/{empty_draft.id}/form"), (files.png(), "photo.png")
    )
    assert page.status == 200
    assert "photo.png" in page.text and "Many files" in page.text
    assert kept(app) == []


def test_a_picture_that_found_no_place_says_when_to_come_back(
    app: Flask, mine: PageClient, empty_draft: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_script(mine, empty_draft, files.pdf(), "scan.pdf", kind="civil_id_copy")
    (document,) = kept(app)
    monkeypatch.setattr(previews, "cache", previews.PictureCache(previews.CACHE_BYTES))
    monkeypatch.setitem(file_inspection.INSIDE_A_TASK, "draw", 0)
    answer = mine.http.get(f"/my/requests/{empty_draft.id}/documents/{document.id}/pages/1")
    assert answer.status_code == 503
    assert 0 < int(answer.headers["Retry-After"]) <= 10


def test_each_file_counts_against_the_uploads_of_an_hour(
    app: Flask, mine: PageClient, empty_draft: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "upload_account", "3 per 1 hour")
    posted = {
        "csrf_token": mine.csrf_token(),
        "kind": "civil_id_copy",
        "files": [(io.BytesIO(files.png()), f"{number}.png") for number in range(4)],
    }
    answer = mine.http.post(
        f"/my/requests/{empty_draft.id}/documents", data=posted, content_type="multipart/form-data"
    )
    assert answer.status_code == 429
    assert kept(app) == []


def test_a_page_of_pictures_says_what_takes_the_place_of_one_that_never_comes(
    app: Flask, mine: PageClient, empty_draft: Request
) -> None:
    by_script(mine, empty_draft, files.pdf(2), "scan.pdf", kind="civil_id_copy")
    (document,) = kept(app)
    page = mine.get(f"/my/requests/{empty_draft.id}/documents/{document.id}")
    pictures = page.soup.select(".document-pages[data-failed*='Download'] img[data-picture]")
    assert len(pictures) == 2
    assert all(picture["alt"] and picture["width"] for picture in pictures)
    assert page.soup.select_one("a[href$='/file']")
