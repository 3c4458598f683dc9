"""The stories of the demo world, in the order in which they are lived through."""

from __future__ import annotations

from datetime import datetime

from clearance import expiry
from clearance.demo import (
    stories_exam,
    stories_issuance,
    stories_licences,
    stories_office,
    stories_transfer,
)
from clearance.demo.people import Cast
from clearance.demo.register import Licences
from clearance.demo.stage import Stage
from clearance.extensions import db

# Days ago on which a licence of the register had just ended.
_ENDS = (199, 119, 39, 19)
_PARTS = (
    stories_office.play,
    stories_licences.play,
    stories_transfer.play,
    stories_exam.present,
)


def play(cast: Cast, licences: Licences, now: datetime) -> None:
    """Play every story up to `now` by the use cases at their own times, committing now and then."""
    stage = Stage(cast, licences, now)
    for days in _ENDS:
        expiry.expire(stage.at(-days, 8))
    stories_issuance.play(stage, stories_exam.past(stage))
    for play_part in _PARTS:
        play_part(stage)
        db.session.commit()
    expiry.remind(now)
