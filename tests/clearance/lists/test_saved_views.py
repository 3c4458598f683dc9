"""Views of lists: whose they are, who may change them, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance import lists
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import BadFields, NotFound, StaleEdit
from clearance.core.extensions import db
from clearance.lists import Kept, ListState, View
from clearance.lists.saved_views import TooManyViews
from clearance.models import Event, SavedView
from clearance.models.enums import Role
from tests.support import factories

LIST = "office_requests"
OPEN = ListState(
    search="أحمد",
    filters=(Kept("status", {"ar": "الحالة", "en": "Status"}, "open"),),
    sort=Kept("due_on", {"ar": "موعد الإنجاز", "en": "Due date"}),
    is_descending=True,
    columns=(Kept("number", {"ar": "رقم الطلب", "en": "Request number"}),),
)


def staff(role: Role = Role.REVIEWER) -> Actor:
    user = factories.make_user(role=role)
    db.session.flush()
    return Actor(user.id, role, "", "", user.email, "en")


def save(actor: Actor, name: str = "Mine", *, is_shared: bool = False) -> SavedView:
    return lists.save(actor, LIST, View(name, is_shared), OPEN, utc_now())


def names(actor: Actor) -> list[str]:
    return [view.name for view in lists.arrangement_of(actor.id, LIST).views]


@pytest.mark.databases
def test_a_view_keeps_all_that_the_list_showed(context: Flask) -> None:
    reviewer = staff()
    saved = save(reviewer)
    (view,) = lists.arrangement_of(reviewer.id, LIST).views
    assert (view.id, view.name, view.is_own, view.is_shared) == (saved.id, "Mine", True, False)
    assert view.state == OPEN
    assert lists.arrangement_of(reviewer.id, "office_licences").views == ()


@pytest.mark.databases
def test_others_see_shared_views_only_their_own_first(context: Flask) -> None:
    manager, reviewer = staff(Role.MANAGER), staff()
    save(manager, "Hidden")
    save(manager, "A shared one", is_shared=True)
    save(reviewer, "Z own")
    assert names(reviewer) == ["Z own", "A shared one"]


def test_only_managers_share(context: Flask) -> None:
    reviewer = staff()
    with pytest.raises(NotFound):
        save(reviewer, is_shared=True)
    saved = save(reviewer)
    with pytest.raises(NotFound):
        lists.change(saved, reviewer, View("Mine", True), utc_now(), version=1)


def test_a_shared_view_is_changed_by_any_manager_and_by_no_one_else(context: Flask) -> None:
    owner, other, reviewer = staff(Role.MANAGER), staff(Role.MANAGER), staff()
    saved = save(owner, is_shared=True)
    for step in (
        lambda: lists.change(saved, reviewer, View("Theirs", True), utc_now(), version=1),
        lambda: lists.copy_state(saved, reviewer, ListState(), utc_now()),
        lambda: lists.remove(saved, reviewer, utc_now()),
    ):
        with pytest.raises(NotFound):
            step()
    lists.change(saved, other, View("Ours", True), utc_now(), version=1)
    assert names(reviewer) == ["Ours"]
    own = save(owner, "Private")
    with pytest.raises(NotFound):
        lists.remove(own, other, utc_now())


def test_a_former_manager_renames_their_shared_view_without_unsharing_it(context: Flask) -> None:
    manager = staff(Role.MANAGER)
    saved = save(manager, is_shared=True)
    former = replace(manager, role=Role.REVIEWER)
    lists.change(saved, former, View("Still shared", True), utc_now(), version=1)
    assert names(staff()) == ["Still shared"]


@pytest.mark.databases
def test_the_second_of_two_managers_who_rename_a_view_is_told(context: Flask) -> None:
    first, second = staff(Role.MANAGER), staff(Role.MANAGER)
    saved = save(first, is_shared=True)
    lists.change(saved, first, View("First", True), utc_now(), version=1)
    with pytest.raises(StaleEdit) as told:
        lists.change(saved, second, View("Second", True), utc_now(), version=1)
    assert told.value.changed == {"name": ("First", "Second")}
    lists.change(saved, second, View("Second", True), utc_now(), version=told.value.version)
    assert saved.name == "Second"


@pytest.mark.parametrize("name", ["", "  ", "ن" * 81, "ن" * 240, "Taken", " Taken "])
def test_a_name_is_refused_that_is_empty_long_or_taken(context: Flask, name: str) -> None:
    reviewer = staff()
    save(reviewer, "Taken")
    with pytest.raises(BadFields):
        save(reviewer, name)
    other = save(reviewer, "Other")
    with pytest.raises(BadFields):
        lists.change(other, reviewer, View(name), utc_now(), version=1)
    save(staff(), "Taken")


def test_a_person_has_so_many_views_of_a_list_and_no_more(context: Flask) -> None:
    reviewer = staff()
    for number in range(lists.MOST_VIEWS):
        save(reviewer, str(number))
    with pytest.raises(TooManyViews):
        save(reviewer)
    lists.save(reviewer, "office_licences", View("Mine"), OPEN, utc_now())


@pytest.mark.databases
def test_a_removed_view_opens_no_list_any_more(context: Flask) -> None:
    reviewer = staff()
    saved = save(reviewer)
    lists.open_with(reviewer, LIST, saved.id)
    assert lists.arrangement_of(reviewer.id, LIST).default is not None
    lists.remove(saved, reviewer, utc_now())
    assert lists.arrangement_of(reviewer.id, LIST).default is None


@pytest.mark.databases
def test_a_view_that_is_shared_no_more_opens_the_lists_of_others_no_more(context: Flask) -> None:
    manager, reviewer = staff(Role.MANAGER), staff()
    saved = save(manager, is_shared=True)
    lists.open_with(reviewer, LIST, saved.id)
    lists.change(saved, manager, View("Mine"), utc_now(), version=1)
    assert lists.arrangement_of(reviewer.id, LIST).default is None
    with pytest.raises(NotFound):
        lists.open_with(reviewer, LIST, saved.id)


@pytest.mark.databases
def test_columns_and_row_height_are_kept_per_person(context: Flask) -> None:
    reviewer, other = staff(), staff()
    lists.choose_columns(reviewer, LIST, ["number", "due_on"])
    lists.choose_rows(reviewer, is_roomy=True)
    kept = lists.arrangement_of(reviewer.id, LIST)
    assert (kept.columns, kept.has_roomy_lists) == (("number", "due_on"), True)
    assert lists.arrangement_of(other.id, LIST) == lists.Arrangement()
    lists.choose_columns(reviewer, LIST, None)
    assert lists.arrangement_of(reviewer.id, LIST).columns is None


def test_what_happens_to_shared_views_is_in_the_trail(context: Flask) -> None:
    manager = staff(Role.MANAGER)
    save(manager, "Private")
    saved = save(manager, is_shared=True)
    lists.change(saved, manager, View("Ours", True), utc_now(), version=1)
    lists.remove(saved, manager, utc_now())
    kinds = sa.select(Event.kind).where(Event.kind.startswith("list:")).order_by(Event.id)
    assert db.session.scalars(kinds).all() == [
        "list:view:shared",
        "list:view:changed",
        "list:view:removed",
    ]
