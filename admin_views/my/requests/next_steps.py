"""Texts on what happens next, one for each request status."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.models.enums import Status

NEXT_STEPS: dict[str, Any] = {
    Status.DRAFT: _l("Fill in what is left and send the request to the office."),
    Status.AWAITING_OTHER_PARTY: _l("The other party has to accept before the office begins."),
    Status.AWAITING_BROKER: _l("The broker has to consent before the office begins."),
    Status.SUBMITTED: _l("A reviewer of the office will take the request and look at it."),
    Status.UNDER_REVIEW: _l("A reviewer is looking at the request. You will be told the outcome."),
    Status.RETURNED: _l("Correct what the reviewer remarked on and send the request again."),
    Status.PREAPPROVED: _l("Wait for the announcement of the next exam and its date."),
    Status.SEATED: _l("Confirm attendance before the last day, or the seat goes to someone else."),
    Status.CONFIRMED: _l("Come to the exam on time and bring the civil ID card."),
    Status.APPROVED: _l("Nothing is left to do."),
    Status.REJECTED: _l("The request is closed. The reason stands in the history below."),
    Status.WITHDRAWN: _l("The request is closed because it was withdrawn."),
    Status.LAPSED: _l("The request is closed because it was not completed in time."),
    Status.DECLINED: _l("The request is closed because a party to it declined."),
    Status.PASSED: _l("The exam is passed. Nothing is left to do here."),
    Status.FAILED: _l("The request is closed. You may apply again."),
    Status.ABSENT: _l("The request is closed. You may apply again."),
}
