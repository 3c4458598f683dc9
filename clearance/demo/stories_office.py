"""What the office of the demo world did to licences of its own accord."""

from __future__ import annotations

from clearance import licence_office
from clearance.demo.stage import Stage, Story

SUSPENDED = "ورد كتاب من إدارة التحقيق بشأن مخالفة جمركية، وتوقف الرخصة لحين البت فيها."
REINSTATED = "حُفظت المخالفة، ويُرفع الإيقاف."
CORRECTED = "تصحيح رقم جواز السفر وفق صورته المرفقة بالملف."


def story(stage: Stage) -> Story:
    """Suspend a licence and lift that again, correct what is kept of it, suspend another."""
    reviewer, other = stage.actor("reviewer"), stage.actor("reviewer2")
    licence = stage.licence("general", "letter")
    now = yield from stage.wait(-60)
    licence_office.suspend(licence, reviewer, SUSPENDED, licence.version, now)
    now = yield from stage.wait(-52)
    licence_office.reinstate(licence, other, REINSTATED, licence.version, now)
    now = yield from stage.wait(-30)
    corrected = {"passport_no": "P0900417"}
    licence_office.correct(licence, corrected, reviewer, CORRECTED, licence.version, now)
    licence = stage.licence("general", "suspended")
    now = yield from stage.wait(-25)
    licence_office.suspend(licence, reviewer, SUSPENDED, licence.version, now)
