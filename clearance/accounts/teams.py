"""Who is in which team of reviewers, and what keeps a team from losing its last member unseen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from flask_babel import ngettext

from clearance.core import audit, i18n, teams
from clearance.core.actor import Actor
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.models import Request, Team, TeamMember, User
from clearance.models.enums import Role


class LastMember(DomainError):
    """A team would be left without members; it needs to be confirmed."""

    status_code = 409

    def __init__(self, team: Team) -> None:
        self.team = team
        waiting = open_requests(team.code)
        super().__init__(
            ngettext(
                "“%(team)s” would have no members left. %(num)s open request waits for it.",
                "“%(team)s” would have no members left. %(num)s open requests wait for it.",
                waiting,
                team=team.name_ar if i18n.language() == "ar" else team.name_en,
            )
        )


def open_requests(code: str) -> int:
    """Return how many requests wait for the team."""
    return (
        db.session.scalar(
            sa.select(sa.func.count()).where(
                Request.decided_at.is_(None), Request.team_code == code
            )
        )
        or 0
    )


def member_ids(code: str) -> set[int]:
    """Return the ids of the team's members."""
    return set(db.session.scalars(sa.select(User.id).where(teams.members(code))))


def begin_further(team: Team, actor: Actor, now: datetime) -> None:
    """Write all reviewers into the first team, now that `team` is the second. Flushes."""
    others = db.session.scalars(sa.select(Team).where(Team.code != team.code)).all()
    if len(others) != 1:
        return
    everybody = db.session.scalars(sa.select(User.id).where(User.role == Role.REVIEWER))
    _write(others[0], frozenset(), frozenset(everybody), actor, now)


def keep_members(
    team: Team, user_ids: Collection[int], actor: Actor, now: datetime, *, is_confirmed: bool
) -> None:
    """Make these reviewers the members of `team`; disabled members stay in it. Flushes.

    user_ids: of active reviewers; others are ignored. Raises: LastMember if nobody is left in a
    team that had members and it is not confirmed.
    """
    there = member_ids(team.code)
    reviewers = frozenset(db.session.scalars(sa.select(User.id).where(teams.members(None))))
    wanted = reviewers.intersection(user_ids)
    if there and not wanted and not is_confirmed:
        raise LastMember(team)
    _write(team, there, wanted, actor, now)


def chosen_or_only(codes: Iterable[str]) -> list[str]:
    """Return the codes chosen for an invited reviewer, or that of the only team."""
    known = [code for code, _name in teams.named("en")]
    return list(codes) or (known if len(known) == 1 else [])


def join(user: User, codes: Iterable[str]) -> None:
    """Put a new reviewer into these teams, unless everybody is in the only one. Flushes."""
    if not teams.are_several():
        return
    for code in db.session.scalars(sa.select(Team.code).where(Team.code.in_(list(codes)))):
        db.session.add(TeamMember(team_code=code, user_id=user.id))
    db.session.flush()


def leave_all(user: User) -> list[str]:
    """Take a former reviewer out of all teams; returns their codes. Flushes."""
    gone = sa.delete(TeamMember).where(TeamMember.user_id == user.id)
    return sorted(db.session.scalars(gone.returning(TeamMember.team_code)))


def require_members_without(user: User, *, is_confirmed: bool) -> None:
    """Check that every team of `user` has another member. Raises: LastMember, unless confirmed.

    While there is one team, only if requests wait for it.
    """
    if is_confirmed:
        return
    is_one_of_several = teams.are_several()
    for team in db.session.scalars(sa.select(Team).order_by(Team.position, Team.code)):
        matters = is_one_of_several or open_requests(team.code) > 0
        if matters and member_ids(team.code) == {user.id}:
            raise LastMember(team)


def _write(
    team: Team,
    there: Collection[int],
    wanted: Collection[int],
    actor: Actor,
    now: datetime,
) -> None:
    """Store the changed members and record them in the trail."""
    gone, new = set(there) - set(wanted), set(wanted) - set(there)
    if not gone and not new:
        return
    db.session.execute(
        sa.delete(TeamMember).where(TeamMember.team_code == team.code, TeamMember.user_id.in_(gone))
    )
    db.session.add_all(TeamMember(team_code=team.code, user_id=user_id) for user_id in sorted(new))
    db.session.flush()
    audit.record(
        "reference:team:members",
        obj=team,
        actor_id=actor.id,
        at=now,
        changes={"members": [sorted(there), sorted(wanted)]},
    )
