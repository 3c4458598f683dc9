"""The closed base views: what they refuse, what they scope, what addresses may say."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from flask import Flask, get_flashed_messages
from flask_admin import BaseView, expose
from flask_admin.actions import action
from flask_admin.contrib.sqla import ModelView
from sqlalchemy.exc import IntegrityError
from wtforms.validators import Length

from admin_views.base import keyset_list
from admin_views.base.access import current_actor
from admin_views.base.columns import Column
from admin_views.base.filters import DateFilter, ListFilter
from admin_views.base.keyset_list import COUNT_CAP, KeysetModelView
from admin_views.base.model_view import GuardedModelView, GuardedView, unsaved_changes
from clearance.core.actor import Actor
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.models import AccessEvent, Event, Holiday, Notice, User
from clearance.models.enums import Role, SessionStage
from tests.support import factories, workbooks
from tests.support.pages import PageClient

OVERRIDDEN = {
    BaseView: ("_run_view", "is_accessible", "inaccessible_callback", "render"),
    ModelView: (
        "_get_list_extra_args",
        "_get_list_filter_args",
        "_on_model_change",
        "action_delete",
        "action_view",
        "ajax_lookup",
        "ajax_update",
        "create_form",
        "create_view",
        "delete_view",
        "details_view",
        "edit_form",
        "edit_view",
        "export",
        "get_actions_list",
        "get_count_query",
        "get_filter_arg",
        "get_list",
        "get_one",
        "get_query",
        "handle_view_exception",
        "init_search",
        "on_model_delete",
        "scaffold_auto_joins",
        "scaffold_form",
        "search_placeholder",
    ),
}


class Notices(KeysetModelView):
    """A list of the reader's own notices, for trying the base view."""

    can_export = True
    can_view_details = True
    columns = (
        Column("id", "Id"),
        Column("event", "Event"),
        Column("created_at", "Created At", order=True, is_exported=False),
    )
    column_details_list = ("event",)
    column_filters = (
        ListFilter("event", "Event", lambda v: Notice.event == v, [("a", "A"), ("b", "B")]),
        DateFilter("day", "Day", lambda day: sa.func.date(Notice.created_at) == day.isoformat()),
    )
    page_size = 25
    done: ClassVar[list[list[int]]] = []

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_agent

    def scope(self, query: Any) -> Any:
        return query.where(Notice.user_id == current_actor().id)

    @action("mark", "Mark")
    def mark(self, ids: list[int]) -> None:
        self.done.append(ids)


class Holidays(GuardedModelView):
    """Reference data that is fully open to administrators."""

    can_create = can_edit = can_delete = can_view_details = True
    columns = (Column("day", "Day"), Column("name_ar", "Name Ar"))
    column_details_list = ("day", "name_ar", "name_en")
    form_columns = ("day", "name_ar", "name_en")
    column_default_sort = "day"
    audit_kind = "holiday"
    form_args: ClassVar[dict[str, Any]] = {"name_ar": {"validators": [Length(max=20)]}}
    known_constraints: ClassVar[dict[str, Any]] = {"holiday": "This day is there already."}

    def accessible_to(self, actor: Actor) -> bool:
        return actor.is_administrator

    def scope(self, query: Any) -> Any:
        return query


class Faults(GuardedView):
    """A view with a fault."""

    calls = 0

    def accessible_to(self, actor: Actor) -> bool:
        return True

    @expose("/")
    def index(self) -> str:
        Faults.calls += 1
        raise TypeError("the view's own")


@pytest.fixture
def trial(make_app: Callable[..., Flask]) -> Flask:
    """An application with the trial views in both areas."""
    app = make_app()
    mine, office = app.extensions["admin"]
    with app.app_context():
        mine.add_view(Notices(Notice, name="Trial", endpoint="trial", url="/my/trial"))
        office.add_view(Holidays(Holiday, name="Days", endpoint="days", url="/office/days"))
        office.add_view(Faults(name="Faults", endpoint="faults", url="/office/faults"))
    Notices.done.clear()
    return app


@pytest.fixture
def agent(trial: Flask) -> User:
    with trial.app_context():
        return factories.make_agent()


@pytest.fixture
def mine(trial: Flask, agent: User) -> PageClient:
    return factories.browser_of(trial, agent)


def staff(app: Flask, role: Role = Role.ADMINISTRATOR) -> PageClient:
    with app.app_context():
        user = factories.make_staff(role)
    return factories.browser_of(app, user)


def make_notices(app: Flask, user: User, count: int, event: str = "a") -> list[int]:
    with app.app_context():
        notices = [
            Notice(user_id=user.id, event=event, params={}, created_at=factories.utc_now())
            for _each in range(count)
        ]
        db.session.add_all(notices)
        db.session.commit()
        return [notice.id for notice in notices]


def ids_on(page: Any) -> list[int]:
    return [int(row.find("td", attrs={"data-label": "Id"}).text) for row in rows_of(page)]


def rows_of(page: Any) -> list[Any]:
    return page.soup.select("main tbody tr")


def test_flask_admin_is_the_version_whose_hooks_we_override() -> None:
    assert version("Flask-Admin") == "2.2.1"
    for view, hooks in OVERRIDDEN.items():
        missing = [name for name in hooks if not inspect.isfunction(getattr(view, name, None))]
        assert not missing, f"{view.__name__} has lost {missing}"


def test_a_view_that_opens_nothing_refuses_every_signed_in_reader() -> None:
    assert not GuardedView.accessible_to(None, None)
    for flag in ("can_create", "can_edit", "can_delete", "can_export", "can_view_details"):
        assert getattr(GuardedModelView, flag) is False


@pytest.mark.parametrize("left_out", ["columns", "column_default_sort", "form_columns"])
def test_a_view_without_an_explicit_list_does_not_start(context: Flask, left_out: str) -> None:
    view = type("Open", (Holidays,), {left_out: ()})
    with pytest.raises(TypeError, match=left_out):
        view(Holiday, endpoint="open")


def test_inline_editing_does_not_start(context: Flask) -> None:
    view = type("Open", (Holidays,), {"column_editable_list": ("name_ar",)})
    with pytest.raises(TypeError, match="inline"):
        view(Holiday, endpoint="open")


def test_a_view_must_say_whom_it_shows_what(context: Flask) -> None:
    with pytest.raises(NotImplementedError):
        GuardedModelView.scope(object(), None)


def test_an_anonymous_reader_is_sent_to_sign_in_and_back(trial: Flask) -> None:
    response = PageClient(trial).http.get("/my/trial/?sort=2")
    assert response.status_code == 302
    assert response.location.startswith("/login?next=/my/trial/?sort")


def test_an_anonymous_script_gets_401_as_json(trial: Flask) -> None:
    response = PageClient(trial).http.get("/my/trial/", headers={"Accept": "application/json"})
    assert (response.status_code, response.mimetype) == (401, "application/json")


def test_a_reader_whose_codes_are_not_right_yet_is_sent_to_verify(trial: Flask) -> None:
    with trial.app_context():
        user = factories.make_user()
    client = factories.browser_of(trial, user, language=None, stage=SessionStage.VERIFY)
    assert client.http.get("/my/trial/").location == "/verify"


def test_another_role_gets_404_and_it_is_noted(trial: Flask) -> None:
    staff(trial).get("/my/trial/", status=404)
    with trial.app_context():
        kinds = db.session.scalars(sa.select(AccessEvent.kind)).all()
    assert "access:refused:not_found" in kinds


def test_the_list_shows_the_readers_rows_only(trial: Flask, agent: User, mine: PageClient) -> None:
    own = make_notices(trial, agent, 3)
    with trial.app_context():
        other = factories.make_agent()
    make_notices(trial, other, 2)
    page = mine.get("/my/trial/")
    assert ids_on(page) == sorted(own, reverse=True)
    assert "3 rows" in page.text


@pytest.mark.parametrize("row", ["foreign", "999999", "0", "-1", "1,2", "x", "9" * 30, ""])
def test_details_of_foreign_missing_and_impossible_rows_are_404_alike(
    trial: Flask, mine: PageClient, row: str
) -> None:
    with trial.app_context():
        other = factories.make_agent()
    foreign = make_notices(trial, other, 1)[0]
    mine.get(f"/my/trial/details/?id={foreign if row == 'foreign' else row}", status=404)


@pytest.mark.parametrize("path", ["new/", "edit/?id=1", "ajax/lookup/?name=x"])
def test_what_is_not_opened_is_404(mine: PageClient, path: str) -> None:
    mine.get(f"/my/trial/{path}", status=404)


@pytest.mark.parametrize("path", ["new/", "edit/?id=1", "delete/", "ajax/update/"])
def test_what_is_not_opened_cannot_be_posted(
    trial: Flask, agent: User, mine: PageClient, path: str
) -> None:
    row = make_notices(trial, agent, 1)[0]
    mine.post(f"/my/trial/{path}", {"id": row, "list_form_pk": row, "event": "b"}, status=404)
    with trial.app_context():
        assert db.session.get(Notice, row).event == "a"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("page=9223372036854775807", 400),
        ("page=99999", 404),
        ("page=x", 400),
        ("page=-1", 400),
        ("sort=99", 400),
        ("sort=x", 400),
        ("sort=0", 400),
        ("page_size=x", 400),
        ("flt0_event=nothing", 400),
        ("flt1_day=31/12/2026", 200),
        ("flt1_day=31/13/2026", 400),
        ("after=x", 404),
        ("after=999999", 404),
        ("before=99999999999999999999", 404),
        ("endpoint=x&_external=1&_scheme=javascript", 200),
        ("search=" + "x" * 400, 200),
    ],
)
def test_wrong_arguments_never_end_in_a_fault(mine: PageClient, query: str, status: int) -> None:
    mine.get(f"/my/trial/?{query}", status=status)


def test_filters_are_a_get_form_with_ascii_names(
    trial: Flask, agent: User, mine: PageClient
) -> None:
    make_notices(trial, agent, 2)
    wanted = make_notices(trial, agent, 1, event="b")
    page = mine.get("/my/trial/?open=filters")
    page = mine.submit(page, {"flt0_event": "b"}, form=".panel form")
    assert ids_on(page) == wanted
    assert page.soup.select_one(".chip")


def test_a_chip_opens_the_choices_of_its_filter_and_takes_it_away(
    trial: Flask, agent: User, mine: PageClient
) -> None:
    everything = make_notices(trial, agent, 2)
    wanted = make_notices(trial, agent, 1, event="b")
    page = mine.get("/my/trial/?flt0_event=a")
    opened = mine.get(page.soup.select_one(".chip a[data-panel]")["href"])
    links = opened.soup.select(".panel-choices a")
    choices = {next(link.stripped_strings): link["href"] for link in links}
    page = mine.get(choices["B"])
    assert ids_on(page) == wanted
    page = mine.get(page.soup.select(".chip-remove")[-1]["href"])
    assert ids_on(page) == [*wanted, *sorted(everything, reverse=True)]


def test_a_script_gets_the_choices_alone_and_without_reading_the_list(
    trial: Flask, mine: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Notices, "get_list", None)
    answer = mine.http.get("/my/trial/?open=event", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert answer.get_data(as_text=True).lstrip().startswith("<section")


@pytest.mark.databases
def test_pages_by_keys_go_forth_and_back_without_gap_or_repeat(
    trial: Flask, agent: User, mine: PageClient
) -> None:
    make_notices(trial, agent, 60)
    for query in ("", "?sort=2", "?sort=2&desc=1"):
        seen, page = [], mine.get(f"/my/trial/{query}")
        first = ids_on(page)
        while True:
            seen += ids_on(page)
            following = page.soup.select_one("a[rel=next]")
            if following is None:
                break
            page = mine.get(following["href"])
        assert len(seen) == len(set(seen)) == 60
        while (before := page.soup.select_one("a[rel=prev]")) is not None:
            page = mine.get(before["href"])
        assert ids_on(page) == first


def test_an_anchor_outside_the_scope_is_404(trial: Flask, mine: PageClient) -> None:
    with trial.app_context():
        other = factories.make_agent()
    foreign = make_notices(trial, other, 1)[0]
    mine.get(f"/my/trial/?after={foreign}", status=404)


def test_the_count_stops_at_its_cap(trial: Flask, agent: User, mine: PageClient) -> None:
    make_notices(trial, agent, COUNT_CAP + 1)
    assert "More than 1,000 rows" in mine.get("/my/trial/").text


def test_an_export_has_the_rows_of_the_scope_and_is_noted(
    trial: Flask, agent: User, mine: PageClient
) -> None:
    own = make_notices(trial, agent, 2)
    with trial.app_context():
        other = factories.make_agent()
    make_notices(trial, other, 2, event="b")
    text = mine.http.get("/my/trial/export/csv/").get_data(as_text=True)
    lines = text.lstrip("\ufeff").strip().splitlines()
    assert lines[1:] == [f'"{each}","a"' for each in sorted(own, reverse=True)]
    workbook = mine.http.get("/my/trial/export/xlsx/").get_data()
    assert workbooks.cells(workbook)[1:] == [[each, "a"] for each in sorted(own, reverse=True)]
    mine.get("/my/trial/export/xls/", status=404)
    with trial.app_context():
        noted = db.session.scalars(sa.select(AccessEvent.kind)).all()
        assert {"export:csv", "export:xlsx"} <= set(noted)


@pytest.mark.databases
@pytest.mark.parametrize("query", ["", "?sort=2", "?sort=2&desc=1"])
def test_an_export_in_parts_has_every_row_once_in_the_order_of_the_list(
    trial: Flask, agent: User, mine: PageClient, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_notices(trial, agent, 60)
    whole = mine.http.get(f"/my/trial/export/csv/{query}").get_data(as_text=True)
    assert len(set(whole.splitlines())) == 61
    for first, size in ((1, 1), (7, 7), (60, 60), (200, 1)):
        monkeypatch.setattr(keyset_list, "EXPORTED_FIRST", first)
        monkeypatch.setattr(keyset_list, "EXPORTED_AT_ONCE", size)
        assert mine.http.get(f"/my/trial/export/csv/{query}").get_data(as_text=True) == whole


@pytest.mark.databases
def test_no_transaction_is_open_while_an_export_is_read_slowly(
    trial: Flask, agent: User, mine: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_notices(trial, agent, 60)
    monkeypatch.setattr(keyset_list, "EXPORTED_FIRST", 7)
    monkeypatch.setattr(keyset_list, "EXPORTED_AT_ONCE", 7)
    with trial.app_context():
        pool = db.engine.pool
    answer = mine.http.get("/my/trial/export/csv/", buffered=False)
    parts = 0
    for _part in answer.iter_encoded():
        parts += 1
        assert pool.checkedout() == 0
    answer.close()
    assert parts > 5


def test_exports_have_a_limit(trial: Flask, mine: PageClient) -> None:
    answers = [mine.http.get("/my/trial/export/csv/").status_code for _each in range(11)]
    assert answers == [200] * 10 + [429]


def test_an_action_gets_the_chosen_rows_of_the_scope_only(
    trial: Flask, agent: User, mine: PageClient
) -> None:
    own = make_notices(trial, agent, 2)
    with trial.app_context():
        other = factories.make_agent()
    foreign = make_notices(trial, other, 1)
    chosen = [*own, *foreign, "1,2", "x", own[0]]
    mine.post("/my/trial/action/", {"action": "mark", "rowid": chosen})
    assert Notices.done == [own]


@pytest.mark.parametrize("name", ["delete", "nothing", ""])
def test_an_action_that_is_not_offered_is_404(
    trial: Flask, agent: User, mine: PageClient, name: str
) -> None:
    row = make_notices(trial, agent, 1)
    mine.post("/my/trial/action/", {"action": name, "rowid": row}, status=404)
    with trial.app_context():
        assert db.session.get(Notice, row[0]) is not None


def test_an_action_without_rows_says_so(mine: PageClient) -> None:
    page = mine.post("/my/trial/action/", {"action": "mark"})
    assert "Select at least one row first." in page.text


def test_a_type_error_of_a_view_is_not_hidden_by_a_second_call(trial: Flask) -> None:
    Faults.calls = 0
    staff(trial).get("/office/faults/", status=500)
    assert Faults.calls == 1


def test_changes_of_reference_data_stand_in_the_trail(trial: Flask) -> None:
    client = staff(trial)
    page = client.get("/office/days/new/")
    values = {"day": "2026-03-17", "name_ar": "العيد الوطني", "name_en": "National Day"}
    client.submit(page, values, form="main form")
    page = client.get("/office/days/edit/?id=2026-03-17")
    client.submit(page, {"name_en": "National day"}, form="main form")
    client.post("/office/days/delete/", {"id": "2026-03-17"})
    with trial.app_context():
        events = db.session.scalars(sa.select(Event).order_by(Event.id)).all()
        assert [event.kind for event in events][-3:] == [
            "reference:holiday:created",
            "reference:holiday:changed",
            "reference:holiday:deleted",
        ]
        assert events[-2].changes == {"name_en": ["National Day", "National day"]}
        assert db.session.get(Holiday, date(2026, 3, 17)) is None


def test_a_refused_form_of_reference_data_keeps_what_was_typed(trial: Flask) -> None:
    client = staff(trial)
    values = {"day": "2026-03-17", "name_ar": "عيد", "name_en": "Feast"}
    for _each in range(2):
        page = client.submit(client.get("/office/days/new/"), values, form="main form")
    assert page.error_of("day")
    assert page.soup.find(attrs={"name": "name_en"})["value"] == "Feast"


def test_our_own_errors_are_told_and_faults_are_not(context: Flask) -> None:
    view = Holidays(Holiday, endpoint="alone")
    with context.test_request_context():
        assert view.handle_view_exception(DomainError("Not today.")) is True
        clash = IntegrityError("", {}, Exception("UNIQUE constraint failed: holiday.day"))
        assert view.handle_view_exception(clash) is True
        assert get_flashed_messages() == ["Not today.", "This day is there already."]
        with pytest.raises(ZeroDivisionError):
            view.handle_view_exception(ZeroDivisionError())
        with pytest.raises(IntegrityError):
            view.handle_view_exception(IntegrityError("", {}, Exception("other")))


def test_changes_are_json_values(context: Flask) -> None:
    user = factories.make_user()
    user.created_at = factories.utc_now()
    user.first_name = "جديد"
    found = unsaved_changes(user)
    assert found["first_name"] == ["سالم", "جديد"]
    assert isinstance(found["created_at"][1], str)
    db.session.rollback()
