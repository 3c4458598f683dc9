"""The mix of bulk requests: services, statuses and the licences they concern."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any

from clearance.demo.mass_register import WINDOW, Holder
from clearance.exams.statuses import ExamStatus
from clearance.models.enums import LicenceStatus, Status, SuspendedBy
from clearance.transfers.statuses import TransferStatus

Weights = dict[str, int]

# An office's requests after some years: most are decided, few are open.
_EXAM: Weights = {
    ExamStatus.PASSED: 40,
    ExamStatus.FAILED: 22,
    ExamStatus.ABSENT: 7,
    Status.REJECTED: 9,
    Status.WITHDRAWN: 6,
    Status.LAPSED: 4,
    Status.SUBMITTED: 3,
    Status.UNDER_REVIEW: 3,
    Status.RETURNED: 2,
    Status.PREAPPROVED: 4,
}
_STANDARD: Weights = {
    Status.APPROVED: 76,
    Status.REJECTED: 8,
    Status.WITHDRAWN: 5,
    Status.LAPSED: 3,
    Status.SUBMITTED: 3,
    Status.UNDER_REVIEW: 3,
    Status.RETURNED: 2,
}
_TRANSFER: Weights = {
    Status.APPROVED: 62,
    TransferStatus.DECLINED: 16,
    Status.REJECTED: 8,
    Status.WITHDRAWN: 8,
    Status.LAPSED: 6,
}


@dataclass(frozen=True)
class Kind:
    """One service in the mix. share: in percent. answers: values of the service's own fields."""

    code: str
    share: int
    weights: Weights
    answers: dict[str, Any] = field(default_factory=dict)
    fits: Callable[[Holder, date], bool] | None = None

    def status(self, chance: random.Random) -> str:
        """Return a random status by the weights."""
        return chance.choices(tuple(self.weights), cum_weights=self._cumulated)[0]

    @cached_property
    def _cumulated(self) -> tuple[int, ...]:
        return tuple(accumulate(self.weights.values()))


def _is_renewable(holder: Holder, today: date) -> bool:
    ends = holder.expires <= today + timedelta(days=WINDOW)
    return ends and holder.status in {LicenceStatus.ACTIVE, LicenceStatus.EXPIRED}


def _is_active(holder: Holder, today: date) -> bool:
    return holder.status == LicenceStatus.ACTIVE and not _is_renewable(holder, today)


def _is_reactivable(holder: Holder, today: date) -> bool:
    return holder.suspended_by == SuspendedBy.HOLDER and holder.expires >= today


def _is_any(holder: Holder, today: date) -> bool:
    return True


_REASON = {"reason": "بناءً على طلب المكتب (بيانات مختلقة)."}
KINDS = (
    Kind("exam", 46, _EXAM),
    Kind("issuance", 6, _STANDARD),
    Kind("renewal", 24, _STANDARD, {}, _is_renewable),
    Kind("suspension", 3, _STANDARD, _REASON, _is_active),
    Kind("cancellation", 2, _STANDARD, _REASON, _is_active),
    Kind("transfer", 2, _TRANSFER, _REASON, _is_active),
    Kind("letter", 10, _STANDARD, {"purpose": "تقديمها إلى بنك"}, _is_any),
    Kind("lost_card", 5, _STANDARD, {"circumstances": "فُقدت (بيانات مختلقة)."}, _is_active),
    Kind("reactivation", 2, _STANDARD, _REASON, _is_reactivable),
)


class Holders:
    """The licences of bulk requests: at most one open request each, any number of others."""

    def __init__(self, holders: Iterable[Holder], chance: random.Random, today: date) -> None:
        self._all, self._chance = list(holders), chance
        self._free: dict[str, deque[Holder]] = {}
        rests: dict[Any, deque[Holder]] = {}
        for kind in KINDS:
            if kind.fits is not None and kind.fits is not _is_any:
                self._free[kind.code] = rests.setdefault(
                    kind.fits, deque(holder for holder in self._all if kind.fits(holder, today))
                )
        self._unissued = deque(self._all)

    def any(self) -> Holder:
        """Return any licence."""
        return self._chance.choice(self._all)

    def free(self, kind: Kind) -> Holder | None:
        """Return a licence in the state the service needs, without an open request, or None.

        Services that need the same state share the supply.
        """
        if kind.code not in self._free:
            return self.any()
        rest = self._free[kind.code]
        return rest.popleft() if rest else None

    def issued(self) -> Holder | None:
        """Return a licence not yet issued by a request of the mix, or None."""
        return self._unissued.popleft() if self._unissued else None
