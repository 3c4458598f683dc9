"""Long lists as workbooks: ordered, written by a job, fetched by who ordered them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from admin_views.base import open_lists
from clearance import exports
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.database import own_transaction
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.exports import making
from clearance.files import storage
from clearance.jobs import retention
from clearance.models import ListExport, Membership, Notice, Request, User
from clearance.models.enums import ExportStatus, Role
from clearance.web import xlsx_export
from clearance.web.sheets import Head, Kind, Table
from tests.support import export_rows, factories, request_factories, workbooks
from tests.support.rows import count_of


@pytest.fixture
def manager(context: Flask) -> User:
    request_factories.load_services()
    user = factories.make_staff(Role.MANAGER)
    db.session.commit()
    return user


def ordered(user: User, **values: Any) -> int:
    export = export_rows.ordered(user, **values)
    db.session.commit()
    return export.id


def state_of(export_id: int) -> str:
    db.session.rollback()
    return db.session.get_one(ListExport, export_id).status


def fetched(context: Flask, user: User, export_id: int) -> bytes:
    actor = actor_of(user)
    db.session.rollback()
    with factories.visit(context):
        stream, _export = exports.open_file(actor, export_id, utc_now())
        with stream:
            return stream.read()


def opens(monkeypatch: pytest.MonkeyPatch, context: Flask, table: Table) -> None:
    """Let the job read this table, whatever list is ordered."""

    @contextmanager
    def tables(*_which: Any) -> Iterator[Sequence[Table]]:
        yield [table]

    monkeypatch.setitem(context.extensions, making._OPEN, tables)


def rows_of(*parts: Any) -> Table:
    def read() -> Iterator[Any]:
        for part in parts:
            if callable(part):
                part()
            else:
                yield [part]

    return Table("A", [Head("Number", Kind.NUMBER)], read())


@pytest.mark.databases
def test_the_job_writes_what_its_person_may_read_with_the_filters_of_the_order(
    context: Flask, manager: User
) -> None:
    agent = factories.make_agent()
    found = request_factories.make_request(agent, "submitted")
    request_factories.make_request(agent, "under_review")
    own, foreign = ordered(manager, query="flt0_status=submitted"), ordered(agent)
    outsider = factories.make_agent()
    stranger = ordered(outsider)
    assert exports.make_waiting(utc_now()) == 3
    rows = workbooks.cells(fetched(context, manager, own))
    assert [row[0] for row in rows] == ["Request number", found.number]
    assert len(workbooks.cells(fetched(context, agent, foreign))) == 3
    assert workbooks.cells(fetched(context, outsider, stranger))[1:] == []
    with pytest.raises(NotFound):
        fetched(context, agent, own)
    noted = db.session.scalars(sa.select(Notice).where(Notice.user_id == manager.id)).one()
    assert (noted.event, noted.url) == ("account:export:ready", "/office/exports/")


def test_a_file_is_in_the_language_and_the_organisation_of_its_order(
    context: Flask, manager: User
) -> None:
    agent = factories.make_agent()
    elsewhere = factories.make_membership(agent, factories.make_organisation())
    request_factories.make_request(agent, "submitted")
    chosen = ordered(agent, language="ar", organisation_id=elsewhere.organisation_id)
    exports.make_waiting(utc_now())
    data = fetched(context, agent, chosen)
    assert workbooks.cells(data)[0][0] == "رقم الطلب"
    assert workbooks.cells(data)[1:] == []
    assert 'rightToLeft="1"' in workbooks.sheet_xml(data)


@pytest.mark.parametrize("loss", ["disabled", "role", "filter", "list"])
def test_who_lost_the_right_gets_a_refused_export(context: Flask, manager: User, loss: str) -> None:
    values = {"filter": {"query": "flt0_status=gone"}, "list": {"list": "office_services"}}
    refused = ordered(manager, **values.get(loss, {}))
    if loss == "disabled":
        manager.is_active = False
    if loss == "role":
        manager.role = Role.REVIEWER
    db.session.commit()
    exports.make_waiting(utc_now())
    assert state_of(refused) == ExportStatus.REFUSED
    noted = db.session.scalars(sa.select(Notice)).one()
    assert noted.event == "account:export:not_made"


def test_a_grant_that_came_or_went_since_the_order_refuses_it_and_its_file(
    context: Flask, manager: User
) -> None:
    agent = factories.make_agent()
    made, waiting = ordered(agent), None
    exports.make_waiting(utc_now())
    assert fetched(context, agent, made)
    waiting = ordered(agent)
    db.session.execute(sa.update(Membership).values(is_general=False))
    db.session.commit()
    db.session.expire_all()
    exports.make_waiting(utc_now())
    assert state_of(waiting) == ExportStatus.REFUSED
    with pytest.raises(NotFound):
        fetched(context, agent, made)


@pytest.mark.databases
def test_progress_is_told_and_a_removed_order_stops_and_leaves_nothing(
    context: Flask, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "PROGRESS_SECONDS", 0)
    told, stored = [], set(storage.keys())

    def look() -> None:
        with own_transaction(write=False) as connection:
            told.append(connection.scalar(sa.select(ListExport.written)))

    def cancel() -> None:
        with own_transaction() as connection:
            connection.execute(sa.delete(ListExport))

    opens(monkeypatch, context, rows_of([1, 2], [3], look, [4], cancel, [5], [6]))
    ordered(manager, total=6)
    assert exports.make_waiting(utc_now()) == 0
    assert told == [3]
    assert set(storage.keys()) == stored
    assert (count_of(ListExport), count_of(Notice)) == (0, 0)


def test_removed_at_the_very_end_its_file_goes_too(
    context: Flask, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = set(storage.keys())

    def cancel() -> None:
        with own_transaction() as connection:
            connection.execute(sa.delete(ListExport))

    opens(monkeypatch, context, rows_of([1], cancel))
    ordered(manager)
    assert exports.make_waiting(utc_now()) == 0
    assert set(storage.keys()) == stored
    assert count_of(Notice) == 0


def test_a_job_that_dies_is_begun_again_when_its_lease_ends(
    context: Flask, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As when the process is killed: nothing of ours runs any more."""

    def die() -> None:
        raise Killed

    number, now = ordered(manager), utc_now()
    opens(monkeypatch, context, rows_of([1], die))
    with pytest.raises(Killed):
        exports.make_waiting(now)
    db.session.rollback()
    opens(monkeypatch, context, rows_of([1], [2]))
    assert exports.make_waiting(now) == 0  # it may still be at work
    assert exports.make_waiting(now + making.LEASE) == 1
    assert workbooks.cells(fetched(context, manager, number)) == [["Number"], [1], [2]]


def test_an_order_that_always_fails_is_given_up_and_the_next_is_made(
    context: Flask, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("the list is broken")

    number, now = ordered(manager), utc_now()
    for _attempt in range(making.ATTEMPTS):
        opens(monkeypatch, context, rows_of([1], fail))
        exports.make_waiting(now)
        assert state_of(number) == ExportStatus.WAITING
        now += making.LEASE
    opens(monkeypatch, context, rows_of([1]))
    following = ordered(manager)
    assert exports.make_waiting(now) == 2
    assert (state_of(number), state_of(following)) == (ExportStatus.FAILED, ExportStatus.READY)


def test_a_list_that_grew_beyond_the_format_says_so(
    context: Flask, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_export, "MOST_ROWS", 2)
    opens(monkeypatch, context, rows_of([1, 2], [3]))
    number = ordered(manager)
    exports.make_waiting(utc_now())
    assert state_of(number) == ExportStatus.TOO_LONG


def test_files_past_their_days_are_purged(context: Flask, manager: User) -> None:
    old, unmade = export_rows.ready(manager), ordered(manager)
    key = old.storage_key
    db.session.commit()
    retention.purge(utc_now() + timedelta(days=2))
    assert count_of(ListExport) == 2
    retention.purge(utc_now() + timedelta(days=8))
    assert count_of(ListExport) == 0
    assert key not in set(storage.keys())
    assert unmade


def test_nobody_opens_a_list_that_has_no_files(context: Flask, manager: User) -> None:
    for endpoint in ("office_services", "office_account", "nothing"):
        with pytest.raises(NotFound), open_lists.opened(endpoint, "", actor_of(manager), "en"):
            pass
    reviewer = factories.make_staff(Role.REVIEWER)
    with (
        pytest.raises(NotFound),
        open_lists.opened("office_requests", "", actor_of(reviewer), "en"),
    ):
        pass
    assert count_of(Request) == 0
