"""Teams of reviewers: their names and who is in them.

Until there is a second team, every active reviewer is in the first.
"""

from __future__ import annotations

import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import Team, TeamMember, User
from clearance.models.enums import Role

FIRST = "review"
"""The code of the team that every office has."""

_IS_ONLY = sa.select(sa.func.count()).select_from(Team).scalar_subquery() == 1

OF_USER = sa.select(Team.code).where(
    sa.or_(
        _IS_ONLY,
        Team.code.in_(
            sa.select(TeamMember.team_code).where(TeamMember.user_id == sa.bindparam("user_id"))
        ),
    )
)
"""Selects the codes of the teams of the reviewer with the id `user_id`."""


def members(code: str | None) -> sa.ColumnElement[bool]:
    """Return the condition on User for active reviewers in a team; for all reviewers if None."""
    reviewing = sa.and_(User.role == Role.REVIEWER, User.is_active.is_(True))
    if code is None:
        return reviewing
    listed = sa.select(TeamMember.user_id).where(TeamMember.team_code == code)
    return sa.and_(reviewing, sa.or_(_IS_ONLY, User.id.in_(listed)))


def are_several() -> bool:
    """Return whether there is more than one team."""
    return (db.session.scalar(sa.select(sa.func.count()).select_from(Team)) or 0) > 1


def named(lang: str) -> list[tuple[str, str]]:
    """Return (code, name in `lang`) of all teams, in their order."""
    name = Team.name_ar if lang == "ar" else Team.name_en
    rows = db.session.execute(sa.select(Team.code, name).order_by(Team.position, Team.code))
    return [(code, shown) for code, shown in rows]


def name(code: str, lang: str) -> str:
    """Return the name of a team in `lang`; its code if it is gone."""
    row = db.session.get(Team, code)
    return code if row is None else (row.name_ar if lang == "ar" else row.name_en)
