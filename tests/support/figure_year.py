"""A year of requests made at random, and what should be counted of it, found without the portal.

`Year.expected` counts with loops over days; it uses nothing of clearance/figures.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import Event, Holiday, Request, Team, User
from clearance.services import versions
from tests.support import factories, request_factories, stage_factories

FIRST, DAYS = date(2025, 3, 2), 380  # over a year's end
HOLIDAYS = (date(2025, 6, 5), date(2025, 9, 4), date(2026, 1, 1), date(2026, 2, 25))
READY = 7
REASONS = ("", f'\x1e[{READY}, "سبب جاهز", "A ready reason", ""]', "In words of one's own")
STAGES = ("check", "sign")
TEAM_OF = {"check": "review", "sign": "legal"}
DAYS_OF = {"check": None, "sign": 2}
FINAL = {"exam": ("passed", "failed", "rejected", "withdrawn"), None: ("approved", "rejected")}
WITHDRAWN = ("withdrawn", "lapsed")
Key = tuple[str, date, str, str, str, str]


@dataclass
class Story:
    """One request: its steps are (time, kind, status, stage left, stage entered, reason)."""

    code: str
    sent: datetime
    steps: list[tuple[datetime, str, str, str | None, str | None, str]] = field(
        default_factory=list
    )
    reviewer: int | None = None
    decided: datetime | None = None
    status: str = "submitted"


class Year:
    """Makes the rows; `expected` says what they amount to by day, week, month and year."""

    def __init__(self, seed: int, requests: int, first: date = FIRST, days: int = DAYS) -> None:
        self._chance = random.Random(seed)
        self._requests, self._first, self._days = requests, first, days
        self.after = datetime.combine(first + timedelta(days=days + 100), time(9), UTC)
        self.stories: list[Story] = []
        self.processing_days: dict[str, int] = {}

    def build(self) -> None:
        """Write people, services, holidays, requests and their events; commits."""
        request_factories.load_services()
        self.agent = factories.make_agent()
        self.reviewers = [factories.make_staff(first_name=f"R{n}").id for n in range(2)]
        db.session.add(Team(code="legal", name_ar="القانوني", name_en="Legal"))
        db.session.flush()
        stage_factories.publish(
            stage_factories.CHECK | {"name": "check"},
            stage_factories.SIGN | {"name": "sign", "team": "legal", "days": DAYS_OF["sign"]},
        )
        db.session.execute(sa.delete(Holiday))
        for day in HOLIDAYS:
            db.session.add(Holiday(day=day, name_ar="عطلة", name_en="Holiday"))
        db.session.commit()
        known = {version.definition.code: version for version in versions.all_current()}
        codes = [code for code in ("exam", "renewal", "letter", "permit") if code in known]
        self.processing_days = {code: known[code].definition.processing_days for code in codes}
        for number in range(self._requests):
            self.stories.append(self._story(codes[number % len(codes)]))
        self._write({code: known[code].id for code in codes})

    def _moment(self, after: datetime, most_days: int) -> datetime:
        return after + timedelta(minutes=self._chance.randrange(1, most_days * 24 * 60))

    def _story(self, code: str) -> Story:
        start = datetime.combine(self._first, time(), UTC)
        story = Story(code, self._moment(start, self._days - 30))
        stage = STAGES[0] if code == "permit" else None
        at = story.sent
        story.steps.append((at, "send", "submitted", None, stage, ""))
        while True:
            at = self._moment(at, 6)
            story.steps.append((at, "take", "under_review", stage, stage, ""))
            story.reviewer = self._chance.choice(self.reviewers)
            at, chance = self._moment(at, 9), self._chance.random()
            if chance < 0.3 and len(story.steps) < 8:
                reason = self._chance.choice(REASONS[1:])
                story.steps.append((at, "return", "returned", stage, stage, reason))
                if chance < 0.04:
                    return story  # its applicant has not answered yet
                at = self._moment(at, 20)
                story.steps.append((at, "send", "submitted", stage, stage, ""))
            elif stage == STAGES[0] and chance < 0.8:
                story.steps.append((at, "approve_stage", "submitted", *STAGES, ""))
                stage, story.reviewer = STAGES[1], None
            elif chance > 0.9:
                return story  # still open
            else:
                return self._end(story, at, stage)

    def _end(self, story: Story, at: datetime, stage: str | None) -> Story:
        finals = FINAL.get(story.code, FINAL[None])
        status = self._chance.choice((*finals, *WITHDRAWN) if stage is None else finals)
        kind = {"approved": "approve", "rejected": "reject"}.get(status, status)
        reason = self._chance.choice(REASONS[1:]) if status == "rejected" else ""
        story.steps.append((at, kind, status, stage, None, reason))
        story.status, story.decided = status, at
        return story

    def _write(self, version_ids: dict[str, int]) -> None:
        organisation = factories.organisation_of(db.session.get_one(User, self.agent.id)).id
        requests, events = [], []
        for number, story in enumerate(self.stories, 1):
            last = story.steps[-1]
            requests.append(
                {
                    "id": number,
                    "service_code": story.code,
                    "service_version_id": version_ids[story.code],
                    "number": f"X/{number}/25",
                    "status": last[2],
                    "stage": last[4],
                    "team_code": None if last[2] == "returned" else TEAM_OF.get(last[4] or ""),
                    "organisation_id": organisation,
                    "created_by_id": self.agent.id,
                    "reviewer_id": story.reviewer,
                    "created_at": story.sent,
                    "saved_at": story.sent,
                    "sent_at": story.sent,
                    "decided_at": story.decided,
                    "due_on": self.after.date() - timedelta(days=1)
                    if last[2] in ("submitted", "under_review")
                    else None,
                }
            )
            for at, kind, status, left, entered, reason in story.steps:
                events.append(
                    {
                        "at": at,
                        "kind": f"request:step:{kind}",
                        "actor_id": story.reviewer,
                        "request_id": number,
                        "object_type": "request",
                        "object_id": str(number),
                        "to_status": status,
                        "reason": reason,
                        "changes": {"stage": [left, entered]} if left or entered else {},
                    }
                )
        db.session.execute(sa.insert(Request), requests)
        db.session.execute(sa.insert(Event), sorted(events, key=lambda event: event["at"]))
        db.session.commit()

    def expected(self, holidays: tuple[date, ...] = HOLIDAYS) -> Counter[Key]:
        """Return the numbers by span, start, dimension, key, measure and value."""
        daily: Counter[Any] = Counter()
        for story in self.stories:
            self._count(daily, story, holidays)
        found: Counter[Key] = Counter()
        for (day, *rest), number in daily.items():
            sunday = day - timedelta(days=(day.isoweekday() % 7))
            starts = {"day": day, "week": sunday, "month": day.replace(day=1)}
            for span, start in (starts | {"year": date(day.year, 1, 1)}).items():
                found[span, start, *rest] += number
        return found

    def _count(self, daily: Counter[Any], story: Story, holidays: tuple[date, ...]) -> None:
        service = [("all", ""), ("service", story.code)]

        def add(at: datetime, about: list[tuple[str, str]], measure: str, value: Any = "") -> None:
            for dimension, key in about:
                daily[kuwait(at), dimension, key, measure, str(value)] += 1

        add(story.sent, service, "received")
        for place, (at, kind, status, left, _entered, reason) in enumerate(story.steps):
            reviewer = []
            if story.reviewer:
                in_service = ("service_reviewer", f"{story.code}.{story.reviewer}")
                reviewer = [("reviewer", str(story.reviewer)), in_service]
            stage = [("stage", f"{story.code}.{left}"), ("team", TEAM_OF[left])] if left else []
            before = story.steps[:place]
            if kind == "return":
                add(at, [*service, *reviewer, *stage], "returned")
                add(at, service, "returned_for", reason_key(reason))
            elif kind == "approve_stage":
                add(at, [*reviewer, *stage], "passed_on")
                self._add_times(add, at, stage, before, story, holidays, in_stage=True)
            elif status in WITHDRAWN:
                add(at, service, "closed", status)
            elif at == story.decided:
                add(at, [*service, *reviewer, *stage], "decided", status)
                if status == "rejected":
                    add(at, service, "rejected_for", reason_key(reason))
                self._add_times(add, at, [*service, *reviewer], before, story, holidays)
                self._add_times(add, at, stage, before, story, holidays, in_stage=True)

    def _add_times(
        self,
        add: Any,
        at: datetime,
        about: list[tuple[str, str]],
        before: list[Any],
        story: Story,
        holidays: tuple[date, ...],
        in_stage: bool = False,
    ) -> None:
        """Count the working days, and whether the step came in time."""
        stage, days = before[-1][4], DAYS_OF.get(before[-1][4] or "")
        entered = next(
            step[0] for step in before if step[4] == stage and step[1] in ("send", "approve_stage")
        )
        begun = entered if in_stage else story.sent
        add(at, about, "took", len(worked(begun, at, before, holidays)))
        if before[-1][2] == "returned":
            return
        since, allowed = (story.sent, self.processing_days[story.code])
        if days is not None:
            since, allowed = entered, days
        paused = paused_days(before, at, holidays, since)
        due, left = kuwait(since), allowed + len(paused)
        while left:
            due += timedelta(days=1)
            left -= is_working(due, holidays)
        add(at, about, "timed", "in_time" if kuwait(at) <= due else "late")


def kuwait(at: datetime) -> date:
    """The day in Kuwait, which is three hours ahead all year."""
    return (at + timedelta(hours=3)).date()


def is_working(day: date, holidays: tuple[date, ...]) -> bool:
    """Sunday to Thursday, less holidays."""
    return day.isoweekday() in (7, 1, 2, 3, 4) and day not in holidays


def paused_days(
    steps: list[Any], until: datetime, holidays: tuple[date, ...], since: datetime
) -> set[date]:
    """The working days on which a request waited for its applicant, of the time from `since`."""
    found = set()
    for place, (begun, kind, *_rest) in enumerate(steps):
        ended = steps[place + 1][0] if place + 1 < len(steps) else until
        if kind == "return" and ended > since:
            day = kuwait(begun)
            while day < kuwait(ended):
                day += timedelta(days=1)
                if is_working(day, holidays):
                    found.add(day)
    return found


def worked(
    begun: datetime, at: datetime, steps: list[Any], holidays: tuple[date, ...]
) -> set[date]:
    """The working days after that of `begun` to that of `at` on which the office had it."""
    found, day = set(), kuwait(begun)
    while day < kuwait(at):
        day += timedelta(days=1)
        if is_working(day, holidays):
            found.add(day)
    return found - paused_days(steps, at, holidays, begun)


def reason_key(stored: str) -> str:
    """The id of a ready reason, or "other"."""
    return str(json.loads(stored[1:])[0]) if stored.startswith("\x1e") else "other"
