"""A transfer through the pages: begun from either side, answered by the other and by the broker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth import rate_limits
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Broker, Notice, Request, TransferConsent, User
from clearance.models.enums import Status
from clearance.services.flows import Action
from clearance.transfers.flow import TransferAction
from clearance.transfers.statuses import TransferStatus
from tests.journeys import steps
from tests.support import factories, files
from tests.support import request_factories as requests
from tests.support import transfer_factories as made
from tests.support.pages import Page, PageClient
from tests.support.transfer_factories import Offices

WORDS = {
    "ar": {
        "wrong": "رمز التحقق غير صحيح أو لم يعد صالحاً",
        "gone": "هذا الرابط لم يعد صالحاً",
        "no_fit": "لا يمكن بدء طلب نقل بهذه الأرقام الثلاثة.",
        "answered": "تم حفظ ردك",
        "accepted": "قبلت الجهة الأخرى النقل",
        "late": "لم يعد هذا الإجراء ممكناً",
        "link": "أُرسل رابط جديد إلى هاتف المخلص الجوال المسجل",
        "refused": "رفضه المخلص",
        "closed": "أُغلق الطلب لأن المخلص رفض النقل.",
    },
    "en": {
        "wrong": "This code is wrong",
        "gone": "This link has expired",
        "no_fit": "You cannot start a transfer with these three numbers.",
        "answered": "Your response was saved",
        "accepted": "The other organisation accepted the transfer",
        "late": "This is no longer possible",
        "link": "We sent a new link to the broker's registered mobile",
        "refused": "Declined by the broker",
        "closed": "The request is closed because the broker declined the transfer.",
    },
}


class Scene:
    """Two offices, the browsers of their general users, and what the database says."""

    def __init__(self, app: Flask, language: str = "en") -> None:
        self.app, self.language, self.words = app, language, WORDS[language]
        with app.app_context():
            self.offices: Offices = made.make_offices()
            self.reviewer = factories.make_staff()
            self.mobile = self.offices.licence.broker.mobile
            self.civil_id = self.offices.licence.broker.civil_id

    def browser(self, user: User) -> PageClient:
        return factories.browser_of(self.app, user, self.language)

    def broker(self) -> PageClient:
        return PageClient(self.app, language=self.language, ip="10.20.30.40")

    def request(self, step: Any, **options: Any) -> Request:
        """A request made by one of the builders, outside any browser."""
        with self.app.app_context():
            req: Request = step(self.offices, **options)
            return req

    def row(self) -> Request:
        with self.app.app_context():
            return db.session.scalars(sa.select(Request)).one()

    def link(self) -> str:
        with self.app.app_context():
            return f"/consent/{made.token_of(db.session.scalars(sa.select(Request)).one())}"

    def code(self) -> str:
        with self.app.app_context():
            return made.code_of(self.mobile)

    def holder(self) -> int:
        with self.app.app_context():
            return db.session.scalars(sa.select(Broker.organisation_id)).one()


def fill_in(client: PageClient, page: Page, **values: str) -> Page:
    """Type what is missing, add both letters, and send."""
    typed = {"mobile": "50001234", "email": "b@example.com"} | values
    page = client.submit(page, typed, form=steps.REQUEST_FORM)
    for kind in ("transfer_letter", "release_letter"):
        page = steps.upload(client, page, kind, files.pdf(), f"{kind}.pdf")
    return client.submit(page, form=steps.REQUEST_FORM, press="submit=send")


def consent(scene: Scene, press: str = "answer=consent") -> Page:
    """The broker opens his link, asks for the code, types it."""
    client = scene.broker()
    page = client.get(scene.link())
    page = client.submit(page, form="#code-form")
    return client.submit(page, {"code": scene.code()}, form="#consent-form", press=press)


@pytest.mark.databases
@pytest.mark.parametrize(
    ("receiving", "language"), [(False, "ar"), (True, "en")], ids=["releasing", "receiving"]
)
def test_a_broker_moves_at_the_wish_of_either_office(
    app: Flask, receiving: bool, language: str
) -> None:
    scene = Scene(app, language)
    offices = scene.offices
    asking, other = offices.releaser, offices.receiver
    if receiving:
        asking, other = other, asking
    client = scene.browser(asking)
    if receiving:
        page = client.get("/my/transfers/receive")
        numbers = {
            "licence_no": offices.licence.number,
            "civil_id": scene.civil_id,
            "organisation_no": offices.present.licence_no,
        }
        page = client.submit(page, numbers, form="#receive")
        page = fill_in(client, page)
    else:
        client.post("/my/services/transfer/", {"licence_id": offices.licence.id})
        page = client.get(f"/my/requests/{scene.row().id}/form")
        page = fill_in(client, page, licence_no=str(offices.new.licence_no))
    req = scene.row()
    assert req.status == TransferStatus.AWAITING_OTHER_PARTY
    assert str(req.number) in page.text

    answering = scene.browser(other)
    page = answering.get("/my/transfers/")
    page = answering.get(page.soup.select_one("#waiting .tasks a")["href"])
    assert offices.licence.number in page.text
    hidden = (scene.civil_id, "01/01/2035", "transfer_letter.pdf", scene.mobile)
    assert not any(each in page.text for each in hidden)
    page = answering.submit(page, form="form[action$='/do/accept']")
    assert scene.row().status == TransferStatus.AWAITING_BROKER

    page = consent(scene)
    assert scene.words["answered"] in page.h1
    assert scene.row().status == Status.SUBMITTED
    with app.app_context():
        row = db.session.scalars(sa.select(Request)).one()
        requests.step(row, Action.APPROVE, scene.reviewer)
    assert scene.holder() == offices.new.id
    page = client.get(f"/my/requests/{req.id}/")
    assert scene.words["accepted"] in page.soup.select_one("#history").get_text()
    with app.app_context():
        told = db.session.scalars(sa.select(Notice.event).where(Notice.user_id == other.id)).all()
    assert set(told) == {"transfer:asked", "transfer:accepted", "transfer:done"}


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_link_answers_once_and_then_like_an_unknown_one(app: Flask, language: str) -> None:
    scene = Scene(app, language)
    scene.request(made.make_accepted)
    client, link = scene.broker(), scene.link()
    page = client.get(link)
    assert page.soup.select_one("#code-form") is not None
    assert scene.mobile not in page.text
    client.post(link, {"code": "123456", "answer": "maybe"}, status=400)
    client.get("/consent/answered?answer=maybe", status=404)
    page = client.submit(page, {"code": "123"}, form="#consent-form", press="answer=consent")
    assert page.error_of("code")
    page = client.submit(page, form="#code-form")
    wrong = "111111" if scene.code() != "111111" else "222222"
    page = client.submit(page, {"code": wrong}, form="#consent-form", press="answer=consent")
    assert scene.words["wrong"] in page.error_of("code")
    assert scene.row().status == TransferStatus.AWAITING_BROKER
    page = client.submit(page, {"code": scene.code()}, form="#consent-form", press="answer=refuse")
    assert scene.words["answered"] in page.h1
    assert scene.row().status == TransferStatus.DECLINED

    used, unknown = client.get(link, status=404), client.get("/consent/unknown", status=404)
    assert used.h1 == unknown.h1 == scene.words["gone"]
    assert used.soup.main.get_text() == unknown.soup.main.get_text()
    for address in (link, f"{link}/code"):
        client.post(address, {"code": "123456", "answer": "consent"}, status=404)


def test_a_link_ends_with_its_time_though_no_job_ran(app: Flask) -> None:
    scene = Scene(app)
    scene.request(made.make_accepted, now=utc_now() - timedelta(days=15))
    assert scene.broker().get(scene.link(), status=404).h1 == scene.words["gone"]
    assert scene.row().status == TransferStatus.AWAITING_BROKER


def test_a_new_code_may_be_asked_for_once_a_minute(app: Flask) -> None:
    scene = Scene(app)
    scene.request(made.make_accepted)
    client = scene.broker()
    page = client.submit(client.get(scene.link()), form="#code-form")
    code = scene.code()
    page = client.submit(page, form="#code-form")
    assert page.soup.select_one(".alert-danger") is not None
    assert scene.code() == code


def test_guessing_links_is_stopped(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "consent_ip", "2 per 1 minute")
    client = PageClient(app, language="en")
    for token in ("a", "b"):
        client.get(f"/consent/{token}", status=404)
    client.get("/consent/c", status=429)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_three_numbers_that_do_not_fit_tell_nothing(app: Flask, language: str) -> None:
    scene = Scene(app, language)
    client = scene.browser(scene.offices.receiver)
    page = client.get("/my/transfers/receive")
    right = {
        "licence_no": str(scene.offices.licence.number),
        "civil_id": scene.civil_id,
        "organisation_no": str(scene.offices.present.licence_no),
    }
    answers = []
    for name, value in (("licence_no", "KW-1"), ("civil_id", "288010100115")):
        page = client.submit(page, right | {name: value}, form="#receive", status=409)
        assert scene.words["no_fit"] in page.text
        answers.append(page.soup.select_one("main .refusal, main .alert").get_text())
        assert page.soup.select_one("[name=organisation_no]")["value"] == right["organisation_no"]
    assert len(set(answers)) == 1
    with app.app_context():
        assert db.session.scalars(sa.select(Request)).all() == []


def test_pressing_twice_begins_one_draft(app: Flask) -> None:
    scene = Scene(app)
    client = scene.browser(scene.offices.receiver)
    page = client.get("/my/transfers/receive")
    numbers = {
        "licence_no": str(scene.offices.licence.number),
        "civil_id": scene.civil_id,
        "organisation_no": str(scene.offices.present.licence_no),
    }
    first = client.submit(page, numbers, form="#receive")
    second = client.submit(page, numbers, form="#receive")
    assert first.url == second.url
    assert scene.row().answers == {"licence_no": scene.offices.present.licence_no}


def test_only_general_users_of_the_other_organisation_open_it(app: Flask) -> None:
    scene = Scene(app)
    req = scene.request(made.make_sent)
    with app.app_context():
        helper = factories.make_agent(scene.offices.new, is_general=False, services=("transfer",))
        stranger = factories.make_agent()
    for user in (scene.offices.releaser, helper, stranger, scene.reviewer):
        client = scene.browser(user)
        client.get(f"/my/transfers/{req.id}/", status=404)
        client.post(f"/my/transfers/{req.id}/do/accept", {"version": req.version}, status=404)
    for path in ("/my/transfers/", "/my/transfers/receive"):
        scene.browser(helper).get(path, status=404)
    client = scene.browser(scene.offices.receiver)
    client.get(f"/my/transfers/{req.id}/")
    client.get(f"/my/transfers/{req.id + 1}/", status=404)
    client.post(f"/my/transfers/{req.id}/do/consent", {"version": req.version}, status=404)
    client.get(f"/my/requests/{req.id}/", status=404)
    assert scene.row().status == TransferStatus.AWAITING_OTHER_PARTY
    visitor = steps.browser(app)
    assert "/login" in visitor.get(f"/my/transfers/{req.id}/").url


@pytest.mark.parametrize("language", ["ar", "en"])
def test_an_answer_to_a_withdrawn_transfer_is_refused_with_what_happened(
    app: Flask, language: str
) -> None:
    scene = Scene(app, language)
    req = scene.request(made.make_sent)
    client = scene.browser(scene.offices.receiver)
    page = client.get(f"/my/transfers/{req.id}/")
    with app.app_context():
        requests.step(db.session.get_one(Request, req.id), Action.WITHDRAW, scene.offices.releaser)
    late = client.submit(page, form="form[action$='/do/accept']", status=409)
    assert scene.words["late"] in late.text
    name = scene.offices.present.name_ar if language == "ar" else scene.offices.present.name_en
    alert = late.soup.select_one(".alert-danger").get_text()
    assert name in alert
    assert scene.offices.releaser.name_in("ar") not in alert
    assert late.soup.select_one("#answer") is None


def test_declining_is_told_with_its_reason_and_pressed_twice_counts_once(app: Flask) -> None:
    scene = Scene(app)
    req = scene.request(made.make_sent)
    client = scene.browser(scene.offices.receiver)
    page = client.get(f"/my/transfers/{req.id}/")
    for _press in range(2):
        again = client.submit(page, {"reason": "He stays."}, form="#decline")
        assert again.url.endswith(f"/my/transfers/{req.id}/")
    assert scene.row().status == TransferStatus.DECLINED
    page = scene.browser(scene.offices.releaser).get(f"/my/requests/{req.id}/")
    assert "He stays." in page.soup.select_one("#history").get_text()
    with app.app_context():
        answers = db.session.scalars(sa.select(TransferConsent.answer)).all()
        assert sorted(answers) == ["declined", "given"]


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_new_link_is_asked_for_on_either_offices_page(app: Flask, language: str) -> None:
    scene = Scene(app, language)
    req = scene.request(made.make_accepted)
    asking, other = scene.browser(scene.offices.releaser), scene.browser(scene.offices.receiver)
    first = scene.link()
    page = asking.get(f"/my/requests/{req.id}/")
    after = asking.submit(page, form="form[action$='/link']")
    assert scene.words["link"] in after.text
    second = scene.link()
    assert second != first
    asking.submit(page, form="form[action$='/link']")  # the same form pressed twice
    answering = other.get(f"/my/transfers/{req.id}/")
    late = other.submit(answering, form="form[action$='/link']", status=429)
    assert int(late.response.headers["Retry-After"]) > 0
    assert scene.link() == second
    asking.post(f"/my/transfers/{req.id}/link", {"version": req.version}, status=404)
    other.post(f"/my/requests/{req.id}/link", {"version": req.version}, status=404)
    visitor = scene.broker()
    visitor.get(first, status=404)
    visitor.get(second)
    consent(scene, press="answer=refuse")
    for client, url in ((asking, f"/my/requests/{req.id}/"), (other, f"/my/transfers/{req.id}/")):
        page = client.get(url)
        assert scene.words["refused"] in page.soup.select_one(".page-header .badge").get_text()
        assert page.soup.select_one("form[action$='/link']") is None
        stale = {"version": req.version, "form_key": "another"}
        client.post(f"{url}link", stale, status=409)
    assert scene.words["closed"] in asking.get(f"/my/requests/{req.id}/").text


def test_the_page_names_the_office_that_declined(app: Flask) -> None:
    scene = Scene(app)
    req = scene.request(made.make_sent)
    with app.app_context():
        row = db.session.get_one(Request, req.id)
        requests.step(row, TransferAction.DECLINE, scene.offices.receiver)
    page = scene.browser(scene.offices.releaser).get(f"/my/requests/{req.id}/")
    name = scene.offices.new.name_en
    assert name in page.soup.select_one(".page-header .badge").get_text()
    assert name in page.soup.select_one("#next").get_text()
