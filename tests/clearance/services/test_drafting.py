"""Drafts of definitions: begun by the first change, kept apart, undone, published once."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import NotFound, Refused
from clearance.core.extensions import db
from clearance.models import Event, Service, ServiceDraft, ServiceDraftChange, ServiceVersion
from clearance.models.enums import Role
from clearance.services import drafting, updating, versions
from clearance.services.drafting import Document, StaleDraft
from clearance.services.versions import BadDefinition
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.permit import PERMIT, permit
from tests.support.rows import count_of

NOW = utc_now()
CODE = "temporary_permit"


@pytest.fixture
def keeper(context: Flask) -> Actor:
    requests.load_services()
    requests.publish(PERMIT)
    return actor_of(factories.make_staff(Role.ADMINISTRATOR))


def setting(**values: Any) -> Any:
    return lambda document: document.update(values)


def days_of(code: str = CODE) -> Any:
    return drafting.source(code).document["processing_days"]


def test_looking_begins_no_draft_and_the_first_change_does(keeper: Actor) -> None:
    assert drafting.source(CODE).draft is None
    assert drafting.change(CODE, setting(processing_days=3), 0, keeper, NOW) is None
    assert count_of(ServiceDraft) == 0
    drafting.change(CODE, setting(processing_days=9), 0, keeper, NOW)
    found = drafting.source(CODE)
    assert (found.version, days_of(), found.base is not None) == (1, 9, True)
    assert versions.current(CODE).definition.processing_days == 3


def test_a_change_that_did_not_see_the_last_one_is_refused(keeper: Actor) -> None:
    drafting.change(CODE, setting(processing_days=9), 0, keeper, NOW)
    for seen in (0, 2):
        with pytest.raises(StaleDraft):
            drafting.change(CODE, setting(processing_days=4), seen, keeper, NOW)
    assert days_of() == 9
    drafting.discard(CODE, 1, keeper, NOW)
    with pytest.raises(StaleDraft):
        drafting.change(CODE, setting(processing_days=4), 1, keeper, NOW)


def test_changes_are_undone_and_made_again_in_turn(keeper: Actor) -> None:
    for seen, days in enumerate((4, 5, 6)):
        drafting.change(CODE, setting(processing_days=days), seen, keeper, NOW)
    drafting.undo(CODE, 3, keeper, NOW)
    drafting.undo(CODE, 4, keeper, NOW)
    assert days_of() == 4
    drafting.redo(CODE, 5, keeper, NOW)
    assert days_of() == 5
    draft = drafting.source(CODE).draft
    assert drafting.steps_left(draft) == (2, 1)
    drafting.change(CODE, setting(bulk=True), 6, keeper, NOW)
    assert drafting.steps_left(draft) == (3, 0)  # what was undone is gone
    with pytest.raises(Refused):
        drafting.redo(CODE, 7, keeper, NOW)
    drafting.undo(CODE, 7, keeper, NOW)
    assert "bulk" not in drafting.source(CODE).document and days_of() == 5


def test_changes_that_go_on_with_the_last_one_are_undone_together(keeper: Actor) -> None:
    drafting.change(CODE, setting(processing_days=4), 0, keeper, NOW)
    first = drafting.last_change(CODE)
    assert first is not None
    drafting.change(CODE, setting(processing_days=5, bulk=True), 1, keeper, NOW, goes_on=first)
    assert drafting.steps_left(drafting.source(CODE).draft) == (1, 0)
    drafting.undo(CODE, 2, keeper, NOW)
    assert days_of() == 3 and "bulk" not in drafting.source(CODE).document
    # What was undone is gone, so nothing goes on with it.
    drafting.change(CODE, setting(processing_days=6), 3, keeper, NOW, goes_on=first)
    drafting.undo(CODE, 4, keeper, NOW)
    assert days_of() == 3


def test_any_changes_of_lists_are_undone_and_made_again_exactly(keeper: Actor) -> None:
    chance = Random(14)

    def apply(document: Document) -> None:
        parts = document[chance.choice(["fields", "documents", "refuse", "sections"])]
        sort = chance.choice(["add", "remove", "move", "change", "change", "change"])
        place = chance.randrange(len(parts)) if parts else 0
        if sort == "add" or not parts:
            parts.insert(place, chance.choice([{"name": "other"}, {"kind": "photo"}, {}, None]))
        elif sort == "change":
            key = chance.choice(["hint", "required", "kind", "name"])
            parts[place] = {**(parts[place] or {}), key: chance.randrange(1000)}
        else:
            part = parts.pop(place)
            parts.insert(chance.randrange(len(parts) + 1), part) if sort == "move" else None

    states = [drafting.source(CODE).document]
    for _time in range(40):
        goes_on = drafting.last_change(CODE) or 0
        is_one = bool(chance.randrange(2)) and drafting.steps_left(drafting.source(CODE).draft)[0]
        drafting.change(CODE, apply, None, keeper, NOW, goes_on=goes_on if is_one else 0)
        document = drafting.source(CODE).document
        if (drafting.last_change(CODE) or 0) == goes_on:
            states[-1] = document
        else:
            states.append(document)
    assert drafting.steps_left(drafting.source(CODE).draft) == (len(states) - 1, 0)
    for state in reversed(states[:-1]):
        drafting.undo(CODE, drafting.version_of(CODE), keeper, NOW)
        assert drafting.source(CODE).document == state
    for state in states[1:]:
        drafting.redo(CODE, drafting.version_of(CODE), keeper, NOW)
        assert drafting.source(CODE).document == state


def test_only_the_changed_part_of_a_list_is_kept_to_undo_it(keeper: Actor) -> None:
    def hint(text: str) -> Any:
        return lambda document: document["fields"][2].update(hint={"en": text})

    drafting.change(CODE, hint("a"), 0, keeper, NOW)
    drafting.change(CODE, hint("b"), 1, keeper, NOW, goes_on=drafting.last_change(CODE) or 0)
    (kept,) = db.session.scalars(sa.select(ServiceDraftChange.changes))
    before, after = kept["fields"]["purpose"]
    assert [*kept["fields"]] == ["purpose"]
    assert "hint" not in before and after["hint"] == {"en": "b"}


def test_a_change_may_look_itself_at_what_changed_since(keeper: Actor) -> None:
    drafting.change(CODE, setting(processing_days=4), 0, keeper, NOW)
    drafting.change(CODE, setting(bulk=True), None, keeper, NOW)
    assert days_of() == 4 and drafting.source(CODE).version == 2


def test_the_last_hundred_changes_can_be_undone(keeper: Actor) -> None:
    for seen in range(drafting.MOST_CHANGES + 5):
        drafting.change(CODE, setting(processing_days=10 + seen), seen, keeper, NOW)
    assert count_of(ServiceDraftChange) == drafting.MOST_CHANGES


def test_a_part_is_put_back_as_in_use(keeper: Actor) -> None:
    drafting.change(CODE, setting(processing_days=9, bulk=True), 0, keeper, NOW)
    drafting.restore(CODE, ("processing_days",), 1, keeper, NOW)
    assert days_of() == 3 and drafting.source(CODE).document["bulk"] is True
    drafting.restore(CODE, ("bulk",), 2, keeper, NOW)
    assert "bulk" not in drafting.source(CODE).document


def test_publishing_makes_the_next_version_and_ends_the_draft(keeper: Actor) -> None:
    drafting.change(CODE, setting(processing_days=9), 0, keeper, NOW)
    version = drafting.publish(
        CODE, drafting.source(CODE).fingerprint, "أصبحت المدة أطول", keeper, NOW
    )
    assert (version.number, versions.current(CODE).definition.processing_days) == (2, 9)
    assert count_of(ServiceDraft) == count_of(ServiceDraftChange) == 0
    event = db.session.scalar(
        sa.select(Event).where(Event.kind == "office:service:published").order_by(Event.id.desc())
    )
    assert event is not None and event.reason == "أصبحت المدة أطول"
    with pytest.raises(StaleDraft):
        drafting.publish(CODE, drafting.source(CODE).fingerprint, "", keeper, NOW)


def test_a_faulty_draft_is_not_published(keeper: Actor) -> None:
    drafting.change(CODE, setting(processing_days=0), 0, keeper, NOW)
    with pytest.raises(BadDefinition):
        drafting.publish(CODE, drafting.source(CODE).fingerprint, "", keeper, NOW)
    db.session.rollback()
    assert versions.current(CODE).definition.processing_days == 3


def test_a_draft_that_another_version_overtook_is_not_published(keeper: Actor) -> None:
    drafting.change(CODE, setting(processing_days=9), 0, keeper, NOW)
    versions.publish(permit(processing_days=7), keeper.id, NOW)
    with pytest.raises(Refused):
        drafting.publish(CODE, drafting.source(CODE).fingerprint, "", keeper, NOW)
    assert versions.current(CODE).definition.processing_days == 7


def outlook(code: str = CODE) -> updating.Outlook:
    with force_locale("en"):
        return updating.outlook(drafting.source(code))


def title(text: str) -> Any:
    return lambda document: document["title"].update(en=text)


def test_an_overtaken_draft_is_brought_up_to_date_and_published(keeper: Actor) -> None:
    drafting.change(CODE, setting(processing_days=9), 0, keeper, NOW)
    drafting.change(CODE, title("Port pass"), 1, keeper, NOW)
    in_use = permit(processing_days=7, bulk=True)
    versions.publish(in_use, keeper.id, NOW)
    found = drafting.source(CODE)
    assert found.is_overtaken
    shown = outlook()
    assert shown.begun_from == 1
    assert [(each.title, each.draft, each.in_use) for each in shown.questions] == [
        ("Service: Working days to respond", "9", "7")
    ]
    assert [(each.property, each.after) for each in shown.taken_over] == [("Bulk requests", "Yes")]
    updating.bring_up_to_date(CODE, 2, 2, [0], keeper, NOW)
    found = drafting.source(CODE)
    assert not found.is_overtaken and found.version == 3
    assert found.document | {"schema": 2} == in_use | {
        "schema": 2,
        "title": in_use["title"] | {"en": "Port pass"},
    }
    event = db.session.scalars(sa.select(Event).order_by(Event.id.desc())).first()
    assert event is not None and event.kind == "office:service_draft:updated"
    assert event.changes["base_version"] == [1, 2]
    assert event.changes["bulk"] == [None, True]
    version = drafting.publish(CODE, found.fingerprint, "so", keeper, NOW)
    assert version.number == 3


def test_undo_brings_the_overtaken_draft_back_and_redo_the_merged_one(keeper: Actor) -> None:
    drafting.change(CODE, setting(bulk=True), 0, keeper, NOW)
    versions.publish(permit(processing_days=7), keeper.id, NOW)
    updating.bring_up_to_date(CODE, 1, 2, (), keeper, NOW)
    merged = drafting.source(CODE).document
    drafting.undo(CODE, 2, keeper, NOW)
    assert drafting.source(CODE).is_overtaken and days_of() == 3
    drafting.undo(CODE, 3, keeper, NOW)
    assert "bulk" not in drafting.source(CODE).document
    drafting.redo(CODE, 4, keeper, NOW)
    drafting.redo(CODE, 5, keeper, NOW)
    found = drafting.source(CODE)
    assert not found.is_overtaken and found.document == merged


def test_a_draft_is_brought_up_to_date_only_as_it_was_seen(keeper: Actor) -> None:
    drafting.change(CODE, setting(bulk=True), 0, keeper, NOW)
    with pytest.raises(StaleDraft):  # nothing was published meanwhile
        updating.bring_up_to_date(CODE, 1, 1, (), keeper, NOW)
    versions.publish(permit(processing_days=7), keeper.id, NOW)
    drafting.change(CODE, setting(processing_days=8), 1, keeper, NOW)
    for seen, onto in ((1, 2), (2, 1), (2, 3)):
        with pytest.raises(StaleDraft):
            updating.bring_up_to_date(CODE, seen, onto, (), keeper, NOW)
    assert drafting.source(CODE).is_overtaken and days_of() == 8
    drafting.discard(CODE, 2, keeper, NOW)
    with pytest.raises(StaleDraft):
        updating.bring_up_to_date(CODE, 2, 2, (), keeper, NOW)


def test_an_equal_version_is_taken_as_the_base_without_a_change(keeper: Actor) -> None:
    drafting.change(CODE, setting(processing_days=7), 0, keeper, NOW)
    versions.publish(permit(processing_days=7), keeper.id, NOW)
    assert outlook().taken_over == []
    updating.bring_up_to_date(CODE, 1, 2, (), keeper, NOW)
    assert not drafting.source(CODE).is_overtaken and days_of() == 7


def test_a_new_service_whose_code_was_published_meanwhile_is_merged_with_it(keeper: Actor) -> None:
    both = {"ar": "طلب جديد", "en": "New request"}
    drafting.create("errand", "ER", both, None, keeper, NOW)
    versions.publish({**permit(), "code": "errand", "prefix": "EX"}, keeper.id, NOW)
    shown = outlook("errand")
    assert shown.begun_from is None
    assert ("Service: Number prefix", "ER", "EX") in [
        (each.title, each.draft, each.in_use) for each in shown.questions
    ]
    every = range(len(shown.questions))
    updating.bring_up_to_date("errand", 1, 1, every, keeper, NOW)
    assert drafting.source("errand").document["prefix"] == "EX"


def test_a_draft_that_cannot_be_read_is_brought_up_to_date(keeper: Actor) -> None:
    def breaks(document: Document) -> None:
        document["fields"].append(3)
        document["issued"] = [{"name": 5}]

    drafting.change(CODE, breaks, 0, keeper, NOW)
    changed = permit()
    changed["fields"].pop()
    versions.publish(changed | {"processing_days": 7}, keeper.id, NOW)
    assert [each.title for each in outlook().questions] == ["Field “Driver's passport”"]
    updating.bring_up_to_date(CODE, 1, 2, [0], keeper, NOW)
    document = drafting.source(CODE).document
    assert (document["fields"], document["issued"]) == (changed["fields"], [{"name": 5}])


def test_a_new_service_is_begun_empty_or_as_a_copy(keeper: Actor) -> None:
    title = {"ar": "طلب جديد", "en": "New request"}
    drafting.create("fresh", "FR", title, None, keeper, NOW)
    assert db.session.get(Service, "fresh") is None
    assert versions.faults(drafting.source("fresh").document) == []
    drafting.create("again", "AG", title, CODE, keeper, NOW)
    copied: Document = drafting.source("again").document
    assert copied["fields"] == permit()["fields"] or len(copied["fields"]) == len(
        permit()["fields"]
    )
    assert (copied["code"], copied["prefix"], copied["title"]) == ("again", "AG", title)
    drafting.publish("again", drafting.source("again").fingerprint, "", keeper, NOW)
    assert versions.current("again").definition.prefix == "AG"


@pytest.mark.parametrize(("code", "prefix"), [(CODE, "NW"), ("fresh", "TP"), ("begun", "NW")])
def test_a_code_or_prefix_that_is_taken_begins_nothing(
    keeper: Actor, code: str, prefix: str
) -> None:
    title = {"ar": "طلب", "en": "Request"}
    drafting.create("begun", "BG", title, None, keeper, NOW)
    with pytest.raises(Refused):
        drafting.create(code, prefix, title, None, keeper, NOW)
    with pytest.raises(NotFound):
        drafting.create("other", "OT", title, "ghost", keeper, NOW)
    assert count_of(ServiceDraft) == 1


def test_the_trail_tells_each_change_from_and_to(keeper: Actor) -> None:
    def rename(document: Document) -> None:
        document["fields"][0]["required"] = False
        document["processing_days"] = 4

    drafting.change(CODE, rename, 0, keeper, NOW)
    event = db.session.scalar(sa.select(Event).order_by(Event.id.desc()))
    assert event is not None and event.kind == "office:service_draft:changed"
    assert event.changes["processing_days"] == [3, 4]
    before, after = event.changes["fields.name_ar_1"]
    assert (before["required"], after["required"]) == (True, False)
    assert len(event.changes) == 2


def test_versions_are_never_changed_by_a_draft(keeper: Actor) -> None:
    before = db.session.scalars(sa.select(ServiceVersion.definition)).all()
    drafting.change(CODE, lambda document: document["fields"].clear(), 0, keeper, NOW)
    db.session.commit()
    db.session.expire_all()
    assert db.session.scalars(sa.select(ServiceVersion.definition)).all() == before
