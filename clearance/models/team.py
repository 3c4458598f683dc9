"""Teams of reviewers and their members."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from clearance.models import base
from clearance.models.base import Base


class Team(Base):
    """A team of reviewers, which stages of services name; editable reference data."""

    __tablename__ = "team"

    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name_ar: Mapped[base.name]
    name_en: Mapped[base.name]
    position: Mapped[int] = mapped_column(default=0)


class TeamMember(Base):
    """A reviewer in a team; see core/teams.py for who counts as a member."""

    __tablename__ = "team_member"

    team_code: Mapped[str] = mapped_column(
        sa.String(40), sa.ForeignKey("team.code", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True, index=True)
