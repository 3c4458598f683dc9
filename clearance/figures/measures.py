"""What is counted, and about what: the words of the summaries' columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from clearance.services import registry
from clearance.services.flows import Side

OTHER = "other"
"""The value of a reason in words of one's own."""


class Dimension(StrEnum):
    """What a figure is about. Its key is "" for ALL, `service.stage` for STAGE, an id for REVIEWER,
    `service.id` for SERVICE_REVIEWER: a reviewer within one service.

    Decisions belong to the request's reviewer; returns and stages passed on to who took the step.
    """

    ALL = "all"
    SERVICE = "service"
    STAGE = "stage"
    TEAM = "team"
    REVIEWER = "reviewer"
    SERVICE_REVIEWER = "service_reviewer"


class Measure(StrEnum):
    """What is counted, with its value.

    Of a period: RECEIVED. DECIDED: by the status that the office's decision led to. CLOSED: by the
    status that ended a request otherwise, such as withdrawn. RETURNED. PASSED_ON: a stage was
    approved and another follows. TIMED: decisions with a due date, by Timing. TOOK: decisions by
    their working days. RETURNED_FOR, REJECTED_FOR: by the ready reason's id, or OTHER.
    Of the present: OPEN: by status. LATE. WAITING: for the office, by age. APPLICANT: waiting for
    the applicant. EXPIRING: active licences by month (2026-11). UNDELIVERED: messages by channel.
    In a stage or a team, TIMED and TOOK are about the time in that stage.
    """

    RECEIVED = "received"
    DECIDED = "decided"
    CLOSED = "closed"
    RETURNED = "returned"
    PASSED_ON = "passed_on"
    TIMED = "timed"
    TOOK = "took"
    RETURNED_FOR = "returned_for"
    REJECTED_FOR = "rejected_for"
    OPEN = "open"
    LATE = "late"
    WAITING = "waiting"
    APPLICANT = "applicant"
    EXPIRING = "expiring"
    UNDELIVERED = "undelivered"


class Timing(StrEnum):
    """Whether a decision came by its due date."""

    IN_TIME = "in_time"
    LATE = "late"


About = Iterable[tuple[Dimension, object]]
"""Dimensions and keys that one count belongs to; those without a key are left out."""


class Tally(Counter[tuple[str, str, str, str]]):
    """Numbers by dimension, key, measure and value."""

    def count(self, about: About, measure: Measure, value: object = "", number: int = 1) -> None:
        """Add `number` to every dimension with a key, and to ALL."""
        self[Dimension.ALL, "", measure, str(value)] += number
        for dimension, key in about:
            if key is not None:
                self[dimension, str(key), measure, str(value)] += number

    def count_in(self, about: About, measure: Measure, value: object = "") -> None:
        """Add one to every dimension with a key, but not to ALL."""
        for dimension, key in about:
            if key is not None:
                self[dimension, str(key), measure, str(value)] += 1


def reviewing(service_code: str, reviewer_id: int | None) -> list[tuple[Dimension, object]]:
    """Return whom a count belongs to: a reviewer, over all and within the service."""
    if reviewer_id is None:
        return []
    return [
        (Dimension.REVIEWER, reviewer_id),
        (Dimension.SERVICE_REVIEWER, f"{service_code}.{reviewer_id}"),
    ]


def office_decisions() -> frozenset[str]:
    """Return the final statuses to which steps of the office lead."""
    known = registry.current()
    return frozenset(
        str(step.target)
        for flow in known.flows.values()
        for step in flow.steps
        if step.side == Side.REVIEWER and step.target and step.target not in known.open_statuses
    )
