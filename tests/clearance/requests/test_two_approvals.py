"""The flow in which a second reviewer approves what the first did."""

from __future__ import annotations

import pytest

from clearance.core.errors import PermissionDenied, Refused
from clearance.models import User
from clearance.models.enums import Role, Status
from clearance.services.decisions import Assignment
from clearance.services.flows import Action
from tests.support import factories
from tests.support.steps_taken import act, make_plain, publish_plain, steps_of

SECOND = {"code": "double", "prefix": "DB", "flow": "two_approvals"}


def test_second_approval_is_another_reviewers(agent: User, reviewer: User) -> None:
    publish_plain(**SECOND)
    req = make_plain(agent, "double")
    act(req, Action.PREAPPROVE, reviewer)
    assert (req.status, req.reviewer_id) == (Status.PREAPPROVED, None)
    for action in (Action.TAKE, Action.APPROVE):
        with pytest.raises(PermissionDenied):
            act(req, action, reviewer)
    second = factories.make_staff()
    act(req, Action.APPROVE, second)
    assert req.status == Status.APPROVED
    assert steps_of(req) == ["send", "take", "preapprove", "take", "approve"]


def test_returned_request_is_approved_twice_anew(agent: User, reviewer: User) -> None:
    publish_plain(**SECOND)
    req, second = make_plain(agent, "double"), factories.make_staff()
    act(req, Action.PREAPPROVE, reviewer)
    act(req, Action.RETURN, second, reason="سبب")
    act(req, Action.SEND, agent)
    act(req, Action.PREAPPROVE, second)
    with pytest.raises(PermissionDenied):
        act(req, Action.APPROVE, second)
    act(req, Action.APPROVE, reviewer)
    assert req.status == Status.APPROVED


def test_second_approval_cannot_be_assigned_to_the_first_approver(
    agent: User, reviewer: User
) -> None:
    publish_plain(**SECOND)
    req, manager = make_plain(agent, "double"), factories.make_staff(Role.MANAGER)
    act(req, Action.PREAPPROVE, reviewer)
    with pytest.raises(Refused):
        act(req, Action.ASSIGN, manager, data=Assignment(reviewer_id=reviewer.id))
    second = factories.make_staff()
    act(req, Action.ASSIGN, manager, data=Assignment(reviewer_id=second.id))
    assert (req.status, req.reviewer_id) == (Status.PREAPPROVED, second.id)
