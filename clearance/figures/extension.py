"""What the figures bring: their jobs, the message of the week, the dashboard and a command."""

from __future__ import annotations

from pathlib import Path

from clearance.figures import summaries, weekly
from clearance.services.extension import Extension, Job

EXTENSION = Extension(
    name="figures",
    jobs=(Job(summaries.refresh, seconds=300), Job(weekly.send, seconds=900)),
    notices=Path(__file__).parent / "texts",
    views="admin_views.office.dashboard:add_view",
    commands="clearance.figures.commands:add",
)
