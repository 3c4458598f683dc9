"""An extension: approving a request charges a fee that the reviewer fixes.

`EXTENSIONS=examples.fees` adds the effect `charge_fee`, the service that uses it, the setting for
the fee that is proposed, the office's list of fees, and a demo story.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from clearance.core import office_settings
from clearance.core.errors import Refusal
from clearance.core.i18n import bilingual
from clearance.core.office_setting_types import number
from clearance.models import Request
from clearance.services.decisions import Decision
from clearance.services.effects import StepContext, approval_effect
from clearance.services.extension import Extension
from clearance.services.needs import Needs

USUAL = number(
    "fees_usual_fils",
    "fees",
    5000,
    bilingual(ar="الرسم المعتاد بالفلس", en="Usual fee in fils"),
    minimum=0,
    maximum=1_000_000,
)


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

    @classmethod
    def proposed(cls, req: Request, now: datetime) -> Mapping[str, Any]:
        """Return the usual fee, an office setting."""
        return {"fee": Decimal(office_settings.get(USUAL.key)).scaleb(-3)}

    def refusal(self, now: datetime) -> Refusal | None:
        """Refuse a negative fee."""
        if self.fee < 0:
            return Refusal(bilingual(ar="لا يكون الرسم سالبا.", en="The fee must not be negative."))
        return None


@approval_effect(
    words=bilingual(
        ar="يسجل الرسم على من يدفعه.", en="The fee is charged to the one named as payer."
    ),
    needs=Needs(roles={"payer": bilingual(ar="دافع الرسم", en="Payer of the fee")}),
    asks=Fee,
)
def charge_fee(step: StepContext) -> None:
    """Charge the fee, which the trail keeps; there is no approval without it."""
    step.given.require(Fee)


EXTENSION = Extension(
    name="fees",
    core=">=1.0",
    effects=(charge_fee,),
    setting_groups={"fees": bilingual(ar="الرسوم", en="Fees")},
    settings=(USUAL,),
    views="examples.fees.office:add_views",
    demo="examples.fees.demo:stories",
    definitions=Path(__file__).parent / "definitions",
)
