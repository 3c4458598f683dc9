"""A statement on the pages: approved, listed, downloaded, checked and voided, in both languages."""

from __future__ import annotations

import pytest

from clearance.core.extensions import db
from clearance.models import IssuedDocument, User
from clearance.models.enums import Role, Status
from clearance.services.flows import Action
from tests.support import issued_factories
from tests.support.office_people import Office
from tests.support.pages import PageClient

ISSUED, REQUESTS = "/office/issued/", "/office/requests/"
TITLES = {"en": "Port Entry Permit", "ar": "تصريح دخول ميناء"}
languages = pytest.mark.parametrize("lang", ["en", "ar"])


@pytest.fixture
def permit(office: Office) -> int:
    """A permit of the agent called `agent`; its id."""
    agent = office.agent()
    with office.app.app_context():
        return issued_factories.make_statement(db.session.get_one(User, agent)).id


def column(office: Office, permit: int, name: str) -> str:
    with office.app.app_context():
        return str(getattr(db.session.get_one(IssuedDocument, permit), name))


@languages
def test_the_applicant_finds_it_on_the_request_and_among_what_was_issued(
    office: Office, permit: int, lang: str
) -> None:
    browser = office.browser(office.agent(), lang)
    request_id = column(office, permit, "request_id")
    pages = (f"/my/requests/{request_id}/", "/my/issued/", "/my/")
    for url in pages:
        (row,) = browser.get(url).soup.select(
            f"#issued-{permit}, #issued .tasks li, .list tbody tr"
        )
        assert TITLES[lang] in row.get_text(" ") and "TPX/1/26" in row.get_text(" "), url
    response = browser.get(f"/my/issued/{permit}/", check=False).response
    assert response.data.startswith(b"%PDF")
    assert f"statement-TPX-1-26-{permit}.pdf" in response.headers["Content-Disposition"]


@languages
def test_everybody_can_check_it_and_reads_no_word_of_a_licence(
    office: Office, permit: int, lang: str
) -> None:
    code = column(office, permit, "check_code")
    page = PageClient(office.app, language=lang).get(f"/check/{code}")
    details = page.soup.select_one("main dl").get_text(" ")
    assert TITLES[lang] in details and "TPX/1/26" in details and "أحمد" in details
    assert {"en": "Document number", "ar": "رقم الوثيقة"}[lang] in details
    assert {"en": "icence", "ar": "رخصة"}[lang] not in details


def test_one_without_an_end_says_so(office: Office) -> None:
    agent = office.agent()
    with office.app.app_context():
        issued_factories.publish_permit()
        user = db.session.get_one(User, agent)
        document = issued_factories.make_statement(user)
        document.valid_until = None
        db.session.commit()
        code = document.check_code
    page = PageClient(office.app, language="en").get(f"/check/{code}")
    assert "No expiry date" in page.soup.select_one("main dl").get_text(" ")


def test_the_office_lists_finds_and_exports_it(office: Office, permit: int) -> None:
    browser = office.staff()
    code = column(office, permit, "check_code")
    queries = ("", "search=tpx/1/26", "search=PP/1/26", f"search={code}", "search=أحمد")
    for query in (*queries, "flt0_kind=statement"):
        row = browser.get(f"{ISSUED}?{query}").soup.select_one("tbody tr").get_text(" ")
        assert "Port Entry Permit" in row and "TPX/1/26" in row and "Ahmad" in row, query
    assert "Nothing matches" in browser.get(f"{ISSUED}?search=سعود").text
    exported = office.staff(Role.MANAGER).get(f"{ISSUED}export/csv/", check=False).csv_rows
    (line,) = [row for row in exported if row["Document number"] == "TPX/1/26"]
    assert (line["Document"], line["Holder"]) == ("Port Entry Permit", "Ahmad")


def test_a_licence_is_still_found_by_its_broker(office: Office, permit: int) -> None:
    with office.app.app_context():
        licence = issued_factories.make_licence(name_ar_1="سعود", name_en_1="Saud")
        issued_factories.make_issued(licence=licence)
    for query in ("search=سعود", f"search={'KW-'}"):
        rows = office.staff().get(f"{ISSUED}?{query}").soup.select("tbody tr")
        assert len(rows) == (1 if query.endswith("سعود") else 0)


@languages
def test_a_reviewer_voids_it_and_the_check_says_so_at_once(
    office: Office, permit: int, lang: str
) -> None:
    browser = office.staff(language=lang)
    details = browser.get(f"{ISSUED}{permit}/")
    assert TITLES[lang] in details.text and "TPX/1/26" in details.text
    form = browser.get(f"{ISSUED}{permit}/do/void")
    for said in form.soup.select("main p"):
        assert {"en": "icence", "ar": "رخصة"}[lang] not in said.get_text(), said
    page = browser.submit(form, {"reason": "Wrong port."})
    assert "Wrong port." in page.soup.select_one("#data").get_text()
    code = column(office, permit, "check_code")
    page = PageClient(office.app, language=lang).get(f"/check/{code}")
    assert {"en": "This document is void", "ar": "ملغاة"}[lang] in page.text
    told = office.browser(office.agent(), lang).get("/my/notices/").text
    assert TITLES[lang] in told and "TPX/1/26" in told and "Wrong port." in told


@languages
def test_the_reviewer_reads_beforehand_that_it_will_be_issued(office: Office, lang: str) -> None:
    agent = office.agent()
    with office.app.app_context():
        issued_factories.publish_permit()
        user = db.session.get_one(User, agent)
        request_id = issued_factories.make_permitted(user, until=Status.SUBMITTED).id
    page = office.staff(language=lang).get(f"{REQUESTS}{request_id}/do/{Action.APPROVE}")
    words = {"en": "The service's own documents are issued.", "ar": "تصدر وثائق الخدمة"}[lang]
    assert words in page.soup.select_one(".causes").get_text()


@languages
def test_the_office_reads_which_documents_a_service_issues(
    office: Office, permit: int, lang: str
) -> None:
    page = office.staff(Role.MANAGER, lang).get("/office/services/details/?id=port_permit")
    second = {"en": "Escort Notice", "ar": "إشعار مرافقة"}[lang]
    assert TITLES[lang] in page.text and second in page.text
