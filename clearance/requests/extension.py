"""What every service may name: the standard flows, and the start by broker type."""

from __future__ import annotations

from pathlib import Path

from clearance.requests.starts import BROKER_TYPE
from clearance.services.extension import Extension
from clearance.services.flows import STANDARD, TWO_APPROVALS

EXTENSION = Extension(
    name="standard",
    flows=(STANDARD, TWO_APPROVALS),
    starts=(BROKER_TYPE,),
    notices=Path(__file__).parent / "texts",
)
