"""An extension: approving a request charges a fee that the reviewer fixes.

`EXTENSIONS=examples.fees` adds the effect `charge_fee` and the service that uses it.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from clearance.core.errors import Refusal
from clearance.core.i18n import bilingual
from clearance.services.decisions import Decision
from clearance.services.effects import StepContext, approval_effect
from clearance.services.extension import Extension
from clearance.services.needs import Needs


class Fee(Decision):
    """The fee in Kuwaiti dinars, to the fils."""

    audited = on_timeline = ("fee",)
    missing = bilingual(
        ar="اكتب الرسم بالدينار الكويتي، بثلاث خانات عشرية على الأكثر.",
        en="Give the fee in Kuwaiti dinars, with three decimals at most.",
    )

    fee: Annotated[
        Decimal,
        Field(
            title=bilingual(ar="الرسم (د.ك.)", en="Fee (KWD)"),
            description=bilingual(ar="مثلا 12.500", en="For example 12.500"),
            max_digits=9,
            decimal_places=3,
        ),
        AfterValidator(lambda fee: fee.quantize(Decimal("0.001"))),
    ]

    def refusal(self, now: datetime) -> Refusal | None:
        """Refuse a negative fee."""
        if self.fee < 0:
            return Refusal(bilingual(ar="لا يكون الرسم سالبا.", en="The fee must not be negative."))
        return None


@approval_effect(
    words=bilingual(
        ar="يسجل الرسم على من يدفعه.", en="The fee is charged to the one named as payer."
    ),
    needs=Needs(roles=("payer",)),
    asks=Fee,
)
def charge_fee(step: StepContext) -> None:
    """Charge the fee, which the trail keeps; there is no approval without it."""
    step.given.require(Fee)


EXTENSION = Extension(
    name="fees",
    core=">=1.0",
    effects=(charge_fee,),
    definitions=Path(__file__).parent / "definitions",
)
