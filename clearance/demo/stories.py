"""Plays the demo stories together in chronological order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.demo import (
    stories_exam,
    stories_issuance,
    stories_licences,
    stories_office,
    stories_subscriptions,
    stories_transfer,
    stories_users,
)
from clearance.demo.people import Cast
from clearance.demo.register import Licences
from clearance.demo.stage import Stage, Story
from clearance.exams import notifications as exam_notices
from clearance.exams import seating
from clearance.licences import expiry_job
from clearance.models import Notice
from clearance.notifications import inbox
from clearance.requests import transitions
from clearance.transfers import operations as transfer_operations

FIRST_DAY = -196
ROUND = 14  # days between runs of the simulated scheduler; short enough for deadlines, yet fast
READ_AFTER = timedelta(days=4)


def play(cast: Cast, licences: Licences, now: datetime) -> None:
    """Play every story up to `now` through the use cases, committing now and then."""
    stage = Stage(cast, licences, now)
    _play_together(
        [
            *stories_exam.stories(stage),
            *stories_issuance.stories(stage),
            *stories_licences.stories(stage),
            *stories_transfer.stories(stage),
            stories_office.story(stage),
            *stories_subscriptions.stories(stage),
            *stories_users.stories(stage),
            _clock(stage),
        ]
    )
    _read_notices(stage)
    db.session.commit()


def _play_together(stories: Iterable[Story]) -> None:
    """Advance the story whose next step is earliest, until all are over."""
    waiting = [(next(story), place, story) for place, story in enumerate(stories)]
    heapify(waiting)
    while waiting:
        _instant, place, story = heappop(waiting)
        next_step = next(story, None)
        if next_step is not None:
            heappush(waiting, (next_step, place, story))


def _clock(stage: Stage) -> Story:
    """Run the scheduled work: expire licences, send reminders, lapse unanswered requests."""
    for days in range(FIRST_DAY, 1, ROUND):
        now = yield from stage.wait(days, 8)
        db.session.commit()  # expiry is queried on another connection
        expiry_job.expire(now)
        expiry_job.remind(now)
        transitions.lapse_returned(now)
        transfer_operations.lapse_unanswered(now)
        exam_notices.remind(now)
        seating.close_overdue(now)


def _read_notices(stage: Stage) -> None:
    """Mark all but the last days' notices as read."""
    for user in stage.cast.users.values():
        old = sa.select(Notice.id).where(
            Notice.user_id == user.id, Notice.created_at < stage.now - READ_AFTER
        )
        inbox.mark_read(user.id, db.session.scalars(old), stage.now)
