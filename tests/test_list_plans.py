"""Every list of both areas finds by an index what it shows: pages, filters, sorts, searches."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask

from admin_views.base.filters import DateFilter, ListFilter
from admin_views.base.model_view import GuardedModelView
from clearance import demo
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.demo import mass
from clearance.models import Licence, Request, User
from clearance.models.enums import Status
from clearance.services import versions
from tests.support import factories, query_plans
from tests.support.pages import PageClient
from tests.support.statements import READS, listening

REQUESTS = 2_000
READERS = ("manager", "admin", "reviewer", "general")
BORNE_BY_MANY, BORNE_BY_NOBODY = "مكتب", "زكرياء"
NEXT = re.compile(r"[?&;]after=(\d+)")
Faults = dict[str, set[str]]

# What is accepted for a reason: list and query → why. Each is in the order of the list and ends
# with the page, so that only what is rarer than one row of some thousands takes long.
_FEW_SORTED = "sorts at most OrganisationFilter.FEW rows: more are met in the order of the list"
_HARDLY_ANY = "PostgreSQL sees that nobody has read anything here; the list's own index is in order"
_FEW_VALUES = "so few values that each is frequent; an index for each would cost more than it saves"
EXCEPTIONS = {
    "office_access: filter scope": "a scope is the beginning of a kind; kinds have an index",
    "office_audit: filter scope": "a scope is the beginning of a kind; kinds have an index",
    "office_deliveries: filter channel": _FEW_VALUES,
    "office_issued: filter organisation": _FEW_SORTED,
    "office_issued: filter voided": _FEW_VALUES,
    "office_issued: search name": "frequent names are met soon",
    "office_issued: search name in English": "frequent names are met soon",
    "office_issued: search two names": "frequent names are met soon",
    "office_issued: search unknown name": "names of the register and of requests in one condition",
    "office_reads: filter kind": _HARDLY_ANY,
    "office_reads: first page": _HARDLY_ANY,
    "office_reads: search name in English": _HARDLY_ANY,
    "office_reads: search number": _HARDLY_ANY,
    "office_reads: sort at": _HARDLY_ANY,
    "office_requests: filter decided_from": "what was closed lately was sent lately",
    "office_requests: filter organisation": _FEW_SORTED,
    "office_requests: filter status": "most requests are “decided”; each status has an index",
    "office_services: first page": "counts the open requests, of which the office has thousands",
    "my_requests: sort name": "sorts the requests of one organisation",
}

# Lists of few rows of one organisation, found by an index and then put in order.
SORTED = {"my_drafts"}

# (statement, whether it is fine): what the checks of a plan must tell apart.
SAMPLES = (
    ("SELECT id FROM request WHERE id = 1", True),
    ("SELECT id FROM request ORDER BY sent_at DESC, id DESC LIMIT 26", True),
    ("SELECT id FROM request WHERE email = 'x' ORDER BY sent_at DESC, id DESC LIMIT 26", False),
    ("SELECT id FROM request ORDER BY email, id LIMIT 26", False),
    ("SELECT count(*) FROM request WHERE email = 'x'", False),
)


def build() -> None:
    versions.publish_missing(utc_now())
    db.session.commit()
    demo.build_world(utc_now())
    mass.add_requests(REQUESTS, utc_now())


@pytest.fixture
def readers(app: Flask, from_world: Callable[..., Any]) -> dict[str, PageClient]:
    """A signed-in browser of each of READERS, in the demo world with more requests."""
    from_world("lists", build)
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            with db.engine.begin() as connection:
                query_plans.pretend_sizes(connection)
        emails = {f"{name}@example.com": name for name in READERS}
        found = db.session.scalars(sa.select(User).where(User.email.in_(emails))).all()
        people = {emails[user.email]: user for user in found}
        db.session.expunge_all()
    return {name: factories.browser_of(app, people[name]) for name in READERS}


@pytest.mark.databases
def test_no_list_reads_or_sorts_a_large_table_as_a_whole(
    app: Flask, readers: dict[str, PageClient]
) -> None:
    found: Faults = defaultdict(set)
    with app.app_context():
        typed = searched()
        connection = db.session.connection()
        for sample, is_fine in SAMPLES:
            assert (query_plans.faults(connection, sample, ()) == []) is is_fine, sample
    for view in lists(app):
        asked: set[str] = set()  # a query that two may ask is asked once
        for client in readers.values():
            for name, query in queries(view, client, typed):
                if query not in asked:
                    asked.add(query)
                    faults = faults_of(app, client, view.url + query)
                    if view.endpoint in SORTED:
                        faults = {
                            fault for fault in faults if not fault.startswith("sorts: SEARCH")
                        }
                    found[f"{view.endpoint}: {name}"] |= faults
    unknown = {name: lines for name, lines in found.items() if lines and name not in EXCEPTIONS}
    assert unknown == {}


def lists(app: Flask) -> Iterator[GuardedModelView]:
    """Every view of a table, of both areas."""
    for area in app.extensions["admin"]:
        yield from (view for view in area._views if isinstance(view, GuardedModelView))


def queries(
    view: GuardedModelView, client: PageClient, typed: dict[str, str]
) -> list[tuple[str, str]]:
    """(name, query) of all that the reader can ask the list for; [] if it is not the reader's."""
    with client.http as http:  # keeps the request's context: choices depend on it
        if http.get(f"{view.url}/").status_code != 200:
            return []
        found = [("first page", "/")]
        for flt in view._filters or ():
            values = values_of(view, flt)
            found += [(f"filter {flt.key}", f"/?flt0_{flt.key}={quote(each)}") for each in values]
        for place, (name, _label) in enumerate(view._list_columns):
            if view.is_sortable(name):
                found += [(f"sort {name}", f"/?sort={place}{desc}") for desc in ("", "&desc=1")]
        if view._search_supported:
            found += [(f"search {name}", f"/?search={quote(each)}") for name, each in typed.items()]
    return found


def values_of(view: GuardedModelView, flt: ListFilter) -> list[str]:
    """What is chosen or typed in the filter: one of many choices where all give one statement."""
    if isinstance(flt, DateFilter):
        return ["2020-01-31", "2026-01-31"]
    if flt._choices is None:
        return [BORNE_BY_MANY, BORNE_BY_NOBODY]
    choices = [value for value, _label in flt.get_options(view)]
    return choices if isinstance(flt.condition, FunctionType) else choices[:1]


def searched() -> dict[str, str]:
    """What people type into the search of a list."""
    row = db.session.execute(
        sa.select(Request.number, Request.civil_id, Request.mobile)
        .where(Request.status != Status.DRAFT)
        .order_by(Request.id.desc())
        .limit(1)
    ).one()
    return {
        "number": row.number,
        "serial": row.number.split("/")[1],
        "civil number": row.civil_id,
        "beginning of one": row.civil_id[:5],
        "mobile": row.mobile,
        "licence": db.session.scalars(sa.select(Licence.number).limit(1)).one(),
        "name": "محمد",
        "two names": "احمد سالم",
        "unknown name": BORNE_BY_NOBODY,
        "name in English": "alfail",
    }


def faults_of(app: Flask, client: PageClient, address: str) -> set[str]:
    """What the statements of the page, and of the page after it, do wrong."""
    found: set[str] = set()
    with reads_of(app) as sent:
        page = client.http.get(address)
        assert page.status_code == 200, f"{page.status_code} {address}"
        if following := NEXT.search(page.get_data(as_text=True)):
            glue = "&" if "?" in address else "?"
            client.http.get(f"{address}{glue}after={following[1]}")
    with app.app_context(), db.engine.connect() as connection:
        for statement, params in sent.items():
            found |= {
                f"{fault}   in {' '.join(statement.split())}"
                for fault in query_plans.faults(connection, statement, params)
            }
    return found


@contextmanager
def reads_of(app: Flask) -> Iterator[dict[str, Any]]:
    """The statements that read, with what was bound."""
    sent: dict[str, Any] = {}
    with listening(app, READS, sent.setdefault):
        yield sent
