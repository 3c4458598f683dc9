"""Several brokers at once: choosing them, one table for all, and what becomes of each row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.models import Organisation
from clearance.models.enums import Status
from clearance.requests import available_actions, batch
from tests.admin_views.my.conftest import People
from tests.support import factories, issued_factories
from tests.support.batches import FORM, START, begin, make_licences
from tests.support.pages import PageClient, form_data
from tests.support.rows import all_requests

CHOSEN = 'input[name="licence"][checked], input[name="licence"][type="hidden"]'


# Choosing


def test_brokers_that_cannot_be_asked_for_stand_with_their_reason(
    app: Flask, mine: PageClient, people: People
) -> None:
    (good,) = make_licences(app, people, 1)
    (far,) = make_licences(app, people, 1, expires=kuwait_today() + timedelta(days=900))
    page = mine.get(START)
    boxes = {box["value"]: box for box in page.soup.select('input[name="licence"]')}
    assert not boxes[str(good)].has_attr("disabled")
    reason = page.soup.find(id=boxes[str(far)]["aria-describedby"]).get_text(" ", strip=True)
    with app.app_context():
        actor = actor_of(people.owner)
        (refusal,) = available_actions.startable_for([far], ["renewal"], actor, utc_now()).values()
        assert refusal is not None
    assert boxes[str(far)].has_attr("disabled") and reason


def test_all_are_chosen_by_the_server_and_stay_so_while_searching(
    app: Flask, mine: PageClient, people: People
) -> None:
    make_licences(app, people, 3)
    make_licences(app, people, 1, name_ar_1="زيد", name_en_1="Zaid")
    page = mine.submit(mine.get(START), {"search": "Broker"}, form="#choose", press="do=all")
    assert len(page.soup.select('input[name="licence"][checked]')) == 3
    page = mine.submit(page, {"search": "Zaid"}, form="#choose")
    assert len(page.soup.select('input[name="licence"][type="checkbox"]')) == 1
    assert len(page.soup.select('input[name="licence"][type="hidden"]')) == 3
    page = mine.submit(page, {"_language": "ar"}, form="#choose")
    assert page.soup.html["lang"] == "ar"
    assert len(page.soup.select('input[name="licence"][type="hidden"]')) == 3
    page = mine.submit(page, form="#choose", press="do=none")
    assert not page.soup.select(
        'input[name="licence"][checked], input[name="licence"][type=hidden]'
    )
    page = mine.submit(page, form="#choose", press="do=begin", status=409)
    assert page.soup.select_one(".error-summary")
    assert all_requests(app) == []


def test_no_more_are_taken_than_fit_into_a_grid(
    app: Flask, mine: PageClient, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert batch.MAX_ROWS == 100
    monkeypatch.setattr(batch, "MAX_ROWS", 3)
    ids = make_licences(app, people, 5)
    page = mine.submit(mine.get(START), form="#choose", press="do=all")
    assert len(page.soup.select(CHOSEN)) == 3
    page = mine.submit(page, {"licence": ids}, form="#choose", press="do=begin", status=409)
    assert "up to 3 brokers" in page.soup.select_one(".error-summary").get_text()
    assert all_requests(app) == []


def test_a_grid_begins_once_however_often_next_is_pressed(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = mine.get(START)
    first = mine.submit(page, {"licence": three}, form="#choose", press="do=begin")
    again = mine.submit(page, {"licence": three[:2]}, form="#choose", press="do=begin")
    assert first.url == again.url
    assert {req.licence_id for req in all_requests(app)} == set(three)
    assert len(all_requests(app)) == 3


def test_foreign_and_closed_licences_posted_by_force_are_left_out(
    app: Flask, mine: PageClient, people: People, three: list[int]
) -> None:
    with app.app_context():
        foreign = issued_factories.make_licence(expires=kuwait_today()).id
    (closed,) = make_licences(app, people, 1, expires=kuwait_today() + timedelta(days=900))
    data = {"licence": [foreign, closed, three[0], "x", "9" * 30], "do": "begin"}
    mine.post(START, data, check=False)
    assert [req.licence_id for req in all_requests(app)] == [three[0]]
    mine.post(START, {"licence": [foreign], "do": "begin"}, status=409)
    assert len(all_requests(app)) == 1


def test_who_may_not_use_the_service_is_told_and_begins_nothing(
    app: Flask, browser: Callable[..., PageClient], people: People, three: list[int]
) -> None:
    client = browser(people.ungranted)
    page = client.get(START)
    assert "not have access to this service" in page.text
    assert not page.soup.select("#choose")
    page = client.post(START, {"licence": three, "do": "begin"}, status=409)
    assert "not have access to this service" in page.text
    assert all_requests(app) == []
    client.post(START, {"_language": "ar"})


@pytest.mark.parametrize("code", ["exam", "cancellation", "nothing"])
def test_services_that_are_not_for_several_have_no_such_page(mine: PageClient, code: str) -> None:
    mine.get(f"/my/services/{code}/several", status=404)


def test_a_grid_is_its_organisations_own(
    app: Flask,
    browser: Callable[..., PageClient],
    mine: PageClient,
    people: People,
    three: list[int],
) -> None:
    page = begin(mine, three)
    colleague = browser(people.granted)
    with app.app_context():
        helper = factories.make_agent(
            db.session.get_one(Organisation, people.organisation.id),
            is_general=False,
            services=("renewal",),
        )
    browser(helper).get(page.url)
    for client in (colleague, browser(people.foreign), browser(people.staff)):
        client.get(page.url, status=404)
        client.post(f"{page.url}/autosave", {}, status=404, check=False)
        client.post(page.url, {"submit": "send"}, status=404, check=False)
        client.post(f"{page.url}/documents/1/remove", {}, status=404, check=False)
    mine.get(page.url.replace("renewal", "letter"), status=404)
    answer = browser().http.get(page.url)
    assert answer.location == f"/login?next={page.url}"


# Filling in


def test_what_is_known_is_filled_in_and_shown(app: Flask, mine: PageClient, people: People) -> None:
    ids = make_licences(app, people, 1, passport_no="P-77")
    page = begin(mine, ids)
    (req,) = all_requests(app)
    assert page.soup.find(attrs={"name": f"{req.id}-passport_no"})["value"] == "P-77"
    row = page.soup.find(id=f"row-{req.id}")
    assert req.civil_id in row.get_text()
    assert not row.find(attrs={"name": f"{req.id}-civil_id"})


def test_one_value_fills_a_column_without_scripts_and_is_saved(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = begin(mine, three)
    assert not page.soup.find(attrs={"name": "all-passport_no"})
    values = {"all-licence_expiry": "01/05/2031", "all-email": "x"}
    page = mine.submit(page, values, form=FORM, press="submit=fill")
    days = {str(req.licence_expiry) for req in all_requests(app)}
    assert days == {"2031-05-01"}
    assert page.error_of("all-email")
    inputs = page.soup.select('[data-column="licence_expiry"]')
    assert {field["value"] for field in inputs} == {"01/05/2031"}
    assert {field["placeholder"] for field in inputs} <= {
        "Day / month / year",
        "اليوم / الشهر / السنة",
    }


def test_a_change_of_language_keeps_what_was_typed_and_says_what_is_wrong_in_it(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = begin(mine, three)
    first = all_requests(app)[0]
    typed = {f"{first.id}-mobile": "12", f"{first.id}-passport_no": "N-1", "all-email": "later@"}
    page = mine.submit(page, typed, form=FORM, press="_language=ar")
    assert page.soup.html["lang"] == "ar"
    assert page.soup.find(attrs={"name": f"{first.id}-mobile"})["value"] == "12"
    assert page.soup.find(attrs={"name": "all-email"})["value"] == "later@"
    assert "الهاتف" in page.error_of(f"{first.id}-mobile")
    assert all_requests(app)[0].passport_no == "N-1"


def test_autosave_keeps_what_is_good_and_counts_the_versions(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = begin(mine, three)
    one, two, _three = all_requests(app)
    data = form_data(page.form(FORM)) | {f"{one.id}-passport_no": "N-9", f"{two.id}-mobile": "1"}
    headers = {"Accept": "application/json"}
    answer = mine.http.post(f"{page.url}/autosave", data=data, headers=headers).get_json()
    assert answer["versions"][f"{one.id}-version"] == one.version + 1
    assert answer["versions"][f"{two.id}-version"] == two.version
    saved = all_requests(app)
    assert (saved[0].passport_no, saved[1].mobile) == ("N-9", two.mobile)
    stale = data | {f"{one.id}-passport_no": "N-10"}
    answer = mine.http.post(f"{page.url}/autosave", data=stale, headers=headers)
    assert answer.status_code == 409
    assert "Broker0" in answer.get_json()["error"]
    assert all_requests(app)[0].passport_no == "N-9"


def test_what_another_saved_meanwhile_is_shown_beside_what_was_typed(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = begin(mine, three)
    first, second = all_requests(app)[:2]
    mine.submit(page, {f"{first.id}-passport_no": "THEIRS"}, form=FORM, press="submit=save")
    typed = {f"{first.id}-passport_no": "OURS", f"{second.id}-passport_no": "GOOD"}
    page = mine.submit(page, typed, form=FORM, press="submit=save", status=409)
    row = page.soup.find(id=f"row-{first.id}")
    assert "THEIRS" in row.get_text()
    assert row.find(attrs={"name": f"{first.id}-passport_no"})["value"] == "OURS"
    assert [req.passport_no for req in all_requests(app)[:2]] == ["THEIRS", "GOOD"]
    mine.submit(page, form=FORM, press="submit=save")
    assert all_requests(app)[0].passport_no == "OURS"


def test_fields_the_page_has_not_change_nothing(
    app: Flask, mine: PageClient, three: list[int]
) -> None:
    page = begin(mine, three)
    first = all_requests(app)[0]
    forged = {f"{first.id}-civil_id": "1", f"{first.id}-status": "approved", "999-mobile": "1"}
    mine.submit(page, forged, form=FORM, press="submit=save")
    after = all_requests(app)[0]
    assert (after.civil_id, after.status) == (first.civil_id, Status.DRAFT)
