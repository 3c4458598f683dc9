"""A passed exam: counts to its last day, then neither for a licence nor against sitting again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.exams import starts as exam_starts
from clearance.exams.statuses import ExamStatus
from clearance.models import Request, User
from clearance.models.enums import Status
from clearance.requests import available_actions, transitions
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests

PASSED_AT = datetime(2023, 3, 5, 7, 0, tzinfo=UTC)
LAST_MOMENT = datetime(2026, 3, 5, 20, 59, tzinfo=UTC)  # of 05/03/2026 in Kuwait
DAY_AFTER = LAST_MOMENT + timedelta(minutes=1)


def passed(agent: User) -> Request:
    req = requests.make_request(agent, ExamStatus.PASSED)
    req.decided_at = PASSED_AT
    db.session.commit()
    return req


def send(req: Request, user: User, now: datetime) -> None:
    transitions.perform(req, Action.SEND, actor=actor_of(user), now=now, version=req.version)
    db.session.commit()


def words(refusal: Refusal, lang: str) -> str:
    with force_locale(lang):
        return f"{refusal.text} {refusal.change}"


@pytest.mark.databases
def test_whoever_passed_sits_again_from_the_day_after_the_pass_stops_to_count(agent: User) -> None:
    old = passed(agent)
    again = requests.make_draft(agent, civil_id=old.civil_id)
    for lang, told in (
        ("ar", "يُعتد بالنجاح حتى 05/03/2026"),
        ("en", "The pass is valid until 05/03/2026"),
    ):
        with force_locale(lang):
            (warned,) = available_actions.send_warnings(again, actor_of(agent), LAST_MOMENT)
            with pytest.raises(Refused) as error:
                send(again, agent, LAST_MOMENT)
        assert told in words(error.value.refusal, lang)
        assert words(warned, lang) == words(error.value.refusal, lang)
        db.session.rollback()
    assert old.exclusive_key

    send(again, agent, DAY_AFTER)
    assert (old.status, old.exclusive_key) == (ExamStatus.PASSED, None)
    assert (again.status, again.exclusive_key) == (Status.SUBMITTED, f"exam:{old.civil_id}")
    other = factories.make_agent(factories.make_organisation())
    second = requests.make_draft(other, civil_id=old.civil_id)
    with pytest.raises(Refused) as error:
        send(second, other, DAY_AFTER)
    assert "still open" in words(error.value.refusal, "en")


def test_a_candidate_is_told_the_same_day_as_the_exam_and_what_to_do_after_it(agent: User) -> None:
    old, actor = passed(agent), actor_of(agent)
    (before,) = exam_starts.startable_candidates("issuance", actor, LAST_MOMENT)
    with force_locale("en"):
        (after,) = exam_starts.startable_candidates("issuance", actor, DAY_AFTER)
    assert before.refusal is None and after.refusal is not None
    assert before.counts_until == after.counts_until == LAST_MOMENT.date()
    assert after.refusal.url == "/my/services/"
    assert "valid until 05/03/2026" in words(after.refusal, "en")
    newer = requests.make_request(agent, ExamStatus.FAILED)
    newer.status, newer.civil_id, newer.decided_at = ExamStatus.PASSED, old.civil_id, DAY_AFTER
    db.session.commit()
    (renewed,) = exam_starts.startable_candidates("issuance", actor, DAY_AFTER)
    assert (renewed.request.id, renewed.refusal) == (newer.id, None)
    assert renewed.counts_until is not None and renewed.counts_until.year == 2029
