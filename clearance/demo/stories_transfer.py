"""Transfers of the demo world: waiting for each of the three who have to agree, and after."""

from __future__ import annotations

from typing import Any

from clearance import transfers
from clearance.demo.stage import Stage
from clearance.models import Request
from clearance.procedures.flows import Action
from clearance.procedures.parties import NAMED_BY
from clearance.workflow import RemarkInput

SERVICE = "transfer"
NO_ROOM = "لا يتسع المكتب حالياً لمخلصين إضافيين."
STAYS = "أفضّل البقاء في مكتبي الحالي."
REASON_REMARK = "يرجى بيان سبب النقل."
_OTHER = {"general": "receiver", "receiver": "general"}


def play(stage: Stage) -> None:
    """Play what ended, then what waits: for either office, for the broker, for the reviewers."""
    _ended(stage)
    _lapsed(stage)
    _moved(stage)
    _asked(stage, "general", "move-asked", -3)
    _asked(stage, "receiver", "move-wanted", -2, holder="general")
    _accepted(stage, _asked(stage, "general", "move-broker", -5), "general", -2)
    _in_the_office(stage)
    licence = stage.licence("general", "guarantee-60")
    stage.draft(SERVICE, "general", -1, {}, has_documents=False, licence=licence)


def _ended(stage: Stage) -> None:
    declined = _asked(stage, "general", "move-closed", -150)
    stage.do(declined, Action.DECLINE, "receiver", -148, NO_ROOM)
    refused = _accepted(stage, _asked(stage, "general", "move-closed", -140), "general", -138)
    stage.do(refused, Action.REFUSE, None, -137, STAYS)
    withdrawn = _asked(stage, "general", "move-closed", -130)
    stage.do(withdrawn, Action.WITHDRAW, "general", -129)
    rejected = _agreed(stage, "general", "move-closed", -90)
    stage.rejected(rejected, "reviewer", -84)


def _lapsed(stage: Stage) -> None:
    _asked(stage, "general", "move-closed", -70)
    transfers.lapse_silent(stage.at(-50))


def _moved(stage: Stage) -> None:
    stage.approved(_agreed(stage, "general", "move-closed", -40), "reviewer2", -33)


def _in_the_office(stage: Stage) -> None:
    _agreed(stage, "general", "move-sent", -6, holder="receiver")
    taken = _agreed(stage, "general", "move-taken", -8, holder="receiver")
    stage.do(taken, Action.TAKE, "reviewer", -3)
    returned = _agreed(stage, "general", "move-returned", -10, holder="receiver")
    stage.returned(returned, "reviewer2", -4, RemarkInput(REASON_REMARK, field="reason"))


def _agreed(stage: Stage, name: str, key: str, days: int, *, holder: str | None = None) -> Request:
    """A transfer to which the other office, two days later, and then the broker agreed."""
    req = _accepted(stage, _asked(stage, name, key, days, holder=holder), name, days + 2)
    return stage.do(req, Action.CONSENT, None, days + 3)


def _accepted(stage: Stage, req: Request, name: str, days: int) -> Request:
    return stage.do(req, Action.ACCEPT, _OTHER[name], days)


def _asked(stage: Stage, name: str, key: str, days: int, *, holder: str | None = None) -> Request:
    """A request of `name`'s office for the broker of `holder`'s (its own unless told otherwise)."""
    licence = stage.licence(holder or name, key)
    own, other = stage.office_of(name), stage.office_of(_OTHER[name])
    values: dict[str, Any] = {
        NAMED_BY: other.licence_no,
        "mobile": licence.broker.mobile,
        "email": own.email,
        "reason": "انتقال المخلص إلى مقر عمل أقرب إلى سكنه.",
    }
    return stage.sent(SERVICE, name, days, values, licence=licence)
