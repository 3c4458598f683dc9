"""What general users may do to the users of their organisation, and what nobody can."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth import sessions
from clearance.auth.sessions import actor_of, load_actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, NotFound, Refused, StaleEdit
from clearance.core.extensions import db
from clearance.models import (
    Event,
    Membership,
    Notice,
    Organisation,
    Request,
    Subscription,
    User,
    UserSession,
)
from clearance.models.enums import SessionStage
from clearance.notifications.inbox import text_of
from clearance.organisations import members, membership_changes, opening
from clearance.organisations.handover import NEEDS_COLLEAGUE, UNFIT_COLLEAGUE
from clearance.organisations.members import Access
from tests.support import factories, request_factories
from tests.support.member_factories import subscribed_office
from tests.support.races import race

EXAM = frozenset({"exam"})


@pytest.fixture
def office(context: Flask) -> Organisation:
    """A clearing office that is subscribed to everything."""
    request_factories.load_services()
    return subscribed_office()


def member(office: Organisation, *, is_general: bool = False, **more: object) -> Membership:
    services = () if is_general else ("exam",)
    user = factories.make_agent(office, is_general=is_general, services=services, **more)
    return membership_of(user, office)


def membership_of(user: User, office: Organisation) -> Membership:
    return db.session.scalars(
        sa.select(Membership).where(
            Membership.user_id == user.id, Membership.organisation_id == office.id
        )
    ).one()


def change(
    target: Membership, by: Membership, wanted: Access, *, version: int = 1, to: int | None = None
) -> Membership:
    done = membership_changes.edit(
        target.id, wanted, actor_of(by.user), utc_now(), version=version, hand_over_to=to
    )
    db.session.commit()
    return done


def signed_in(app: Flask, user: User) -> str:
    """Open a session of `user`; returns its key."""
    with app.test_request_context(method="POST"):
        key = sessions.open_session(user, SessionStage.FULL, utc_now())
        db.session.commit()
    return key


def told(user_id: int, lang: str = "en") -> list[str]:
    rows = db.session.scalars(sa.select(Notice).where(Notice.user_id == user_id))
    return [" ".join(text_of(row, lang)) for row in rows]


def refusal_of(work: Callable[[], object]) -> object:
    with pytest.raises(Refused) as error:
        work()
    db.session.rollback()
    return error.value.refusal


def test_granting_and_taking_services_is_told_and_noted(office: Organisation) -> None:
    general, other = member(office, is_general=True), member(office)
    change(other, general, Access(False, frozenset({"renewal", "letter"})))
    assert members.access_of(other).services == {"renewal", "letter"}
    assert other.version == 2
    event = db.session.scalars(sa.select(Event).where(Event.kind == "member:access:changed")).one()
    assert event.changes == {"services": [["exam"], ["letter", "renewal"]]}
    assert event.organisation_id == office.id
    (english,) = told(other.user_id)
    assert "You can now use: Renew a broker licence" in english
    assert "You can no longer use: Take the clearing agents' exam" in english
    (arabic,) = told(other.user_id, "ar")
    assert "مُنحت لك الخدمة: طلب تجديد رخص وكلاء التخليص" in arabic
    assert "سُحبت منك الخدمة: طلب امتحان وكلاء التخليص" in arabic


def test_the_same_access_again_changes_nothing(office: Organisation) -> None:
    general, other = member(office, is_general=True), member(office)
    change(other, general, Access(False, EXAM))
    assert other.version == 1
    assert told(other.user_id) == []


def test_promoting_and_demoting_act_on_the_open_session(office: Organisation, app: Flask) -> None:
    general, other = member(office, is_general=True), member(office)
    key = signed_in(app, other.user)
    change(other, general, Access(True, EXAM))
    actor = load_actor(key)
    assert actor is not None and actor.standing is not None and actor.standing.is_general
    assert "You are now a general user" in told(other.user_id)[-1]
    change(other, general, Access(False, EXAM), version=2)
    actor = load_actor(key)
    assert actor is not None and actor.standing is not None
    assert (actor.standing.is_general, actor.standing.services) == (False, EXAM)
    assert "لك الآن صلاحية المستخدم الإضافي" in told(other.user_id, "ar")[-1]


def test_an_additional_user_needs_a_service(office: Organisation) -> None:
    general, other = member(office, is_general=True), member(office)
    refused = refusal_of(lambda: change(other, general, Access(False)))
    assert refused == members.NO_SERVICE


def test_what_is_not_subscribed_cannot_be_granted(office: Organisation) -> None:
    general, other = member(office, is_general=True), member(office)
    left = db.session.scalars(
        sa.select(Subscription).where(
            Subscription.organisation_id == office.id, Subscription.service_code == "letter"
        )
    ).one()
    left.status = "left"
    db.session.commit()
    for code in ("letter", "no-such-service"):
        work = partial(change, other, general, Access(False, EXAM | {code}))
        assert refusal_of(work) == members.NOT_SUBSCRIBED
    assert members.access_of(other).services == EXAM


@pytest.mark.parametrize("wanted", [Access(False, EXAM), Access(True, is_active=False)])
def test_the_last_general_user_stays(office: Organisation, wanted: Access) -> None:
    general = member(office, is_general=True)
    member(office)
    member(office, is_general=True, is_active=False)  # a disabled account counts for nothing
    assert refusal_of(lambda: change(general, general, wanted)) == members.LAST_GENERAL_USER


def test_one_of_two_general_users_may_step_down(office: Organisation) -> None:
    one, two = member(office, is_general=True), member(office, is_general=True)
    change(one, one, Access(False, EXAM))
    assert not one.is_general
    assert refusal_of(lambda: change(two, two, Access(False, EXAM))) == members.LAST_GENERAL_USER


def test_a_stale_edit_is_refused_with_both_values(office: Organisation) -> None:
    one, two = member(office, is_general=True), member(office, is_general=True)
    other = member(office)
    change(other, one, Access(False, frozenset({"renewal"})))
    with pytest.raises(StaleEdit) as error:
        change(other, two, Access(True))
    assert error.value.version == 2
    assert error.value.changed == {"is_general": (False, True), "services": (["renewal"], [])}


def test_only_general_users_of_that_organisation_change_anybody(office: Organisation) -> None:
    general, other = member(office, is_general=True), member(office)
    stranger = member(factories.make_organisation(), is_general=True)
    for by in (other, stranger):
        with pytest.raises(NotFound):
            change(general, by, Access(False, EXAM))


def test_who_was_demoted_meanwhile_changes_nobody(office: Organisation) -> None:
    one, two = member(office, is_general=True), member(office, is_general=True)
    before = actor_of(two.user)
    change(two, one, Access(False, EXAM))
    with pytest.raises(NotFound):
        membership_changes.edit(one.id, Access(False, EXAM), before, utc_now(), version=1)


def test_disabling_ends_the_sessions_and_hands_the_work_over(
    office: Organisation, app: Flask
) -> None:
    general, other = member(office, is_general=True), member(office)
    colleague = member(office)
    draft = request_factories.make_draft(other.user, "exam")
    signed_in(app, other.user)
    off = Access(False, EXAM, is_active=False)
    assert refusal_of(lambda: change(other, general, off)) == NEEDS_COLLEAGUE
    change(other, general, off, to=colleague.id)
    req = db.session.get_one(Request, draft.id)
    assert (req.handed_to_id, req.created_by_id) == (colleague.user_id, other.user_id)
    event = db.session.scalars(sa.select(Event).where(Event.kind == "request:handed_over")).one()
    assert event.request_id == req.id
    assert event.changes == {"handed_to_id": [None, colleague.user_id]}
    assert all(row.ended_at for row in db.session.scalars(sa.select(UserSession)))
    assert "no longer have access" in told(other.user_id)[0]
    assert "أُوقفت صلاحيتك" in told(other.user_id, "ar")[0]
    assert "taken over the requests" in told(colleague.user_id)[0]
    # What was handed over once is handed on by whoever has it now.
    change(colleague, general, off, to=general.id)
    db.session.refresh(req)
    assert req.handed_to_id == general.user_id


def test_work_goes_to_nobody_who_may_not_use_its_service(office: Organisation) -> None:
    general, other = member(office, is_general=True), member(office)
    renewals = factories.make_agent(office, is_general=False, services=("renewal",))
    stranger = member(factories.make_organisation(), is_general=True)
    request_factories.make_draft(other.user, "exam")
    off = Access(False, EXAM, is_active=False)
    for unfit in (membership_of(renewals, office).id, stranger.id, other.id):
        work = partial(change, other, general, off, to=unfit)
        assert refusal_of(work) == UNFIT_COLLEAGUE


def test_enabling_gives_back_what_is_chosen(office: Organisation) -> None:
    general, other = member(office, is_general=True), member(office)
    change(other, general, Access(False, EXAM, is_active=False))
    assert actor_of(other.user).standings == ()
    change(other, general, Access(False, EXAM), version=2)
    assert actor_of(other.user).standings[0].services == EXAM
    assert "You have access again" in told(other.user_id)[-1]


def test_a_member_is_placed_in_another_organisation_of_the_same_governor(
    office: Organisation,
) -> None:
    general, other = member(office, is_general=True), member(office)
    second = factories.make_organisation()
    foreign = factories.make_organisation()
    for each in (second, foreign):
        opening.subscribe(each, utc_now())
    factories.make_membership(general.user, second)
    actor = actor_of(general.user)
    nothing = Access(False, is_active=False)
    with pytest.raises(Refused):
        membership_changes.update_in_all_organisations(
            other.id, nothing, actor, utc_now(), version=1, added=[second.id]
        )
    db.session.rollback()
    membership_changes.add_to_organisation(
        other.user, second.id, Access(False, EXAM), actor, utc_now()
    )
    assert {standing.organisation_id for standing in actor_of(other.user).standings} == {
        office.id,
        second.id,
    }
    with pytest.raises(NotFound):
        membership_changes.add_to_organisation(
            other.user, foreign.id, Access(False, EXAM), actor, utc_now()
        )


def _storm(app: Flask, office: Organisation, generals: int, times: int) -> None:
    """Grants, demotions and disablings of everybody by everybody; nobody waits for an answer."""
    people = [member(office, is_general=True) for _ in range(generals)]
    people += [member(office) for _ in range(3)]
    ids = [(person.id, person.user_id) for person in people]
    office_id = office.id
    db.session.remove()
    rng = random.Random(4)
    plan = [
        (
            *rng.sample(ids, 2),
            rng.choice(
                [
                    Access(False, EXAM),
                    Access(False, EXAM),
                    Access(True, is_active=False),
                    Access(True),
                    Access(False, EXAM | {"renewal"}),
                ]
            ),
        )
        for _ in range(times)
    ]

    def one(number: int) -> str:
        (target, _user), (_own, by), wanted = plan[number]
        with app.test_request_context(method="POST"):
            actor = actor_of(db.session.get_one(User, by))
            db.session.rollback()
            version = db.session.scalars(
                sa.select(Membership.version).where(Membership.id == target)
            ).one()
            db.session.rollback()
            try:
                membership_changes.edit(target, wanted, actor, utc_now(), version=version)
                db.session.commit()
            except DomainError as error:
                db.session.rollback()
                return type(error).__name__
            return "done"

    results = race(app, times, one, threads=times)
    assert all(isinstance(result, str) for result in results), results
    assert "done" in results
    left = db.session.scalars(
        sa.select(Membership).where(
            Membership.organisation_id == office_id, Membership.is_general, Membership.is_active
        )
    ).all()
    assert len(left) >= 1


@pytest.mark.databases
def test_two_general_users_cannot_both_step_down_at_once(office: Organisation, app: Flask) -> None:
    people = [member(office, is_general=True) for _ in range(2)]
    ids = [(person.id, person.user_id) for person in people]
    db.session.remove()

    def demote(number: int) -> str:
        target, user_id = ids[number % 2]
        with app.test_request_context(method="POST"):
            actor = actor_of(db.session.get_one(User, user_id))
            db.session.rollback()
            try:
                membership_changes.edit(target, Access(False, EXAM), actor, utc_now(), version=1)
                db.session.commit()
            except DomainError as error:
                db.session.rollback()
                return type(error).__name__
            return "done"

    assert sorted(race(app, 2, demote)) == ["Refused", "done"]


@pytest.mark.databases
@pytest.mark.heavy
@pytest.mark.parametrize("generals", [2, 6])
def test_fifty_changes_at_once_leave_a_general_user(
    office: Organisation, app: Flask, generals: int
) -> None:
    _storm(app, office, generals, 50)
