"""Two who act on one row at the same instant, one of them at the office: the second is told why."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from clearance.models.enums import IssuedKind, Status
from tests.support import issued_factories
from tests.support.crossings import Instant, crossed
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient, form_data

Post = Callable[[], Page]
FORM = "main form[method=post]"
REASON = {"reason": "الوثائق غير واضحة."}

pytestmark = pytest.mark.databases


def opened(browser: PageClient, url: str) -> Post:
    """Open the page that asks before a step; posts it when it is called."""
    form = form_data(browser.get(url).form(FORM))
    return partial(_post, browser, url, form | REASON)


def _post(browser: PageClient, url: str, data: dict[str, str]) -> Page:
    return Page(browser.http.post(url, data=data, follow_redirects=True), url)


def loser_of(office: Office, first: Post, second: Post) -> Page:
    """Let the second one go by while the first waits for its lock; one of them is refused."""
    with crossed(office.app, Instant.LOCK, second) as came:
        pages = [first()]
    pages += came or [second()]
    assert sorted(page.status for page in pages) == [200, 409]
    return next(page for page in pages if page.status == 409)


@pytest.mark.parametrize("step", ["take", "return", "reject"])
def test_of_a_step_and_a_withdrawal_at_once_one_is_refused(office: Office, step: str) -> None:
    request_id = office.request(Status.SUBMITTED)
    deciding = opened(office.staff(), f"/office/requests/{request_id}/do/{step}")
    agent = office.browser(office.agent())
    withdrawing = opened(agent, f"/my/requests/{request_id}/do/withdraw")
    assert "This is no longer possible" in loser_of(office, deciding, withdrawing).text


def test_a_document_made_void_by_two_at_once_is_void_once(office: Office) -> None:
    with office.app.app_context():
        licence = issued_factories.make_licence()
        issued_id = issued_factories.make_issued(IssuedKind.CERTIFICATE, licence).id
    url = f"/office/issued/{issued_id}/do/void"
    mine, theirs = (opened(office.browser(office.person(name)), url) for name in "ab")
    assert "The document is already void." in loser_of(office, mine, theirs).text
