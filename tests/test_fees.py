"""The worked example of an extension (examples/fees): an effect with a decision of its own."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.core.settings import ROOT
from clearance.models import Event, Request, User
from clearance.models.enums import Status
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


def test_a_definition_without_what_the_effect_needs_is_refused_with_the_path(
    office: Office,
) -> None:
    assert EXTENSION.definitions is not None
    text = (EXTENSION.definitions / "extract.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    del document["roles"]
    with office.app.app_context():
        assert versions.faults(document) == ["on_approval: charge_fee needs roles: payer"]


def test_the_guide_for_contributors_names_the_examples_files() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    files = [path for path in (ROOT / "examples").rglob("*") if path.suffix in {".py", ".yaml"}]
    assert len(files) == 2
    assert [path for path in files if str(path.relative_to(ROOT)) not in guide] == []
