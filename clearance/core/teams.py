"""Teams of reviewers: their names and who is in them.

Until there is a second team, every active reviewer is in the first.
"""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa
from flask import g, has_request_context

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
    return len(_all()) > 1


def named(lang: str) -> list[tuple[str, str]]:
    """Return (code, name in `lang`) of all teams, in their order."""
    return [(code, ar if lang == "ar" else en) for code, ar, en in _all()]


def name(code: str, lang: str) -> str:
    """Return the name of a team in `lang`; its code if it is gone."""
    return dict(named(lang)).get(code, code)


def _all() -> list[tuple[str, str, str]]:
    """Return (code, Arabic name, English name) of the teams; one query a page."""
    if has_request_context() and "teams" in g:
        return cast(list[tuple[str, str, str]], g.teams)
    rows = db.session.execute(
        sa.select(Team.code, Team.name_ar, Team.name_en).order_by(Team.position, Team.code)
    )
    found = [(code, ar, en) for code, ar, en in rows]
    if has_request_context():
        g.teams = found
    return found
