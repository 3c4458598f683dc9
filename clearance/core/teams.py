"""Teams of reviewers: their names and who is in them.

Until there is a second team, every active reviewer is in the first.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from clearance.core import kept
from clearance.core.extensions import db
from clearance.models import Team, TeamMember, User
from clearance.models.enums import Role

FIRST = "review"
"""The code of the team that every office has."""

_IS_ONLY = sa.select(sa.func.count()).select_from(Team).scalar_subquery() == 1


def includes(user_id: Any) -> sa.ColumnElement[bool]:
    """Return the condition on Team for those that the reviewer is in. user_id: SQL or a number."""
    listed = sa.select(TeamMember.team_code).where(TeamMember.user_id == user_id)
    return sa.or_(_IS_ONLY, Team.code.in_(listed.correlate(User)))


def members(code: str | None) -> sa.ColumnElement[bool]:
    """Return the condition on User for active reviewers in a team; for all reviewers if None."""
    reviewing = sa.and_(User.role == Role.REVIEWER, User.is_active.is_(True))
    if code is None:
        return reviewing
    listed = sa.select(TeamMember.user_id).where(TeamMember.team_code == code)
    return sa.and_(reviewing, sa.or_(_IS_ONLY, User.id.in_(listed)))


def are_several() -> bool:
    """Return whether there is more than one team."""
    return len(_kept()) > 1


def named(lang: str) -> list[tuple[str, str]]:
    """Return (code, name in `lang`) of all teams, in their order."""
    return [(code, ar if lang == "ar" else en) for code, ar, en in _kept()]


def name(code: str, lang: str) -> str:
    """Return the name of a team in `lang`; its code if it is gone."""
    return dict(named(lang)).get(code, code)


def _kept() -> list[tuple[str, str, str]]:
    """Return (code, Arabic name, English name) of the teams."""
    return kept.until_changed("teams", _all)


def _all() -> list[tuple[str, str, str]]:
    rows = db.session.execute(
        sa.select(Team.code, Team.name_ar, Team.name_en).order_by(Team.position, Team.code)
    )
    return [(code, ar, en) for code, ar, en in rows]
