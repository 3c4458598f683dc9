"""Forms that act once: a double click, a refusal and the same form again, and both at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from clearance.accounts import staff_invitations
from clearance.core import crypto
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Event, InternalNote, Message
from clearance.models.enums import IssuedKind, Role, Status
from tests.support import (
    exam_factories,
    factories,
    issued_factories,
    member_factories,
    request_factories,
    sitting_pages,
    transfer_factories,
)
from tests.support.crossings import Instant, crossed
from tests.support.office_people import Office
from tests.support.pages import PageClient, form_data

REASON = {"reason": "الوثائق غير واضحة."}
OLD = {"version": "0"}


@dataclass
class Form:
    """A form of a page. wrong: what makes the office or the portal refuse it."""

    browser: PageClient
    page: str
    selector: str
    values: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] | None = None

    def opened(self) -> Callable[..., TestResponse]:
        """Open the page; gives what posts its form, with other values where named."""
        form = self.browser.get(self.page).form(self.selector)
        url, data = form.get("action") or self.page, form_data(form) | self.values

        def post(**other: str) -> TestResponse:
            return self.browser.http.post(url, data=data | other)

        return post


def deciding(office: Office) -> Form:
    request_id = office.request(Status.UNDER_REVIEW, reviewer=office.person("me"))
    url = f"/office/requests/{request_id}/do/reject"
    return Form(office.browser(office.person("me")), url, "#step", REASON, OLD)


def suspending(office: Office) -> Form:
    url = f"/office/licences/{office.licence()}/do/suspend"
    return Form(office.staff(), url, "#step", REASON, OLD)


def voiding(office: Office) -> Form:
    with office.app.app_context():
        licence = issued_factories.make_licence()
        issued_id = issued_factories.make_issued(IssuedKind.CERTIFICATE, licence).id
    return Form(office.staff(), f"/office/issued/{issued_id}/do/void", "#step", REASON)


def resetting(office: Office) -> Form:
    with office.app.app_context():
        secret = crypto.encrypt("JBSWY3DPEHPK3PXP")
    user_id = office.agent("Badr", totp_secret=secret, second_factor=True)
    url = f"/office/users/{user_id}/factor/reset"
    return Form(office.staff(Role.ADMINISTRATOR), url, "#step", REASON)


def inviting(office: Office) -> Form:
    office.person("Known", email="known@example.com")
    values = {"email": "new@example.com", "role": "reviewer"}
    browser = office.staff(Role.ADMINISTRATOR)
    return Form(
        browser, "/office/staff/invite", "#invitation", values, {"email": "known@example.com"}
    )


def noting(office: Office) -> Form:
    url = f"/office/requests/{office.request()}/"
    return Form(office.staff(), url, "#note-form", {"note": "Once"}, {"note": " "})


def answering(office: Office) -> Form:
    url = f"/office/requests/{office.request()}/"
    return Form(office.staff(), url, "#message-form", {"message": "Once"}, {"message": " "})


def withdrawing(office: Office) -> Form:
    url = f"/my/requests/{office.request()}/do/withdraw"
    return Form(office.browser(office.agent()), url, "#step", {}, OLD)


def asking(office: Office) -> Form:
    url = f"/my/requests/{office.request()}/"
    browser = office.browser(office.agent())
    return Form(browser, url, "form[action$='/messages']", {"body": "متى؟"}, {"body": " "})


def subscribing(office: Office) -> Form:
    with office.app.app_context():
        request_factories.publish(request_factories.TRIVIAL, subscription="by_approval")
    browser = office.browser(office.agent())
    return Form(browser, "/my/subscriptions/", "form[action$='/ask']", {}, {"version": "7"})


def declining(office: Office) -> Form:
    with office.app.app_context():
        offices = transfer_factories.make_offices()
        req = transfer_factories.make_sent(offices)
        url, user_id = f"/my/transfers/{req.id}/", offices.receiver.id
    return Form(office.browser(user_id), url, "#decline", REASON, OLD)


def sending_link(office: Office) -> Form:
    with office.app.app_context():
        offices = transfer_factories.make_offices()
        req = transfer_factories.make_accepted(offices)
        url, user_id = f"/my/requests/{req.id}/", offices.releaser.id
    return Form(office.browser(user_id), url, "form[action$='/link']", {}, OLD)


def opening(office: Office) -> Form:
    browser = office.browser(office.agent())
    values = {"organisation_name": "Pearl Company"}
    return Form(browser, "/my/organisations/", "#named-form", values)


def changing_role(office: Office) -> Form:
    url = f"/office/staff/{office.person('Known')}/role"
    return Form(office.staff(Role.ADMINISTRATOR), url, "#step", {"role": "manager"}, OLD)


def disabling(office: Office) -> Form:
    url = f"/office/staff/details/?id={office.person('Known')}"
    return Form(office.staff(Role.ADMINISTRATOR), url, "form[action$='/disable']")


def enabling(office: Office) -> Form:
    url = f"/office/staff/details/?id={office.person('Known', is_active=False)}"
    return Form(office.staff(Role.ADMINISTRATOR), url, "form[action$='/enable']")


def withdrawing_staff_invitation(office: Office) -> Form:
    with office.app.app_context():
        staff_invitations.invite_staff("new@example.com", Role.REVIEWER, utc_now())
        db.session.commit()
    browser = office.staff(Role.ADMINISTRATOR)
    return Form(browser, "/office/staff/", "form[action$='/withdraw']")


def withdrawing_invitation(office: Office) -> Form:
    world = member_factories.World(office.app)
    client = world.client(world.general)
    page = client.get("/my/users/new/")
    client.submit(page, member_factories.filled(office.app, page), form="#user-form")
    return Form(client, "/my/users/", "form[action$='/withdraw']")


def recording(office: Office) -> Form:
    with office.app.app_context():
        reviewer = factories.make_staff()
        exam, (req,) = sitting_pages.held(reviewer, 1)
        seat_id, user_id = exam_factories.seat_of(req).id, reviewer.id
        url = f"/office/exams/{exam.id}/results"
        db.session.commit()
    values = {f"result-{seat_id}": "passed", "confirmed": "1"}
    return Form(office.browser(user_id), url, "#results-grid", values)


FORMS = [
    changing_role,
    disabling,
    enabling,
    withdrawing_staff_invitation,
    withdrawing_invitation,
    recording,
    deciding,
    suspending,
    voiding,
    resetting,
    inviting,
    noting,
    answering,
    withdrawing,
    asking,
    subscribing,
    declining,
    sending_link,
    opening,
]
REFUSED = [
    changing_role,
    deciding,
    suspending,
    inviting,
    noting,
    answering,
    withdrawing,
    asking,
    subscribing,
    declining,
    sending_link,
]
# Notes and messages are judged before any lock; a link is sent once a minute.
CROSSED = [make for make in REFUSED if make not in (noting, answering, sending_link)]


@pytest.fixture
def office(app: Flask) -> Office:
    return Office(app)


def done(office: Office) -> int:
    """How much was recorded, written or noted until now."""
    with office.app.app_context():
        tables = (Event, Message, InternalNote)
        return sum(len(db.session.scalars(sa.select(table.id)).all()) for table in tables)


@pytest.mark.parametrize("make", FORMS)
def test_a_double_click_acts_once_and_leads_to_the_same_place(
    office: Office, make: Callable[[Office], Form]
) -> None:
    post = make(office).opened()
    before = done(office)
    first = post()
    after = done(office)
    second = post()
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert before < after == done(office)


@pytest.mark.parametrize("make", REFUSED)
def test_a_refused_form_can_be_sent_again(office: Office, make: Callable[[Office], Form]) -> None:
    form = make(office)
    post = form.opened()
    before = done(office)
    assert post(**(form.wrong or {})).status_code in (400, 409)
    assert done(office) == before
    assert post().status_code == 303
    assert done(office) > before


@pytest.mark.databases
@pytest.mark.parametrize("make", CROSSED)
def test_a_refusal_that_crosses_a_second_click_leads_where_that_click_did(
    office: Office, make: Callable[[Office], Form]
) -> None:
    form = make(office)
    post = form.opened()
    with crossed(office.app, Instant.ROLLBACK, post) as came:
        first = post(**(form.wrong or {}))
    assert [(each.status_code, each.location) for each in came] == [(303, first.location)]
    assert first.status_code == 303
