"""Demo changes to licences that the office makes without a request."""

from __future__ import annotations

from clearance.demo.stage import Stage, Story
from clearance.licences import office_actions

SUSPENDED = "ورد كتاب من إدارة التحقيق بشأن مخالفة جمركية، وتوقف الرخصة لحين البت فيها."
REINSTATED = "حُفظت المخالفة، ويُرفع الإيقاف."
CORRECTED = "تصحيح رقم جواز السفر وفق صورته المرفقة بالملف."


def story(stage: Stage) -> Story:
    """Suspend a licence and lift the suspension, correct its data, suspend another."""
    reviewer, other = stage.actor("reviewer"), stage.actor("reviewer2")
    licence = stage.licence("general", "letter")
    now = yield from stage.wait(-60)
    office_actions.suspend(licence, reviewer, SUSPENDED, licence.version, now)
    now = yield from stage.wait(-52)
    office_actions.reinstate(licence, other, REINSTATED, licence.version, now)
    now = yield from stage.wait(-30)
    corrected = {"passport_no": "P0900417"}
    office_actions.correct(licence, corrected, reviewer, CORRECTED, licence.version, now)
    licence = stage.licence("general", "suspended")
    now = yield from stage.wait(-25)
    office_actions.suspend(licence, reviewer, SUSPENDED, licence.version, now)
