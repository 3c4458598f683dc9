"""Demo transfers: pending with each of the three who must agree, and closed."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from datetime import datetime
from typing import Any

from clearance.demo.stage import Stage, Story
from clearance.models import Request
from clearance.services.decisions import RemarkInput
from clearance.services.flows import Action
from clearance.transfers.flow import TransferAction

SERVICE = "transfer"
NO_ROOM = "لا يتسع المكتب حالياً لمخلصين إضافيين."
STAYS = "أفضّل البقاء في مكتبي الحالي."
REASON_REMARK = "يرجى بيان سبب النقل."
_OTHER = {"general": "receiver", "receiver": "general"}
_Telling = Generator[datetime, None, Request]


def stories(stage: Stage) -> Iterator[Story]:
    """Yield closed transfers and ones pending with each office, the broker or reviewers."""
    yield _closed(stage)
    yield _only_asked(stage, "general", "move-asked", -3, "general")
    yield _only_asked(stage, "receiver", "move-wanted", -2, "general")
    yield _at_the_broker(stage)
    yield _agreed_only(stage)
    yield _taken(stage)
    yield _returned(stage)
    yield _drafted(stage)


def _closed(stage: Stage) -> Story:
    """Declined by either, withdrawn, rejected, lapsed and finally approved."""
    key = "move-closed"
    declined = yield from _asked(stage, "general", key, -150)
    yield from stage.do(declined, TransferAction.DECLINE, "receiver", -148, NO_ROOM)
    refused = yield from _accepted(stage, "general", key, -140)
    yield from stage.do(refused, TransferAction.REFUSE, None, -137, STAYS)
    withdrawn = yield from _asked(stage, "general", key, -130)
    yield from stage.do(withdrawn, Action.WITHDRAW, "general", -129)
    rejected = yield from _agreed(stage, "general", key, -100)
    yield from stage.rejected(rejected, "reviewer", -94)
    yield from _asked(stage, "general", key, -72)
    approved = yield from _agreed(stage, "general", key, -40)
    yield from stage.do(approved, Action.APPROVE, "reviewer2", -33)


def _only_asked(stage: Stage, name: str, key: str, days: int, holder: str) -> Story:
    yield from _asked(stage, name, key, days, holder)


def _at_the_broker(stage: Stage) -> Story:
    yield from _accepted(stage, "general", "move-broker", -5)


def _agreed_only(stage: Stage) -> Story:
    yield from _agreed(stage, "general", "move-sent", -6, "receiver")


def _taken(stage: Stage) -> Story:
    req = yield from _agreed(stage, "general", "move-taken", -8, "receiver")
    yield from stage.do(req, Action.TAKE, "reviewer", -3)


def _returned(stage: Stage) -> Story:
    req = yield from _agreed(stage, "general", "move-returned", -10, "receiver")
    yield from stage.returned(req, "reviewer2", -4, RemarkInput(REASON_REMARK, field="reason"))


def _drafted(stage: Stage) -> Story:
    licence = stage.licence("general", "guarantee-60")
    yield from stage.draft(SERVICE, "general", -1, {}, has_documents=False, licence=licence)


def _agreed(stage: Stage, name: str, key: str, days: int, holder: str = "general") -> _Telling:
    """A transfer agreed by the other office, two days later, and then by the broker."""
    req = yield from _accepted(stage, name, key, days, holder)
    return (yield from stage.do(req, TransferAction.CONSENT, None, days + 3))


def _accepted(stage: Stage, name: str, key: str, days: int, holder: str = "general") -> _Telling:
    req = yield from _asked(stage, name, key, days, holder)
    return (yield from stage.do(req, TransferAction.ACCEPT, _OTHER[name], days + 2))


def _asked(stage: Stage, name: str, key: str, days: int, holder: str = "general") -> _Telling:
    """Send a request of `name`'s office for the broker of `holder`'s."""
    licence = stage.licence(holder, key)
    own, other = stage.office_of(name), stage.office_of(_OTHER[name])
    values: dict[str, Any] = {
        "licence_no": other.licence_no,
        "mobile": licence.broker.mobile,
        "email": own.email,
        "reason": "انتقال المخلص إلى مقر عمل أقرب إلى سكنه.",
    }
    return stage.sent(SERVICE, name, days, values, licence=licence)
