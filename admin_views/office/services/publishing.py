"""The page that shows what publishing a draft does, to its service and to what is open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, require
from admin_views.base.form_post import post_once, repeated
from clearance.core import i18n
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.models import Request
from clearance.models.enums import Status
from clearance.requests import moving, publishing
from clearance.requests.moving import Held
from clearance.services import choice_lists, comparison, drafting, registry, versions
from clearance.services.document_kinds import kind_names
from clearance.services.drafting import Source, StaleDraft
from clearance.services.schema import Definition
from clearance.services.versions import BadDefinition
from forms.new_service import PublishForm


@dataclass(frozen=True)
class Outlook:
    """What publishing does. drafts, opened: how many requests the service has.

    can_move: whether drafts can go on under the new version. held: a part in words → how many hold
    what is gone.
    """

    changes: list[comparison.Change]
    drafts: int
    opened: int
    can_move: bool
    held: list[tuple[str, Held]]

    @property
    def is_of_words(self) -> bool:
        """Whether only words change, which drafts then show at once."""
        return comparison.is_of_words_alone(self.changes)

    @property
    def asks(self) -> bool:
        """Whether the publisher chooses when drafts move."""
        return bool(self.drafts) and self.can_move and not self.is_of_words


class PublishRoutes:
    """The route of publishing, beside those of the draft."""

    _show: Callable[..., str]
    _url: Callable[..., str]

    @expose("/<code>/draft/publish/", methods=("GET", "POST"))
    def draft_publish(self, code: str) -> Any:
        """Show what publishing changes; on POST publish, if nothing is wrong."""
        require(current_actor().is_administrator)
        found, form = drafting.source(code), PublishForm()
        if found.draft is None:
            return repeated() or redirect(self._url("draft_part", code, part="basics"), code=303)
        outlook = _outlook(found)
        if not outlook.asks:
            del form.moves, form.move_on
        if found.base is not None:
            del form.is_stopped

        def show(status: int = 200, refusal: Any = "") -> Any:
            now = drafting.source(code)
            if now.draft is None:  # another administrator was faster
                flash(str(refusal or StaleDraft().message), "error")
                return redirect(url_for(".index_view"), code=303)
            template, shown = "office/services/draft/publish.html", _outlook(now)
            return self._show(now, template, form=form, outlook=shown, refusal=refusal), status

        if not is_sent():
            return show()
        if not form.validate():
            return show(400)
        try:
            return post_once(
                lambda: publishing.publish(
                    code,
                    form.compared.data or "",
                    form.why.data,
                    current_actor(),
                    utc_now(),
                    form.day(kuwait_date(utc_now())),
                    is_stopped="is_stopped" in form and form.is_stopped.data,
                ),
                result=url_for(".details_view", id=code),
                told=_("The new version is published."),
                refused=lambda fault: show(409, fault.message),
            )
        except BadDefinition:
            db.session.rollback()
            return show(400, _("The draft has faults. See the check-up."))


def _outlook(found: Source) -> Outlook:
    """Return what publishing does; nothing changes for a new service."""
    if found.base is None:
        return Outlook([], 0, 0, True, [])
    old = choice_lists.with_items(versions.as_published(found.base))
    new = found.readable
    drafts, opened = _counts(found.code)
    return Outlook(
        comparison.differences(old, new),
        drafts,
        opened,
        moving.can_move(old, new),
        [(_in_words(each, old), each) for each in moving.held(found.code, old, new)],
    )


def _in_words(held: Held, old: Definition) -> str:
    """Return what a part of the version in use is called."""
    if held.is_document:
        return kind_names().get(held.name, held.name)
    spec, lang = old.field(held.name), i18n.language()
    title = spec.title(lang) if spec is not None else held.name
    choices = {choice.value: choice.label.of(lang) for choice in (spec.choices if spec else ())}
    return f"{title}: {choices[held.value]}" if held.value else title


def _counts(code: str) -> tuple[int, int]:
    """Return how many drafts and how many open requests the service has."""
    drafts = sa.func.count().filter(Request.status == Status.DRAFT)
    opened = sa.func.count().filter(registry.is_open())
    row = db.session.execute(sa.select(drafts, opened).where(Request.service_code == code)).one()
    return int(row[0]), int(row[1])
