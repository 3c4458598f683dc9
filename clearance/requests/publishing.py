"""Publishing a service's draft: its request drafts move if their day has come, reviewers know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import gettext as _

from clearance import notifications
from clearance.core import i18n, teams
from clearance.core.actor import Actor
from clearance.core.extensions import db
from clearance.models import ServiceVersion, User
from clearance.requests import moving
from clearance.services import comparison, drafting, offering, packs, versions
from clearance.services.schema import Definition

MOST_CHANGES = 6
"""Changes that a notice names; the others are counted."""


def publish(
    code: str,
    compared: str,
    why: str,
    actor: Actor,
    now: datetime,
    drafts_move_on: date | None,
    *,
    is_stopped: bool = False,
) -> ServiceVersion:
    """Publish as `drafting.publish` does, move the drafts that are due, and notify reviewers.

    is_stopped: the service is stopped from now on, before anybody can use it.
    """
    base = drafting.source(code).base
    version = drafting.publish(code, compared, why, actor, now, drafts_move_on)
    if is_stopped:
        offering.stop(code, actor.id, now, why=why)
    _follow(base, version, actor.id, now)
    return version


def publish_file(
    document: Mapping[str, Any], now: datetime, drafts_move_on: date | None = None
) -> ServiceVersion:
    """Publish a definition that has no draft, in nobody's name; otherwise as `publish`.

    Raises: versions.BadDefinition.
    """
    code = str(document["code"])
    base = versions.numbered(code) if packs.exists(code) else None
    version = versions.publish(document, None, now, drafts_move_on=drafts_move_on)
    _follow(base, version, None, now)
    return version


def _follow(
    base: ServiceVersion | None, version: ServiceVersion, actor_id: int | None, now: datetime
) -> None:
    """Move the drafts that are due, and notify reviewers of what changed since `base`."""
    moving.move_due(now, version.service_code)
    old = versions.as_published(base) if base is not None else None
    _notify(old, versions.as_published(version), actor_id, now)


def _notify(old: Definition | None, new: Definition, actor_id: int | None, now: datetime) -> None:
    """Notify each reviewer of the service's teams once, all reviewers if it has none."""
    codes: set[str | None] = {stage.team for stage in new.stages}
    asked = sa.select(User.id).where(
        sa.or_(*(teams.members(code) for code in codes or {None})),
        User.id.is_distinct_from(actor_id),
    )
    params = {
        "service": {lang: new.title.of(lang) for lang in i18n.LANGUAGES},
        "changes": {lang: _in_short(old, new, lang) for lang in i18n.LANGUAGES},
    }
    for user_id in db.session.scalars(asked.order_by(User.id)).all():
        notifications.notify_user("service:changed", user_id=user_id, params=params, now=now)


def _in_short(old: Definition | None, new: Definition, lang: str) -> str:
    """Return what differs as lines in `lang`, each place and property once."""
    with force_locale(lang):
        if old is None:
            return str(_("This is a new service."))
        changes = comparison.differences(old, new)
        lines = list(dict.fromkeys(f"- {each.place}: {each.what()}" for each in changes))
        more = len(lines) - MOST_CHANGES
        if more > 0:
            lines[MOST_CHANGES:] = ["- " + _("Other changes: %(number)s", number=more)]
        return "\n".join(lines)
