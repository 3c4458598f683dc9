"""What every service may name: the standard flow, and the start by broker type."""

from __future__ import annotations

from pathlib import Path

from clearance.requests.starts import BROKER_TYPE
from clearance.services.extension import Extension
from clearance.services.flows import STANDARD
from clearance.services.stages import lift_two_approvals

EXTENSION = Extension(
    name="standard",
    flows=(STANDARD,),
    starts=(BROKER_TYPE,),
    lifts={1: lift_two_approvals},
    notices=Path(__file__).parent / "texts",
)
