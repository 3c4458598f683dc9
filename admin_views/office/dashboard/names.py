"""Names of what figures are about, in the page's language."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from flask_babel import gettext as _

from admin_views.shared import request_lists
from clearance.core import i18n, teams
from clearance.core.extensions import db
from clearance.figures.measures import OTHER
from clearance.models import Reason, User
from clearance.services import versions


def services(keys: Collection[str]) -> list[tuple[str, str]]:
    """Return code and title of all services, so that one without any requests is seen as well."""
    return _with_gone(request_lists.service_titles(), keys)


def team_names(keys: Collection[str]) -> list[tuple[str, str]]:
    """Return code and name of the teams, where there are several."""
    named = teams.named(i18n.language())
    return _with_gone(named, keys) if len(named) > 1 else []


def reasons(keys: Collection[str]) -> dict[str, str]:
    """Return the words of reasons by what figures call them."""
    column = Reason.text_ar if i18n.language() == "ar" else Reason.text_en
    ids = [int(key) for key in keys if key != OTHER]
    named = {OTHER: str(_("In the reviewer's own words"))}
    if ids:
        rows = db.session.execute(sa.select(Reason.id, column).where(Reason.id.in_(ids)))
        named |= {str(key): text for key, text in rows}
    return {key: named.get(key, str(_("A reason that was removed"))) for key in keys}


def reviewers(keys: Collection[str]) -> list[tuple[str, str, bool]]:
    """Return id, name and whether they still review, of those who reviewed something."""
    if not keys:
        return []
    name = User.selected_name(i18n.language())
    found = sa.select(User.id, name, teams.members(None))
    found = found.where(User.id.in_([int(key) for key in keys])).order_by(name, User.id)
    return [(str(key), named, bool(reviews)) for key, named, reviews in db.session.execute(found)]


def stages(keys: Collection[str], service_code: str = "") -> list[tuple[str, str]]:
    """Return key and name of the services' stages, those that only earlier versions have last.

    service_code: of this service alone.
    """
    lang = i18n.language()
    named = [
        (f"{service.code}.{stage.name}", f"{service.title_in(lang)} – {stage.title.of(lang)}")
        for service in (version.definition for version in versions.all_newest())
        for stage in service.stages
        if service_code in ("", service.code)
    ]
    known = {key for key, _name in named}
    gone = {key: key.partition(".")[0] for key in sorted(keys) if key not in known}
    return [
        *named,
        *(
            (key, str(_("%(service)s – an earlier stage", service=request_lists.title_of(code))))
            for key, code in gone.items()
        ),
    ]


def _with_gone(named: Iterable[tuple[str, str]], keys: Collection[str]) -> list[tuple[str, str]]:
    """Return the named ones, and by their codes those that were counted and are gone."""
    found = dict(named)
    return list((found | {key: key for key in sorted(keys) if key not in found}).items())
