"""Drafts move to a later version of their service; what was sent never does."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import legal_holds
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.jobs import worker
from clearance.models import Event, Notice, Request, ServiceVersion, User
from clearance.models.enums import Status
from clearance.notifications import inbox
from clearance.requests import completeness, drafts, moving, publishing
from clearance.requests.drafts import StaleSave
from clearance.requests.moving import Held
from clearance.services import drafting, versions
from clearance.services.schema import Definition
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.permit import PERMIT, begin, permit
from tests.support.races import race

CODE = "temporary_permit"
NOW = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
ANSWERS: dict[str, Any] = {
    "name_ar_1": "سالم",
    "purpose": "cargo",
    "port": "other",
    "other_port": "الدوحة",
    "visitors": 3,
    "goods": ("food", "cars"),
}


@pytest.fixture
def agent(context: Flask) -> User:
    return factories.make_agent()


@pytest.fixture
def keeper(agent: User) -> Actor:
    return actor_of(factories.make_staff("administrator"))


def drafted(agent: User, **more: Any) -> Request:
    """A draft with answers, begun under the first version."""
    req = begin(agent)
    drafts.save(req, ANSWERS | more, actor_of(agent), NOW)
    db.session.commit()
    return req


def changed(apply: Any, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """The definition with one change, of its fields by name."""
    document = copy.deepcopy(document or permit())
    apply(document, {each["name"]: each for each in document["fields"]})
    return document


def publish(document: dict[str, Any], days: int | None = 0) -> ServiceVersion:
    """A version to which drafts move after so many days; None for never."""
    move_on = None if days is None else kuwait_date(NOW) + timedelta(days)
    version = versions.publish(document, None, NOW, "", move_on)
    db.session.commit()
    return version


def move(days: int = 0) -> int:
    count = moving.move_due(NOW + timedelta(days))
    db.session.commit()
    return count


def without(*gone: str) -> dict[str, Any]:
    def apply(document: dict[str, Any], _fields: Any) -> None:
        document["fields"] = [each for each in document["fields"] if each["name"] not in gone]
        del document["sections"], document["documents"][1:], document["refuse"]
        for each in document["fields"]:
            each.pop("section", None)
            each.pop("when", None)

    return changed(apply)


@pytest.mark.databases
def test_a_draft_moves_on_its_day_once_and_keeps_what_fits(agent: User) -> None:
    req = drafted(agent)
    new = publish(without("purpose", "other_port"), days=14)
    seen = req.version
    assert (move(13), req.service_version_id == new.id) == (0, False)
    assert (move(14), move(14)) == (1, 0)
    assert req.service_version_id == new.id
    assert req.answers == {"port": "other", "visitors": 3, "goods": ["food", "cars"]}
    assert (req.name_ar_1, req.version) == ("سالم", seen + 1)
    assert req.moved is not None
    assert [each["en"] for each in req.moved["gone"]] == ["Purpose", "Name of the port"]
    event = db.session.scalar(sa.select(Event).where(Event.kind == "request:draft:moved"))
    assert event is not None and event.changes is not None
    assert event.changes["other_port"] == ["الدوحة", None]


@pytest.mark.databases
def test_what_was_sent_keeps_its_version_also_while_it_waits_for_corrections(agent: User) -> None:
    requests.load_services()
    requests.publish(requests.TRIVIAL)
    given: Any = {"code": "greeting", "name_ar_1": "سالم", "words": "سلام"}
    sent = requests.make_request(agent, Status.SUBMITTED, **given)
    back = requests.make_request(agent, Status.RETURNED, **given)
    first = sent.service_version_id
    requests.publish(requests.TRIVIAL, processing_days=9)
    db.session.execute(sa.update(ServiceVersion).values(drafts_move_on=kuwait_date(NOW)))
    assert move() == 0
    assert {sent.service_version_id, back.service_version_id} == {first}


def test_drafts_of_a_version_without_a_day_stay(agent: User) -> None:
    drafted(agent)
    publish(permit(processing_days=9), days=None)
    assert move(999) == 0


def test_words_alone_are_read_at_once_and_told_to_nobody(agent: User) -> None:
    req = drafted(agent)
    words = changed(lambda _all, each: each["port"]["label"].update(en="Harbour"))
    version, seen = publish(words, days=None), req.version
    assert version.is_text_revision
    assert (move(), req.service_version_id) == (1, version.id)
    assert (req.moved, req.version, req.answers["port"]) == (None, seen, "other")


def test_words_do_not_carry_a_draft_over_a_change_before_its_day(agent: User) -> None:
    req = drafted(agent)
    first = req.service_version_id
    publish(permit(processing_days=9), days=14)
    title = {"ar": "تصريح", "en": "Permit"}
    newest = publish(permit(processing_days=9, title=title), days=0)
    assert newest.is_text_revision
    assert (move(13), req.service_version_id) == (0, first)
    assert (move(14), req.service_version_id) == (1, newest.id)


def test_a_draft_of_a_month_ago_moves_over_two_versions_at_once(agent: User) -> None:
    def renamed(_all: Any, fields: Any) -> None:
        fields["visitors"].update(name="people", was="visitors")
        fields["contact"].pop("when")

    def again(_all: Any, fields: Any) -> None:
        fields["people"].update(name="persons", was="people")

    req = drafted(agent)
    second = changed(renamed)
    publish(second, days=14)
    newest = publish(changed(again, second), days=28)
    assert (move(30), req.service_version_id) == (1, newest.id)
    assert req.answers["persons"] == 3
    assert req.moved is None  # nothing is new to the applicant


def test_what_is_new_is_told_until_it_is_saved_with_what_was_not_read_before(agent: User) -> None:
    def more(document: dict[str, Any], _fields: Any) -> None:
        label = {"ar": "اللوحة", "en": "Plate"}
        plate = {"name": "plate", "type": "text", "required": True, "label": label}
        document["fields"].append(plate)

    req = drafted(agent)
    second = without("other_port")
    publish(second)
    move()
    publish(changed(more, second))
    move()
    assert req.moved is not None and req.moved["on"] == "01/04/2026"
    assert [each["en"] for each in req.moved["gone"]] == ["Name of the port"]
    assert [each["en"] for each in req.moved["new"]] == ["Plate"]
    assert "plate" in {each.field for each in completeness.missing(req, NOW)}
    drafts.save(req, {"plate": "7"}, actor_of(agent), NOW)
    assert req.moved is None


@pytest.mark.databases
def test_a_save_of_the_earlier_form_is_a_conflict_and_loses_nothing(agent: User) -> None:
    req = drafted(agent)
    seen = req.version
    publish(without("other_port"))
    move()
    with pytest.raises(StaleSave):
        drafts.save(req, {"visitors": 9}, actor_of(agent), NOW, version=seen)
    db.session.rollback()
    assert (req.answers["visitors"], req.moved is not None) == (3, True)


def test_files_of_kinds_that_are_no_longer_taken_are_dropped_and_named(agent: User) -> None:
    req = drafted(agent)
    requests.make_document(req, "other", agent)
    publish(permit(documents=[{"kind": "passport_copy"}]))
    label = next(each.label for each in req.documents if each.kind == "civil_id_copy")
    move()
    assert [each.kind for each in req.documents] == ["other"]
    assert req.moved is not None and req.moved["files"] == [label]


def test_a_draft_stays_where_requests_begin_differently_now(agent: User) -> None:
    drafted(agent)
    document = permit(subject="licence", start="broker_card")
    publish(document)
    old, new = (versions.get(row.id) for row in versions.of_service(CODE))
    assert (move(), moving.can_move(old, new), moving.can_move(new, new)) == (0, False, True)


def test_a_draft_under_a_legal_hold_stays_as_it_is_until_the_hold_is_lifted(
    agent: User, keeper: Actor
) -> None:
    req = drafted(agent)
    publish(without("purpose", "other_port"), days=14)
    placed = legal_holds.place(req, "Court order 12/2026", keeper, NOW)
    assert move(14) == 0
    legal_holds.lift(placed.id, "The case is closed.", keeper, NOW)
    assert move(14) == 1


def test_drafts_move_in_batches(agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
    drafted(agent)
    requests.make_request(agent, Status.DRAFT, code=CODE)
    publish(permit(processing_days=9))
    monkeypatch.setattr(moving, "BATCH", 1)
    assert [move(), move(), move()] == [1, 1, 0]


def test_the_worker_moves_drafts() -> None:
    assert any(each.work is moving.move_due for each in worker._periodic.values())


@pytest.mark.parametrize(
    ("old", "value", "new", "kept"),
    [
        ({"type": "text"}, "قارب", {"type": "textarea"}, "قارب"),
        ({"type": "text"}, "قارب", {"type": "number"}, None),
        ({"type": "text"}, "قارب", {"type": "email"}, None),
        ({"type": "text"}, "a@example.com", {"type": "email"}, "a@example.com"),
        ({"type": "number"}, 5, {"type": "amount"}, "5.000"),
        ({"type": "number"}, 5, {"type": "text"}, None),
        ({"type": "number"}, 5, {"type": "number", "maximum": 3}, 5),
        ({"type": "date"}, "2020-01-01", {"type": "date", "future": True}, "2020-01-01"),
        ({"type": "choice", "choices": "ab"}, "a", {"type": "choice", "choices": "ac"}, "a"),
        ({"type": "choice", "choices": "ab"}, "b", {"type": "choice", "choices": "ac"}, None),
        ({"type": "choice", "choices": "ab"}, "b", {"type": "choices", "choices": "ab"}, ["b"]),
        ({"type": "choices", "choices": "ab"}, ["b"], {"type": "choice", "choices": "ab"}, "b"),
        (
            {"type": "choices", "choices": "ab"},
            ["a", "b"],
            {"type": "choice", "choices": "ab"},
            None,
        ),
        ({"type": "choice", "choices": "ab"}, "a", {"type": "text"}, None),
    ],
)
def test_an_answer_is_kept_where_its_field_can_hold_it(
    context: Flask, old: dict[str, Any], value: Any, new: dict[str, Any], kept: Any
) -> None:
    words = {"ar": "نص", "en": "Text"}

    def reading(part: dict[str, Any]) -> Definition:
        choices = [{"value": each, "label": words} for each in part.get("choices", "")]
        field = {"name": "mark", "label": words, **part, "choices": choices}
        return Definition.model_validate(permit(fields=[field], refuse=[], documents=[]))

    found = moving.carried({"mark": value}, [reading(old), reading(new)])
    assert found.get("mark") == kept


@pytest.mark.databases
def test_what_requests_hold_that_no_longer_fits_is_counted(agent: User) -> None:
    drafted(agent)
    requests.make_request(agent, Status.DRAFT, code=CODE)

    def less(document: dict[str, Any], fields: Any) -> None:
        fields["port"]["choices"].pop()
        fields["goods"]["choices"].pop(0)
        fields["visitors"].update(type="text", label=fields["visitors"]["label"])
        for key in ("minimum", "maximum", "default", "unit"):
            del fields["visitors"][key]
        document["documents"].pop(0)

    old, new = (Definition.model_validate(each) for each in (permit(), changed(less)))
    assert moving.held(CODE, old, new) == [
        Held("port", "other", False, drafts=1, opened=0),
        Held("visitors", "", False, drafts=1, opened=0),
        Held("goods", "food", False, drafts=1, opened=0),
        Held("civil_id_copy", "", True, drafts=2, opened=0),
    ]
    assert moving.held(CODE, old, old) == []


def change(keeper: Actor, **values: Any) -> str:
    drafting.change(CODE, lambda document: document.update(values), 0, keeper, NOW)
    db.session.commit()
    return drafting.source(CODE).fingerprint


def test_publishing_moves_drafts_and_each_reviewer_is_notified_once(
    agent: User, keeper: Actor
) -> None:
    req = drafted(agent)
    reviewer = factories.make_staff()
    compared = change(keeper, processing_days=9)
    version = publishing.publish(CODE, compared, "More time", keeper, NOW, kuwait_date(NOW))
    db.session.commit()
    assert req.service_version_id == version.id
    (notice,) = db.session.scalars(sa.select(Notice).where(Notice.event == "service:changed"))
    assert notice.user_id == reviewer.id
    title, body = inbox.text_of(notice, "en")
    assert title == "A service was changed: Temporary permit"
    assert "- Service: Working days to respond" in body
    assert "الخدمة: أيام العمل للرد" in inbox.text_of(notice, "ar")[1]


def test_the_first_publication_of_shipped_files_notifies_nobody(context: Flask) -> None:
    factories.make_staff()
    requests.load_services()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 0


def test_a_draft_that_began_anew_meanwhile_is_not_published(agent: User, keeper: Actor) -> None:
    requests.load_services()
    requests.publish(PERMIT)
    seen = change(keeper, processing_days=9)
    publishing.publish(CODE, seen, "first", keeper, NOW, None)
    change(keeper, processing_days=1)  # its number is that of the draft that was seen
    with pytest.raises(drafting.StaleDraft):
        publishing.publish(CODE, seen, "second", keeper, NOW, None)
    assert versions.current(CODE).definition.processing_days == 9


def begun(app: Flask) -> tuple[Actor, Actor, int]:
    """An agent, an administrator and the id of the agent's draft."""
    with app.app_context():
        user = factories.make_agent()
        administrator = actor_of(factories.make_staff("administrator"))
        return actor_of(user), administrator, drafted(user).id


@pytest.mark.databases
def test_two_who_publish_at_once_publish_one_version(app: Flask) -> None:
    _agent, keeper, _request_id = begun(app)
    with app.app_context():
        compared = change(keeper, processing_days=9)

    def click(_number: int) -> int:
        version = publishing.publish(CODE, compared, "so", keeper, NOW, kuwait_date(NOW))
        db.session.commit()
        return version.number

    outcomes = race(app, 4, click)
    assert outcomes.count(2) == 1
    assert all(each == 2 or isinstance(each, drafting.StaleDraft) for each in outcomes)
    with app.app_context():
        assert [row.number for row in versions.of_service(CODE)] == [2, 1]


@pytest.mark.databases
def test_a_save_beside_a_move_is_kept_or_refused(app: Flask) -> None:
    agent, _keeper, request_id = begun(app)
    with app.app_context():
        publish(without("other_port"))
        seen = db.session.get_one(Request, request_id).version

    def act(number: int) -> Any:
        if number == 0:
            return move()
        req = db.session.get_one(Request, request_id)
        drafts.save(req, {"visitors": 9}, agent, NOW, version=seen)
        db.session.commit()
        return "saved"

    moved, saved = race(app, 2, act)
    with app.app_context():
        req = db.session.get_one(Request, request_id)
        assert (moved, req.service_version.number) == (1, 2)
        assert isinstance(saved, StaleSave) or saved == "saved"
        assert req.answers["visitors"] == (9 if saved == "saved" else 3)
