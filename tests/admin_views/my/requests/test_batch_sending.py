"""Several renewals at once: their documents, and their sending."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.files import storage
from clearance.models import Document, Event, Organisation
from clearance.models.enums import Status
from tests.admin_views.my.conftest import People
from tests.support import factories, files, request_factories
from tests.support.batches import FORM, START, begin, make_licences
from tests.support.crossings import Instant, crossed
from tests.support.pages import Page, PageClient, form_data
from tests.support.rows import all_requests
from tests.support.statements import statements_of


def upload(client: PageClient, page: Page, kind: str, data: bytes) -> Any:
    """Give a file to all by script."""
    return client.http.post(
        f"{page.url}/documents",
        data={
            "csrf_token": client.csrf_token(),
            "files": (io.BytesIO(data), "scan.pdf"),
            "kind": kind,
            "label": "",
        },
        content_type="multipart/form-data",
        headers={"Accept": "application/json"},
    )


def give_documents(client: PageClient, page: Page) -> None:
    for kind in ("civil_id_copy", "passport_copy"):
        assert upload(client, page, kind, files.pdf()).status_code == 200


# Documents


@pytest.mark.databases
def test_a_document_given_once_is_stored_once_and_goes_with_the_last_row(
    app: Flask, mine: PageClient, people: People, three: list[int]
) -> None:
    page = begin(mine, three)
    with app.app_context():
        before = set(storage.keys())
    data = files.pdf()
    answer = upload(mine, page, "civil_id_copy", data).get_json()
    drafts = all_requests(app)
    assert answer["row_html"].count("<tr") == 1
    assert set(answer["parts"]) == {"documents-wanted", "upload-kind"} | {
        f"documents-of-{r.id}" for r in drafts
    }
    with app.app_context():
        rows = db.session.scalars(sa.select(Document)).all()
        assert sorted(row.request_id for row in rows) == [req.id for req in drafts]
        assert {row.storage_key for row in rows} == set(storage.keys()) - before
        assert stored_bytes(people) == len(data)
        own = rows[0]
    mine.post(f"/my/requests/{own.request_id}/documents/{own.id}/remove", {}, check=False)
    with app.app_context():
        assert len(set(storage.keys()) - before) == 1
        assert stored_bytes(people) == len(data)
    page = mine.get(page.url)
    button = page.soup.select_one("#documents button[formaction]")
    typed = {f"{drafts[0].id}-passport_no": "KEPT"}
    values = form_data(page.form(FORM)) | typed
    mine.http.post(button["formaction"], data=values)
    with app.app_context():
        assert set(storage.keys()) == before
        assert stored_bytes(people) == 0
    assert all_requests(app)[0].passport_no == "KEPT"


def stored_bytes(people: People) -> int:
    return db.session.get_one(Organisation, people.organisation.id).stored_bytes


def test_a_photo_is_each_brokers_own_and_a_bad_file_is_told(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = begin(mine, three)
    assert not page.soup.select('#upload-kind option[value="photo"]')
    for kind, data in (("photo", files.png()), ("civil_id_copy", b"MZ"), ("x", files.pdf())):
        answer = upload(mine, page, kind, data)
        assert answer.status_code == 400
        assert "scan.pdf" in answer.get_json()["error"]
    with app.app_context():
        assert db.session.scalars(sa.select(Document)).all() == []


def test_without_scripts_an_upload_keeps_what_was_typed(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = begin(mine, three)
    first = all_requests(app)[0]
    button = page.soup.select_one("button[formaction$='/documents']")
    data = form_data(page.form(FORM)) | {
        "kind": "passport_copy",
        "label": "",
        "files": (io.BytesIO(files.pdf()), "all.pdf"),
        f"{first.id}-passport_no": "N-5",
        f"{first.id}-mobile": "5",
    }
    answer = mine.http.post(button["formaction"], data=data, content_type="multipart/form-data")
    page = Page(answer, page.url).check()
    assert "1 file was added." in page.text
    assert page.soup.find(attrs={"name": f"{first.id}-mobile"})["value"] == "5"
    assert "all.pdf" in page.soup.select_one("#documents").get_text()
    assert all_requests(app)[0].passport_no == "N-5"


# Sending


def test_of_forty_brokers_the_37_good_ones_go_and_3_stay_with_their_errors(
    app: Flask, mine: PageClient, people: People
) -> None:
    page = begin(mine, make_licences(app, people, 40))
    drafts = all_requests(app)
    assert len(drafts) == 40
    with app.app_context():
        before = set(storage.keys())
    give_documents(mine, page)
    with app.app_context():
        assert len(set(storage.keys()) - before) == 2
    wrong = {
        f"{drafts[3].id}-mobile": "12",
        f"{drafts[8].id}-email": "",
        f"{drafts[39].id}-passport_expiry": "2020-01-01",
    }
    page = mine.get(page.url)
    started = time.process_time()
    left = mine.submit(page, wrong, form=FORM, press="submit=send", check=False)
    assert time.process_time() - started < 5
    left.check()
    after = all_requests(app)
    assert [n for n, req in enumerate(after) if req.status == Status.DRAFT] == [3, 8, 39]
    numbers = [req.number for req in after if req.status == Status.SUBMITTED]
    serials = sorted(int(re.split("/", str(number))[1]) for number in numbers)
    assert serials == list(range(1, 38))
    for name in wrong:
        assert left.error_of(name), name
    assert left.soup.find(attrs={"name": f"{drafts[3].id}-mobile"})["value"] == "12"
    assert len(left.soup.select("tr.grid-row")) == 3
    assert all(str(number) in left.text for number in numbers)
    assert "37 requests were sent" in left.text
    sent_twice = mine.submit(page, wrong, form=FORM, press="submit=send", check=False)
    assert sent_twice.url == f"{page.url}?check=1"
    assert [req.number for req in all_requests(app)] == [req.number for req in after]
    right = ("50001122", "a@b.com", "2033-01-01")
    done = mine.submit(left, dict(zip(wrong, right, strict=True)), form=FORM, press="submit=send")
    assert not done.soup.select("tr.grid-row")
    assert {req.status for req in all_requests(app)} == {Status.SUBMITTED}
    with app.app_context():
        sendings = sa.select(sa.func.count()).select_from(Event)
        assert db.session.scalar(sendings.where(Event.kind == "request:step:send")) == 40
        assert len(set(storage.keys()) - before) == 2


def test_a_broker_with_an_open_request_meanwhile_is_refused_kindly_and_the_others_go(
    app: Flask, mine: PageClient, people: People, three: list[int]
) -> None:
    page = begin(mine, three)
    give_documents(mine, page)
    page = mine.get(page.url)
    with app.app_context():
        other = factories.make_agent(db.session.get_one(Organisation, people.organisation.id))
        request_factories.make_sent(other, "renewal", licence_id=three[1])
    page = mine.submit(page, form=FORM, press="submit=send")
    taken, (row,) = all_requests(app)[:3], page.soup.select("tr.grid-row")
    assert [req.status for req in taken] == [Status.SUBMITTED, Status.DRAFT, Status.SUBMITTED]
    assert "LR/1/" in row.select_one(".refusal").get_text()
    arabic = mine.submit(page, form=FORM, press="_language=ar")
    assert "LR/1/" in arabic.soup.select_one("tr.grid-row .refusal").get_text()
    assert arabic.soup.select_one(".error-summary")


def test_two_tabs_that_send_the_same_grid_send_each_row_once(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = begin(mine, three)
    give_documents(mine, page)
    tabs = [mine.get(page.url), mine.get(page.url)]
    mine.submit(tabs[0], form=FORM, press="submit=send")
    numbers = [req.number for req in all_requests(app)]
    late = {f"{all_requests(app)[0].id}-passport_no": "LATE"}
    other = mine.submit(tabs[1], late, form=FORM, press="submit=send")
    assert [req.number for req in all_requests(app)] == numbers
    assert "LATE" not in {req.passport_no for req in all_requests(app)}
    assert all(str(number) in other.text for number in numbers)


def test_a_row_discarded_meanwhile_does_not_keep_the_others(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = begin(mine, three)
    give_documents(mine, page)
    page = mine.get(page.url)
    mine.post(f"/my/requests/{all_requests(app)[0].id}/discard", {}, check=False)
    mine.submit(page, form=FORM, press="submit=send")
    assert [req.status for req in all_requests(app)] == [Status.SUBMITTED] * 2


def test_a_rows_own_form_and_its_discarding_lead_back_to_the_grid(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = begin(mine, three)
    own = mine.get(f"/my/requests/{all_requests(app)[0].id}/form")
    assert own.link("Back to the broker table") == page.url
    back = mine.submit(mine.get(own.link("Delete draft")), form="main form")
    assert back.url == page.url
    assert mine.get(START).link("2 drafts are left") == page.url
    for req in all_requests(app):
        back = mine.post(f"/my/requests/{req.id}/discard", {}, check=False)
    assert back.url == "/my/requests/drafts/"
    assert "left" not in mine.get(START).text


def test_signing_in_again_returns_to_the_grid_with_its_drafts(
    app: Flask,
    browser: Callable[..., PageClient],
    mine: PageClient,
    people: People,
    three: list[int],
) -> None:
    page = begin(mine, three)
    client = browser()
    answer = client.http.post(
        page.url,
        data={"csrf_token": client.csrf_token()},
        headers={"Referer": f"http://localhost{page.url}"},
    )
    assert answer.location == f"/login?next={page.url}"
    answer = client.http.post(f"{page.url}/autosave", headers={"Accept": "application/json"})
    assert answer.status_code in {400, 401}
    values = {"email": people.owner.email, "password": factories.PASSWORD}
    back = client.submit(client.get(f"/login?next={page.url}"), values)
    assert back.url == page.url
    assert len(back.soup.select("tr.grid-row")) == 3


def test_a_letters_own_fields_are_columns_that_one_value_fills(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = mine.get("/my/services/letter/several")
    page = mine.submit(page, {"licence": three}, form="#choose", press="do=begin")
    values = {"all-purpose": "إنشاء حساب", "all-language": "en"}
    page = mine.submit(page, values, form=FORM, press="submit=fill")
    page = mine.submit(page, form=FORM, press="submit=send")
    sent = all_requests(app)
    assert {req.status for req in sent} == {Status.SUBMITTED}
    assert {req.answers["purpose"] for req in sent} == {"إنشاء حساب"}
    assert {req.answers["language"] for req in sent} == {"en"}


def test_the_tables_queries_hardly_grow_with_its_rows(
    app: Flask, mine: PageClient, people: People
) -> None:
    few = begin(mine, make_licences(app, people, 2))
    many = begin(mine, make_licences(app, people, 12))
    counts = []
    for url in (few.url, many.url):
        with statements_of(app) as seen:
            mine.get(url, check=False)
        counts.append(len(seen))
    assert counts[1] - counts[0] <= 10 * 2  # what a row lacks


def discard(client: PageClient, request_id: int) -> int:
    data = {"csrf_token": client.csrf_token()}
    return client.http.post(f"/my/requests/{request_id}/discard", data=data).status_code


@pytest.mark.databases
def test_a_draft_discarded_meanwhile_keeps_no_file_from_the_others(
    app: Flask,
    people: People,
    mine: PageClient,
    browser: Callable[..., PageClient],
    three: list[int],
) -> None:
    page, colleague = begin(mine, three), browser(people.owner)
    gone, *left = [req.id for req in all_requests(app)]
    with crossed(app, Instant.LOCK, partial(discard, colleague, gone)) as came:
        assert upload(mine, page, "other", files.pdf()).status_code == 200
    assert (came or [discard(colleague, gone)]) == [303]
    with app.app_context():
        holders = set(db.session.scalars(sa.select(Document.request_id)))
        document_id = db.session.scalar(sa.select(sa.func.min(Document.id)))
        assert holders == set(left)
    remove = f"{page.url}/documents/{document_id}/remove"
    token = {"csrf_token": mine.csrf_token()}
    with crossed(app, Instant.LOCK, partial(discard, colleague, left[0])) as came:
        assert mine.http.post(remove, data=token).status_code == 303
    assert (came or [discard(colleague, left[0])]) == [303]
    with app.app_context():
        assert db.session.scalars(sa.select(Document)).all() == []
