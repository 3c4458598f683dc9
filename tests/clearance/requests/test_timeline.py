"""The timeline of a request, as agents and as the office read it."""

from __future__ import annotations

from flask import Flask
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.models.enums import Status
from clearance.requests import timeline
from clearance.services.flows import Action
from tests.support import factories
from tests.support import request_factories as requests


def test_agents_read_of_the_office_and_the_office_of_its_people(context: Flask) -> None:
    requests.load_services()
    agent = factories.make_agent(first_name="سالم", last_name="العتيبي")
    reviewer = factories.make_staff(first_name="نورة", last_name="الصباح")
    req = requests.make_request(agent, Status.LAPSED, reviewer=reviewer)
    with force_locale("en"):
        office = "Clearance Agents Affairs Office"
        read = timeline.timeline(req, actor_of(agent))
        assert [each.actor for each in read] == ["سالم العتيبي", office, office, "The portal"]
        assert [str(each.label) for each in read] == [
            "The request was sent",
            "Review started",
            "Corrections were requested",
            "The request was closed because it was not completed in time",
        ]
        assert [entry.actor for entry in timeline.timeline(req, actor_of(reviewer))] == [
            "سالم العتيبي",
            "نورة الصباح",
            "نورة الصباح",
            "The portal",
        ]
    assert [each.action for each in read] == [Action.SEND, Action.TAKE, Action.RETURN, Action.LAPSE]
    assert read[2].reason == "الوثائق غير واضحة."
    assert (read[2].from_status, read[2].to_status) == (Status.UNDER_REVIEW, Status.RETURNED)


def test_draft_has_no_timeline(context: Flask) -> None:
    agent = factories.make_agent()
    assert timeline.timeline(requests.make_draft(agent), actor_of(agent)) == []
