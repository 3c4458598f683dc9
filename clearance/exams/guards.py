"""Guards of the exam: waiting time, attempts, passes, seats and results."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core import i18n, urls
from clearance.core.clock import kuwait_date
from clearance.core.errors import Refusal
from clearance.exams import facts, passes
from clearance.exams.statuses import ExamStatus
from clearance.services.facts import Case
from clearance.services.guards import guard
from clearance.services.needs import Needs

PERSON = Needs(fields=("civil_id",))
NOT_HELD = Refusal(
    _l("The exam has not taken place yet."), _l("You can enter results once the exam has started.")
)
_SAT = frozenset({ExamStatus.PASSED, ExamStatus.FAILED, ExamStatus.ABSENT})


@guard(words=_l("The waiting time after the last exam is over."), needs=PERSON)
def exam_waiting_time_over(case: Case) -> Refusal | None:
    """Require the waiting time (a setting) since the person's last exam."""
    waiting = int(case.facts.settings["exam_waiting_days"])
    results = [row.decided_at for row in case.earlier if row.status in _SAT and row.decided_at]
    if not waiting or not results:
        return None
    allowed_from = kuwait_date(max(results)) + timedelta(days=waiting)
    if case.facts.today >= allowed_from:
        return None
    return Refusal(
        _l("The waiting time after the last exam has not passed yet."),
        _("You can apply again from %(day)s.", day=i18n.format_day(allowed_from)),
    )


@guard(words=_l("The person has attempts at the exam left."), needs=PERSON)
def exam_attempts_left(case: Case) -> Refusal | None:
    """Require an attempt left of those allowed (a setting); a pass resets the count."""
    allowed, used = int(case.facts.settings["exam_attempts"]), 0
    for row in case.earlier:
        used = 0 if row.status == ExamStatus.PASSED else used + (row.status in _SAT)
    if not allowed or used < allowed:
        return None
    return Refusal(
        _l("All the exam attempts the office allows have been used."),
        _l("Ask the office if you need an exception."),
        "/support",
    )


@guard(words=_l("The person passed the exam, and the pass is still valid."), needs=PERSON)
def exam_was_passed_lately(case: Case) -> Refusal | None:
    """The candidate passed the exam, and the pass is still valid (years are a setting)."""
    if case.target.civil_id is None:
        return None
    passed = case.facts.read(facts.passed).get(case.target.civil_id)
    if passed is None:
        return Refusal(
            _l("This person has not passed the clearing agents' exam."),
            _l("Apply for the exam first."),
        )
    last_day = passes.counts_until(passed, case.facts)
    if case.facts.today <= last_day:
        return None
    return Refusal(
        passes.outdated_text(passed, last_day),
        _l("The exam must be passed again. Apply for it under My services."),
        urls.SERVICES,
    )


# Guards of the steps in exams/flow.py.


def seat_is_confirmable(case: Case) -> Refusal | None:
    """Require a seat whose last day to confirm has not passed."""
    seat = facts.seat_of(case)
    if seat is None:
        return Refusal(_l("There is no seat to confirm."))
    if case.facts.today <= seat.confirm_by:
        return None
    return Refusal(
        _("The last day to confirm attendance was %(day)s.", day=i18n.format_day(seat.confirm_by)),
        _l("You will be offered a seat in the next exam."),
    )


def exam_has_begun(case: Case) -> Refusal | None:
    """Require that the exam has begun."""
    seat = facts.seat_of(case)
    if seat is not None and case.facts.now >= seat.held_at:
        return None
    return NOT_HELD
