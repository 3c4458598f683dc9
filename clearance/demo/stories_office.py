"""What the office of the demo world did to licences of its own accord."""

from __future__ import annotations

from clearance import licence_office
from clearance.demo.stage import Stage

SUSPENDED = "ورد كتاب من إدارة التحقيق بشأن مخالفة جمركية، وتوقف الرخصة لحين البت فيها."
REINSTATED = "حُفظت المخالفة، ويُرفع الإيقاف."
CORRECTED = "تصحيح رقم جواز السفر وفق صورته المرفقة بالملف."


def play(stage: Stage) -> None:
    """Suspend one licence, lift the suspension of another, correct what is kept of a third."""
    reviewer, other = stage.actor("reviewer"), stage.actor("reviewer2")
    licence = stage.licence("general", "letter")
    licence_office.suspend(licence, reviewer, SUSPENDED, licence.version, stage.at(-60))
    licence_office.reinstate(licence, other, REINSTATED, licence.version, stage.at(-52))
    corrected = {"passport_no": "P0900417"}
    licence_office.correct(licence, corrected, reviewer, CORRECTED, licence.version, stage.at(-30))
    licence = stage.licence("general", "suspended")
    licence_office.suspend(licence, reviewer, SUSPENDED, licence.version, stage.at(-25))
