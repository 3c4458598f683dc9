"""Plays the demo stories of all extensions together in chronological order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

import sqlalchemy as sa
from flask import current_app

from clearance.core.extensions import db
from clearance.demo import stories_users
from clearance.demo.people import Cast
from clearance.demo.register import Licences
from clearance.demo.stage import Stage, Story
from clearance.models import Notice
from clearance.notifications import inbox
from clearance.requests import transitions
from clearance.services import registry

FIRST_DAY = -196
ROUND = 14  # days between runs of the simulated scheduler; short enough for deadlines, yet fast
READ_AFTER = timedelta(days=4)


def play(cast: Cast, licences: Licences, now: datetime) -> None:
    """Play every story up to `now` through the use cases, committing now and then."""
    stage = Stage(cast, licences, now)
    brought = [*current_app.extensions["demo_stories"], stories_users.stories]
    told = [story for stories in brought for story in stories(stage)]
    _play_together([*told, _clock(stage)])
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
    """Run the extensions' scheduled work, and close requests that were not corrected."""
    for days in range(FIRST_DAY, 1, ROUND):
        now = yield from stage.wait(days, 8)
        transitions.lapse_returned(now)
        for job in registry.current().jobs.values():
            db.session.commit()  # jobs may look for their work on another connection
            job.work(now)


def _read_notices(stage: Stage) -> None:
    """Mark all but the last days' notices as read."""
    for user in stage.cast.users.values():
        old = sa.select(Notice.id).where(
            Notice.user_id == user.id, Notice.created_at < stage.now - READ_AFTER
        )
        inbox.mark_read(user.id, db.session.scalars(old), stage.now)
