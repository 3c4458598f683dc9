"""Demo transfers: pending with each of the three who must agree, and closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clearance.demo.stage import Stage, Story, Telling
from clearance.services.decisions import RemarkInput
from clearance.services.flows import Action
from clearance.transfers.flow import TransferAction

SERVICE = "transfer"
NO_ROOM = "لا يتسع المكتب حالياً لمخلصين إضافيين."
STAYS = "أفضّل البقاء في مكتبي الحالي."
REASON_REMARK = "يرجى بيان سبب النقل."
_OTHER = {"general": "receiver", "receiver": "general"}


def stories(stage: Stage) -> Iterator[Story]:
    """Yield closed transfers and ones pending with each office, the broker or reviewers."""
    yield _closed(stage)
    yield _asked(stage, "general", "move-asked", -3)
    yield _asked(stage, "receiver", "move-wanted", -2)
    yield _accepted(stage, "move-broker", -5)
    yield _agreed(stage, "move-sent", -6, "receiver")
    taken = _agreed(stage, "move-taken", -8, "receiver")
    yield stage.story(taken, (Action.TAKE, "reviewer", -3))
    yield stage.story(
        _agreed(stage, "move-returned", -10, "receiver"),
        (Action.RETURN, "reviewer2", -4),
        remarks=[RemarkInput(REASON_REMARK, field="reason")],
    )
    licence = stage.licence("general", "guarantee-60")
    yield stage.draft(SERVICE, "general", -1, {}, has_documents=False, licence=licence)


def _closed(stage: Stage) -> Story:
    """Declined by either, withdrawn, rejected, lapsed and finally approved."""
    key = "move-closed"
    asked, withdrawn = (_asked(stage, "general", key, days) for days in (-150, -130))
    yield from stage.story(asked, (TransferAction.DECLINE, "receiver", -148, NO_ROOM))
    accepted = _accepted(stage, key, -140)
    yield from stage.story(accepted, (TransferAction.REFUSE, None, -137, STAYS))
    yield from stage.story(withdrawn, (Action.WITHDRAW, "general", -129))
    yield from stage.story(_agreed(stage, key, -100), (Action.REJECT, "reviewer", -94))
    yield from _asked(stage, "general", key, -72)
    yield from stage.story(_agreed(stage, key, -40), (Action.APPROVE, "reviewer2", -33))


def _agreed(stage: Stage, key: str, days: int, holder: str = "general") -> Telling:
    """A transfer agreed by the other office, two days later, and then by the broker."""
    accepted = _accepted(stage, key, days, holder)
    return stage.story(accepted, (TransferAction.CONSENT, None, days + 3))


def _accepted(stage: Stage, key: str, days: int, holder: str = "general") -> Telling:
    asked = _asked(stage, "general", key, days, holder)
    return stage.story(asked, (TransferAction.ACCEPT, _OTHER["general"], days + 2))


def _asked(stage: Stage, name: str, key: str, days: int, holder: str = "general") -> Telling:
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
