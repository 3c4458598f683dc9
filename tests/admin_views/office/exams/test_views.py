"""The office's pages about exams, as reviewers, managers and others meet them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from clearance.auth import rate_limits
from clearance.auth.sessions import actor_of
from clearance.core.clock import KUWAIT, kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import AccessEvent, Exam, Notice, User
from clearance.models.enums import Role, Status
from tests.support import factories
from tests.support.exam_factories import make_candidates, make_sitting, seat_of, status_of
from tests.support.pages import PageClient
from tests.support.sitting_pages import LANGUAGES, announced, details, held, new_values


def only_exam() -> Exam:
    statement = sa.select(Exam).execution_options(populate_existing=True)
    return db.session.scalars(statement).one()


# The list and the form


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_list_says_how_to_begin(
    reviewer: User, browser: Callable[..., PageClient], language: str
) -> None:
    client = browser(reviewer, language)
    page = client.get("/office/exams/")
    label = {"ar": "امتحان جديد", "en": "New exam"}[language]
    client.get(page.link(label))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reviewer_makes_a_sitting_in_kuwait_time(
    reviewer: User, browser: Callable[..., PageClient], language: str
) -> None:
    client = browser(reviewer, language)
    page = client.submit(client.get("/office/exams/new/"), new_values(), form="#sitting")
    exam = only_exam()
    day = (utc_now() + timedelta(days=30)).date()
    assert exam.held_at == datetime(day.year, day.month, day.day, 6, 30, tzinfo=UTC)
    assert (exam.seats, exam.created_by_id) == (25, reviewer.id)
    assert page.url == details(exam)
    assert day.strftime("%d/%m/%Y") + " 09:30" in page.h1
    listed = client.get("/office/exams/")
    assert day.strftime("%d/%m/%Y") + " 09:30" in listed.text


def test_the_same_form_twice_makes_one_sitting(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    client = browser(reviewer)
    form = client.get("/office/exams/new/")
    client.submit(form, new_values(), form="#sitting")
    client.submit(form, new_values(), form="#sitting")
    assert only_exam().seats == 25


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"held_on": ""}, "held_on"),
        ({"held_on": "31/02/2030"}, "held_on"),
        ({"held_on": "2020-01-01"}, "held_on"),
        ({"held_time": "25:00"}, "held_time"),
        ({"confirm_by": "2090-01-01"}, "confirm_by"),
        ({"confirm_by": "2020-01-01"}, "confirm_by"),
        ({"seats": "many"}, "seats"),
        ({"seats": "0"}, "seats"),
        ({"place_ar": ""}, "place_ar"),
        ({"place_en": "x" * 251}, "place_en"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_what_was_typed_stays(
    reviewer: User, browser: Callable[..., PageClient], values: dict[str, str], field: str
) -> None:
    client = browser(reviewer)
    form = client.get("/office/exams/new/")
    typed = new_values(**values)
    tag = form.form("#sitting")
    url = str(tag.get("action") or form.url)
    page = client._page(
        client.http.post(
            url,
            data={"csrf_token": client.csrf_token(), **typed},
            environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
        ),
        url,
        400 if field in {"held_on", "confirm_by", "seats"} and _is_well_formed(values) else 200,
        True,
    )
    assert page.error_of(field)
    kept = page.soup.find("input", attrs={"name": "held_time"})
    assert kept is not None
    assert kept["value"] == typed["held_time"]
    assert db.session.scalar(sa.select(Exam.id)) is None


def _is_well_formed(values: dict[str, str]) -> bool:
    """Whether the domain refuses the value, not the form."""
    return next(iter(values.values())) in {"2020-01-01", "2090-01-01", "0"}


def test_a_stale_save_shows_both_values(reviewer: User, browser: Callable[..., PageClient]) -> None:
    exam = make_sitting(actor_of(reviewer))
    client = browser(reviewer)
    mine = client.get(f"/office/exams/edit/?id={exam.id}")
    theirs = client.get(f"/office/exams/edit/?id={exam.id}")
    client.submit(theirs, {"seats": "7"}, form="#sitting")
    page = client.submit(mine, {"seats": "9"}, form="#sitting", status=409)
    alert = page.soup.select_one(".alert-danger")
    assert alert is not None
    assert [cell.get_text(strip=True) for cell in alert.select("tbody bdi")] == ["7", "9"]
    assert only_exam().seats == 7
    client.submit(page, {}, form="#sitting")
    assert only_exam().seats == 9


def test_a_new_time_is_told_to_the_seated(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam, (req,) = announced(reviewer, 1, confirmed=0)
    client = browser(reviewer)
    form = client.get(f"/office/exams/edit/?id={exam.id}")
    page = client.submit(form, {"held_time": "11:15"}, form="#sitting")
    assert "were notified" in page.text
    notice = db.session.scalars(sa.select(Notice).where(Notice.event == "exam:changed")).one()
    assert (notice.request_id, notice.params["time"]) == (req.id, "11:15")


def test_the_list_is_narrowed_to_upcoming_and_past(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    past, _candidates = held(reviewer, 1)
    ahead = make_sitting(actor_of(reviewer))
    client = browser(reviewer)
    for value, shown, hidden in (("upcoming", ahead, past), ("past", past, ahead)):
        rows = client.get(f"/office/exams/?flt0_when={value}").soup.select("main tbody tr")
        links = {str(anchor["href"]) for row in rows for anchor in row.select("a")}
        assert any(f"id={shown.id}" in link for link in links)
        assert not any(f"id={hidden.id}" in link for link in links)
    client.get("/office/exams/?flt0_when=never", status=400)


# Announcing


@pytest.mark.parametrize("language", LANGUAGES)
def test_announcing_is_confirmed_then_seats_in_order(
    reviewer: User, browser: Callable[..., PageClient], language: str
) -> None:
    exam = make_sitting(actor_of(reviewer))
    first, second, third = make_candidates(3, reviewer)
    client = browser(reviewer, language)
    page = client.get(details(exam))
    question = client.get(
        page.link({"ar": "نشر الإعلان وترشيح المتقدمين", "en": "Announce"}[language])
    )
    assert first.number in question.text
    assert third.number not in question.text
    assert status_of(first) == Status.PREAPPROVED
    done = client.submit(question, form="main form.inline-form")
    assert [status_of(req) for req in (first, second, third)] == [
        ExamStatus.SEATED,
        ExamStatus.SEATED,
        Status.PREAPPROVED,
    ]
    assert done.url == details(exam)
    assert first.number in done.text
    assert third.number not in done.text
    again = client.get(f"/office/exams/{exam.id}/do/announce")
    assert again.url == details(exam)
    client.post(f"/office/exams/{exam.id}/do/announce", {})
    assert status_of(third) == Status.PREAPPROVED


def test_an_own_file_passed_over_is_told(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam = make_sitting(actor_of(reviewer))
    mine, other = make_candidates(2, reviewer)
    reviewer.civil_id = mine.civil_id
    db.session.commit()
    client = browser(reviewer)
    page = client.submit(
        client.get(f"/office/exams/{exam.id}/do/announce"), form="main form.inline-form"
    )
    assert f"Request {mine.number} was skipped" in page.text
    assert [status_of(mine), status_of(other)] == [Status.PREAPPROVED, ExamStatus.SEATED]


# The final list


def test_exports_that_were_not_given_are_not_counted(
    reviewer: User, browser: Callable[..., PageClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rate_limits.POLICIES, "export_account", "1 per 1 hour")
    exam, _seated = announced(reviewer, 2, confirmed=1)
    client, url = browser(reviewer), f"/office/exams/{exam.id}/final-list.csv"
    for missing in (url, "/office/exams/999999/final-list.csv", f"{url}x"):
        client.get(missing, status=404)
    client.get("/office/exams/999999/results-sheet.csv", status=404)
    client.get("/office/exams/999999/results-sheet.xlsx", status=404)
    db.session.execute(sa.update(Exam).values(confirm_by=kuwait_today() - timedelta(days=1)))
    db.session.commit()
    assert client.get(url).response.mimetype == "text/csv"
    client.get(url, status=429)


def test_the_final_list_is_there_when_confirmations_are_closed(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam, (one, two) = announced(reviewer, 2, confirmed=1)
    client = browser(reviewer)
    client.get(f"/office/exams/{exam.id}/final-list", status=404)
    client.get(f"/office/exams/{exam.id}/final-list.csv", status=404)
    yesterday = utc_now().astimezone(KUWAIT).date() - timedelta(days=1)
    db.session.execute(sa.update(Exam).values(confirm_by=yesterday))
    db.session.commit()
    page = client.get(client.get(details(exam)).link("Final list"))
    assert one.civil_id in page.text
    assert two.number not in page.text
    csv = client.get(f"/office/exams/{exam.id}/final-list.csv").response
    assert csv.headers["Content-Disposition"].startswith("attachment")
    text = csv.get_data().decode("utf-8-sig")
    assert len(text.strip().splitlines()) == 2
    assert f'"{one.number}","{one.name_ar}","{one.name_en}","{one.civil_id}",' in text
    read = db.session.scalars(
        sa.select(AccessEvent.kind).where(AccessEvent.object_id == str(exam.id))
    ).all()
    assert {"exam:final_list", "export:csv", "exam:read"} <= set(read)


# Who may


SHEETS = ("{id}/results-sheet.csv", "{id}/results-sheet.xlsx")
WRITES = ("new/", "edit/?id={id}", "{id}/do/announce", "{id}/results", *SHEETS)
POSTS = ("new/", "edit/?id={id}", "{id}/do/announce", "{id}/results", "{id}/results/file")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_manager_reads_and_changes_nothing(
    reviewer: User, browser: Callable[..., PageClient], language: str
) -> None:
    exam, (req,) = held(reviewer, 1)
    client = browser(factories.make_staff(Role.MANAGER), language)
    client.get("/office/exams/")
    page = client.get(details(exam))
    assert req.number in page.text
    assert "/results" not in str(page.soup.main)
    assert "/edit/" not in str(page.soup.main)
    client.get(f"/office/exams/{exam.id}/final-list")
    client.get(f"/office/exams/{exam.id}/final-list.csv")
    for path in WRITES:
        client.get(f"/office/exams/{path.format(id=exam.id)}", status=404)
    posted = new_values() | {f"result-{seat_of(req).id}": "passed", "confirmed": "1"}
    for path in POSTS:
        client.post(f"/office/exams/{path.format(id=exam.id)}", posted, status=404)
    assert status_of(req) == ExamStatus.CONFIRMED


READS = ("", "details/?id={id}", "{id}/final-list", "{id}/final-list.csv")


@pytest.mark.parametrize("who", ["administrator", "agent"])
def test_nobody_else_finds_the_pages(
    reviewer: User, browser: Callable[..., PageClient], who: str
) -> None:
    exam, (req,) = held(reviewer, 1)
    user = (
        factories.make_staff(Role.ADMINISTRATOR)
        if who == "administrator"
        else db.session.get_one(User, req.created_by_id)
    )
    client = browser(user)
    for path in (*READS, *WRITES):
        client.get(f"/office/exams/{path.format(id=exam.id)}", status=404)
    for path in POSTS:
        client.post(f"/office/exams/{path.format(id=exam.id)}", {}, status=404)


def test_a_visitor_is_sent_to_sign_in(reviewer: User, client: PageClient) -> None:
    exam = make_sitting(actor_of(reviewer))
    answer = client.http.get(details(exam))
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=")


@pytest.mark.parametrize(
    "path", ["details/?id=999", "details/?id=1,2", "edit/?id=", "99999999999/results"]
)
def test_an_unknown_sitting_is_not_found(
    reviewer: User, browser: Callable[..., PageClient], path: str
) -> None:
    browser(reviewer).get(f"/office/exams/{path}", status=404)


@pytest.mark.parametrize("path", POSTS)
def test_a_post_without_a_csrf_token_is_refused(
    reviewer: User, browser: Callable[..., PageClient], path: str
) -> None:
    exam = make_sitting(actor_of(reviewer))
    make_candidates(1, reviewer)
    client = browser(reviewer)
    answer = client.http.post(f"/office/exams/{path.format(id=exam.id)}", data=new_values())
    assert answer.status_code == 400
    assert only_exam().announced_at is None


def test_the_day_to_confirm_is_shown_before_it_passes(
    reviewer: User, browser: Callable[..., PageClient]
) -> None:
    exam, _candidates = announced(reviewer, 1, confirmed=0)
    last: date = exam.confirm_by
    assert last.strftime("%d/%m/%Y") in browser(reviewer).get(details(exam)).text
