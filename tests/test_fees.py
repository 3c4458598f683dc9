"""The worked example of an extension (examples/fees): an effect with a decision of its own."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask

from clearance import demo
from clearance.core.clock import utc_now
from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.models import Event, Request, User
from clearance.models.enums import Role, Status
from clearance.services import versions
from clearance.services.flows import Action
from examples.fees import EXTENSION, Fee
from tests.support import request_factories
from tests.support.office_people import Office
from tests.support.papers import text_of

LIST = "/office/requests/"
NO_NUMBER = "Enter a number in digits."
NEGATIVE = "The fee must not be negative."
TOO_FINE = "Give the fee in Kuwaiti dinars, with three decimals at most."


@pytest.fixture
def office(make_app: Callable[..., Flask]) -> Office:
    made = Office(make_app(extensions=("examples.fees",)))
    with made.app.app_context():
        request_factories.load_services(utc_now())
    return made


def extract(office: Office) -> int:
    return office.request(code="extract", payer="شركة الخليج")


def charged(office: Office, request_id: int) -> str | None:
    """The fee that the trail keeps for the request."""
    approval = sa.select(Event.changes).where(
        Event.request_id == request_id, Event.kind == "request:step:approve"
    )
    with office.app.app_context():
        changes = db.session.scalar(approval)
    return changes["fee"][1] if changes else None


@pytest.mark.parametrize(
    ("lang", "label", "cause"),
    [
        ("en", "Fee (KWD)", "The fee is charged to the one named as payer."),
        ("ar", "الرسم (د.ك.)", "يسجل الرسم على من يدفعه."),
    ],
)
def test_the_fee_is_asked_kept_and_shown_in_both_languages(
    office: Office, lang: str, label: str, cause: str
) -> None:
    request_id = extract(office)
    browser = office.staff(language=lang)
    page = browser.get(f"{LIST}{request_id}/do/approve")
    assert label in page.soup.select_one("label[for=fee]").get_text()
    assert cause in page.soup.select_one(".causes").get_text()
    page = browser.submit(page, {"fee": "12.5"}, form="#step")
    assert office.status(request_id) == Status.APPROVED
    assert charged(office, request_id) == "12.500"
    assert f"{label}: 12.500" in page.soup.select_one(".timeline").get_text()
    agent = office.browser(office.agent(), lang)
    page = agent.get(f"/my/requests/{request_id}/")
    assert f"{label}: 12.500" in page.soup.select_one(".timeline").get_text()
    printed = text_of(agent.get(f"/my/requests/{request_id}/print", check=False).response.data)
    assert "12.500" in printed
    assert {"en": "KWD", "ar": "الرسم"}[lang] in printed


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", NO_NUMBER),
        ("-0.001", NEGATIVE),
        ("1.2345", TOO_FINE),
        ("NaN", TOO_FINE),
        ("1e9", TOO_FINE),
    ],
)
def test_a_fee_that_cannot_be_charged_is_refused_beside_its_field(
    office: Office, typed: str, told: str
) -> None:
    request_id = extract(office)
    browser = office.staff()
    page = browser.get(f"{LIST}{request_id}/do/approve")
    page = browser.submit(page, {"fee": typed}, form="#step", status=400)
    assert page.error_of("fee") == told
    assert office.status(request_id) == Status.SUBMITTED


def test_of_several_requests_each_has_its_own_fee(office: Office) -> None:
    requests = [extract(office) for _ in range(2)]
    browser = office.staff()
    page = browser.get(f"{LIST}do/approve?" + "&".join(f"id={key}" for key in requests))
    typed = {f"fee-{requests[0]}": "3", f"fee-{requests[1]}": "-1"}
    page = browser.submit(page, typed, form="#step", status=400)
    assert page.error_of(f"fee-{requests[1]}") == NEGATIVE
    browser.submit(page, typed | {f"fee-{requests[1]}": "0.250"}, form="#step")
    assert [charged(office, key) for key in requests] == ["3.000", "0.250"]


@pytest.mark.parametrize("given", [(), Fee(fee=Decimal(-1))])
def test_the_step_itself_refuses_what_the_form_would(
    office: Office, given: Fee | tuple[()]
) -> None:
    request_id, reviewer = extract(office), office.person("The reviewer")
    with office.app.app_context():
        req, user = db.session.get_one(Request, request_id), db.session.get_one(User, reviewer)
        with pytest.raises(Refused):
            request_factories.step(req, Action.APPROVE, user, data=given)


def test_the_fee_is_proposed_as_the_office_sets_it(office: Office) -> None:
    browser = office.staff(Role.ADMINISTRATOR)
    page = browser.get("/office/settings/")
    headings = [legend.get_text() for legend in page.soup.select("legend")]
    assert "Fees" in headings
    page = browser.submit(page, {"fees_usual_fils": "1000001"}, form="#settings", status=400)
    assert page.error_of("fees_usual_fils") == "Enter a whole number from 0 to 1000000."
    browser.submit(page, {"fees_usual_fils": "7250"}, form="#settings")
    step = office.staff().get(f"{LIST}{extract(office)}/do/approve")
    assert step.soup.select_one("#fee")["value"] == "7.25"


def test_the_list_of_fees_is_in_the_menu_of_those_who_may_read_it(office: Office) -> None:
    request_id = extract(office)
    browser = office.staff()
    page = browser.get(f"{LIST}{request_id}/do/approve")
    page = browser.submit(page, {"fee": "12.5"}, form="#step")
    links = [str(link["href"]) for link in page.soup.select("nav a")]
    assert links[links.index("/office/issued/") + 1] == "/office/fees/"
    with office.app.app_context():
        number = db.session.get_one(Request, request_id).number
    row = browser.get("/office/fees/").soup.select_one("tbody tr")
    assert number in row.get_text() and "12.500" in row.get_text()
    administrator = office.staff(Role.ADMINISTRATOR)
    administrator.get("/office/fees/", status=404)
    assert "/office/fees/" not in administrator.get("/office/").text
    office.browser(office.agent()).get("/office/fees/", status=404)


def test_the_demo_has_a_fee_and_a_request_that_waits_for_one(office: Office) -> None:
    with office.app.app_context():
        demo.build_world(utc_now())
        made = sa.select(Request.id, Request.status).where(Request.service_code == "extract")
        by_status = {status: request_id for request_id, status in db.session.execute(made)}
    assert set(by_status) == {Status.APPROVED, Status.SUBMITTED}
    assert charged(office, by_status[Status.APPROVED]) == "5.000"


def test_without_the_extension_its_setting_and_its_page_are_absent(
    office: Office, make_app: Callable[..., Flask]
) -> None:
    without = Office(make_app())  # in the same process
    settings = without.staff(Role.ADMINISTRATOR).get("/office/settings/")
    assert settings.soup.select_one("#fees_usual_fils") is None
    manager = without.staff(Role.MANAGER)
    manager.get("/office/fees/", status=404)
    assert "/office/fees/" not in manager.get("/office/").text
    settings = office.staff(Role.ADMINISTRATOR).get("/office/settings/")
    assert settings.soup.select_one("#fees_usual_fils") is not None


def test_a_definition_without_what_the_effect_needs_is_refused_with_the_path(
    office: Office,
) -> None:
    assert EXTENSION.definitions is not None
    text = (EXTENSION.definitions / "extract.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    del document["roles"]
    with office.app.app_context():
        (fault,) = versions.faults(document)
        assert fault.startswith("on_approval: “")
        assert fault.endswith("needs a field for “Payer of the fee”.")


def test_the_guide_for_contributors_names_the_examples_files() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    files = [path for path in (ROOT / "examples").rglob("*") if path.suffix in {".py", ".yaml"}]
    assert len(files) == 4
    assert [path for path in files if str(path.relative_to(ROOT)) not in guide] == []


def test_the_approval_issues_the_extract(office: Office) -> None:
    request_id = extract(office)
    browser = office.staff(language="en")
    form = browser.get(f"{LIST}{request_id}/do/approve")
    browser.submit(form, {"fee": "12.5"}, form="#step")
    page = office.browser(office.agent(), "en").get(f"/my/requests/{request_id}/")
    issued = page.soup.select_one("#issued").get_text(" ")
    assert "Register Extract" in issued and "EXR/1/" in issued
