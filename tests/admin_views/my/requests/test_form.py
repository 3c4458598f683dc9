"""The form of a request: saving as one goes, faults beside fields, sending once, discarding."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core.clock import kuwait_today
from clearance.core.extensions import db
from clearance.models import Document, Event, Notice, Request
from clearance.models.enums import Status
from clearance.services.decisions import RemarkInput, Remarks
from clearance.services.flows import Action
from tests.admin_views.my.conftest import People
from tests.support import factories, request_factories
from tests.support.pages import Page, PageClient, form_data

FORM = "#request-form"


def returned(app: Flask, people: People, *remarks: RemarkInput) -> Request:
    with app.app_context():
        req = request_factories.make_sent(people.owner)
        data = Remarks(remarks=remarks)
        step = request_factories.step
        return step(req, Action.RETURN, people.staff, reason="صحح من فضلك.", data=data)


def fresh(app: Flask, req: Request) -> Request:
    with app.app_context():
        return db.session.get_one(Request, req.id, populate_existing=True)


def value_on(page: Page, name: str) -> str:
    return str(page.soup.find(attrs={"name": name}).get("value", ""))


def test_saving_keeps_a_draft_and_says_when(app: Flask, mine: PageClient, draft: Request) -> None:
    page = mine.get(f"/my/requests/{draft.id}/form")
    page = mine.submit(page, {"address": "السالمية"}, form=FORM)
    assert fresh(app, draft).address == "السالمية"
    assert "Last saved on" in page.text
    assert fresh(app, draft).status == Status.DRAFT


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("civil_id", "288010100001"),
        ("civil_id", "abc"),
        ("civil_id_expiry", "01/01/2020"),
        ("civil_id_expiry", "31/02/2030"),
        ("mobile", "123"),
        ("email", "nobody"),
        ("name_ar_1", "Ahmad"),
        ("name_en_1", "أحمد"),
        ("nationality", "ZZ"),
        ("address", "x" * 300),
        ("notes", "x" * 1001),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_stays(
    app: Flask,
    browser: Callable[..., PageClient],
    people: People,
    draft: Request,
    name: str,
    typed: str,
    language: str,
) -> None:
    client = browser(people.owner, language)
    page = client.get(f"/my/requests/{draft.id}/form")
    page = client.submit(page, {name: typed, "name_ar_2": "جاسم"}, form=FORM)
    error = page.error_of(name)
    assert error
    assert (("ا" in error) or ("ي" in error)) == (language == "ar")
    assert page.soup.select_one(f".error-summary a[href='#{name}']")
    if name != "nationality":
        assert typed in (value_on(page, name) or page.soup.find(id=name).get_text())
    saved = fresh(app, draft)
    assert saved.name_ar_2 == "جاسم"
    assert str(getattr(saved, name, "")) != typed


def test_digits_of_either_script_are_kept_as_ascii(
    app: Flask, mine: PageClient, draft: Request
) -> None:
    number = factories.civil_id()
    arabic = number.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    mine.submit(mine.get(f"/my/requests/{draft.id}/form"), {"civil_id": arabic}, form=FORM)
    assert fresh(app, draft).civil_id == number


def test_what_is_not_asked_cannot_be_posted(app: Flask, mine: PageClient, draft: Request) -> None:
    page = mine.get(f"/my/requests/{draft.id}/form")
    assert page.soup.find(attrs={"name": "broker_type"}) is None
    forged = {
        "status": "approved",
        "number": "CE/9/99",
        "broker_type": "general",
        "organisation_id": "99",
        "reviewer_id": "1",
    }
    mine.submit(page, forged, form=FORM)
    saved = fresh(app, draft)
    assert (saved.status, saved.number, saved.broker_type) == (Status.DRAFT, None, "private")
    assert saved.organisation_id == draft.organisation_id


def autosave(mine: PageClient, req: Request, **values: Any) -> Any:
    data = {"csrf_token": mine.csrf_token(), "version": req.version, **values}
    return mine.http.post(
        f"/my/requests/{req.id}/form/autosave", data=data, headers={"Accept": "application/json"}
    )


def test_autosave_keeps_what_is_good_and_tells_time_and_version(
    app: Flask, mine: PageClient, draft: Request
) -> None:
    answer = autosave(mine, draft, address="الجهراء", civil_id="12")
    saved = fresh(app, draft)
    assert answer.get_json()["version"] == saved.version
    assert "Last saved on" in answer.get_json()["saved_at_label"]
    assert (saved.address, saved.civil_id) == ("الجهراء", draft.civil_id)


def test_autosave_of_a_stale_page_changes_nothing(
    app: Flask, mine: PageClient, draft: Request
) -> None:
    autosave(mine, draft, address="الأولى")
    answer = autosave(mine, draft, address="الثانية")
    assert answer.status_code == 409
    assert answer.get_json()["error"]
    assert fresh(app, draft).address == "الأولى"


def test_autosave_after_the_session_ended_is_401(
    browser: Callable[..., PageClient], draft: Request
) -> None:
    assert autosave(browser(), draft, address="x").status_code == 401


def test_a_stale_save_is_refused_with_both_values(
    app: Flask, browser: Callable[..., PageClient], people: People, draft: Request
) -> None:
    mine, theirs = browser(people.owner), browser(people.granted)
    page = mine.get(f"/my/requests/{draft.id}/form")
    other = theirs.get(f"/my/requests/{draft.id}/form")
    theirs.submit(other, {"address": "حولي"}, form=FORM)
    page = mine.submit(page, {"address": "الفروانية"}, form=FORM, status=409)
    assert "حولي" in page.text
    assert value_on(page, "address") == "الفروانية"
    assert fresh(app, draft).address == "حولي"
    mine.submit(page, {"address": "الفروانية"}, form=FORM)
    assert fresh(app, draft).address == "الفروانية"


def test_the_language_switch_keeps_what_was_typed(
    app: Flask, mine: PageClient, draft: Request
) -> None:
    page = mine.get(f"/my/requests/{draft.id}/form")
    page = mine.submit(page, {"civil_id": "12"}, form=FORM, press="_language=ar")
    assert page.soup.html["lang"] == "ar"
    assert value_on(page, "civil_id") == "12"
    assert fresh(app, draft).status == Status.DRAFT


def test_send_names_everything_that_is_missing(
    app: Flask, mine: PageClient, empty_draft: Request
) -> None:
    page = mine.get(f"/my/requests/{empty_draft.id}/form")
    page = mine.submit(page, {"name_ar_1": "", "address": ""}, form=FORM, press="submit=send")
    links = {link["href"] for link in page.soup.select(".error-summary a")}
    assert {"#name_ar_1", "#address", "#documents-section"} <= links
    summary = page.soup.select_one(".error-summary").get_text(" ")
    assert "Personal photo" in summary
    assert page.error_of("name_ar_1")
    assert fresh(app, empty_draft).status == Status.DRAFT


def test_send_gives_a_number_once_however_often_it_is_pressed(
    app: Flask, mine: PageClient, draft: Request
) -> None:
    page = mine.get(f"/my/requests/{draft.id}/form")
    first = mine.submit(page, form=FORM, press="submit=send")
    second = mine.submit(page, form=FORM, press="submit=send")
    sent = fresh(app, draft)
    assert sent.status == Status.SUBMITTED
    assert first.url == second.url == f"/my/requests/{draft.id}/"
    assert sent.number in first.text
    with app.app_context():
        steps = sa.select(sa.func.count()).select_from(Event)
        assert db.session.scalar(steps.where(Event.kind == "request:step:send")) == 1


@pytest.mark.databases
def test_sendings_of_one_page_at_the_same_instant_all_lead_to_the_first_result(
    app: Flask, browser: Callable[..., PageClient], people: People, draft: Request
) -> None:
    mine = browser(people.owner)
    page = mine.get(f"/my/requests/{draft.id}/form")
    data = form_data(page.form(FORM)) | {"submit": "send"}
    key = mine.http.get_cookie("clearance")
    assert key is not None
    barrier, answers = Barrier(4), []

    def send() -> None:
        client = app.test_client()
        client.set_cookie("clearance", key.value)
        barrier.wait()
        answer = client.post(page.url, data=data, content_type="multipart/form-data")
        answers.append((answer.status_code, answer.location))

    threads = [Thread(target=send) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(303, f"/my/requests/{draft.id}/")] * 4
    with app.app_context():
        steps = sa.select(sa.func.count()).select_from(Event)
        assert db.session.scalar(steps.where(Event.kind == "request:step:send")) == 1
    assert fresh(app, draft).number is not None


def test_sending_saves_what_was_typed_last(app: Flask, mine: PageClient, draft: Request) -> None:
    page = mine.get(f"/my/requests/{draft.id}/form")
    mine.submit(page, {"address": "آخر عنوان"}, form=FORM, press="submit=send")
    assert fresh(app, draft).address == "آخر عنوان"


def test_an_expired_date_keeps_a_request_from_being_sent(
    app: Flask, mine: PageClient, draft: Request
) -> None:
    with app.app_context():
        row = db.session.get_one(Request, draft.id)
        row.civil_id_expiry = kuwait_today() - timedelta(days=1)
        db.session.commit()
    page = mine.get(f"/my/requests/{draft.id}/form")
    page = mine.submit(page, form=FORM, press="submit=send")
    assert page.error_of("civil_id_expiry")
    assert fresh(app, draft).status == Status.DRAFT


def test_a_second_open_request_for_one_person_is_refused_and_the_draft_stays(
    app: Flask, mine: PageClient, people: People, draft: Request
) -> None:
    with app.app_context():
        request_factories.make_sent(people.owner, civil_id=draft.civil_id)
    page = mine.get(f"/my/requests/{draft.id}/form")
    assert page.soup.select_one("main .refusal")
    page = mine.submit(page, {"address": "عنوان جديد"}, form=FORM, press="submit=send", status=409)
    assert page.soup.select_one(".error-summary")
    saved = fresh(app, draft)
    assert (saved.status, saved.address) == (Status.DRAFT, "عنوان جديد")


def test_what_was_sent_has_no_form_any_more(app: Flask, mine: PageClient, people: People) -> None:
    with app.app_context():
        sent = request_factories.make_sent(people.owner)
    page = mine.get(f"/my/requests/{sent.id}/form")
    assert page.url == f"/my/requests/{sent.id}/"
    assert "cannot be changed now" in page.text
    mine.post(f"/my/requests/{sent.id}/form", {"version": sent.version, "address": "x"})
    assert fresh(app, sent).address == sent.address


def test_of_a_returned_request_only_what_was_remarked_on_is_open(
    app: Flask, mine: PageClient, people: People
) -> None:
    req = returned(
        app,
        people,
        RemarkInput("التاريخ خطأ.", field="civil_id_expiry"),
        RemarkInput("غير واضحة.", document_kind="photo"),
    )
    page = mine.get(f"/my/requests/{req.id}/form")
    inputs = {each.get("name") for each in page.soup.select(f"{FORM} input, {FORM} select")}
    assert "civil_id_expiry" in inputs
    assert not inputs & {"civil_id", "name_ar_1", "mobile"}
    assert "التاريخ خطأ." in page.soup.find(id="civil_id_expiry-remark").get_text()
    assert "غير واضحة." in page.soup.find(id="documents-section").get_text()
    (answer,) = page.soup.select('#documents-section textarea[name^="remark_"]')
    values = {"civil_id_expiry": "2036-05-05", "name_ar_1": "غيره", answer["name"]: "واضحة."}
    mine.submit(page, values, form=FORM, press="submit=send")
    sent = fresh(app, req)
    assert (sent.status, sent.number) == (Status.SUBMITTED, req.number)
    assert (sent.civil_id_expiry, sent.name_ar_1) == (date(2036, 5, 5), req.name_ar_1)


def test_a_draft_is_discarded_after_asking(app: Flask, mine: PageClient, draft: Request) -> None:
    page = mine.get(f"/my/requests/{draft.id}/form")
    page = mine.get(page.link("Delete draft"))
    assert fresh(app, draft)
    page = mine.submit(page, form="main form")
    assert page.url == "/my/requests/drafts/"
    with app.app_context():
        assert db.session.get(Request, draft.id) is None
        assert db.session.scalars(sa.select(Document)).all() == []


def test_a_sent_request_cannot_be_discarded(app: Flask, mine: PageClient, people: People) -> None:
    with app.app_context():
        sent = request_factories.make_sent(people.owner)
    mine.post(f"/my/requests/{sent.id}/discard", {}, status=409)
    assert fresh(app, sent).status == Status.SUBMITTED


def test_signing_in_again_returns_to_the_draft(
    browser: Callable[..., PageClient], people: People, draft: Request
) -> None:
    address = f"/my/requests/{draft.id}/form"
    client = browser()
    response = client.http.post(
        address,
        data={"csrf_token": client.csrf_token()},
        headers={"Referer": f"http://localhost{address}"},
    )
    assert response.location == f"/login?next={address}"
    page = client.get(response.location)
    values = {"email": people.owner.email, "password": factories.PASSWORD}
    assert client.submit(page, values).url == address


def test_members_are_told_when_a_request_is_sent(
    app: Flask, mine: PageClient, people: People, draft: Request
) -> None:
    page = mine.get(f"/my/requests/{draft.id}/form")
    mine.submit(page, form=FORM, press="submit=send")
    with app.app_context():
        told = set(db.session.scalars(sa.select(Notice.user_id)))
    assert people.granted.id in told
    assert people.ungranted.id not in told
    assert people.foreign.id not in told
