"""Packs in the panel: downloading one, and importing one as a draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Response, request, url_for
from flask_admin import expose
from flask_babel import gettext as _

from admin_views.base.access import current_actor, id_or_404, require
from admin_views.base.form_post import post_once, posted_version, repeated
from admin_views.office.services import draft_parts
from clearance.accounts import teams as team_members
from clearance.auth import rate_limits
from clearance.core import audit, i18n, teams
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.errors import DomainError
from clearance.core.extensions import db
from clearance.core.request_kind import is_sent
from clearance.models import DocumentKind, Team
from clearance.services import choice_lists, comparison, drafting, packs, reading
from clearance.services.drafting import Document, Source
from clearance.services.packs import Missing, Pack
from clearance.web.downloads import as_attachment
from forms.service_packs import MAKE, PackFileForm, PackForm, pack_form


class PackRoutes:
    """Mixin of the list of services."""

    render: Callable[..., str]

    @expose("/<code>/pack")
    def pack(self, code: str) -> Response:
        """Download a version (`?version=2`, else the newest) or the draft (`?draft=1`)."""
        number = id_or_404(request.args["version"]) if "version" in request.args else None
        is_draft = "draft" in request.args
        pack = packs.of_draft(code) if is_draft else packs.of_version(code, number)
        ending = "-draft" if is_draft else f"-{number}" if number else ""
        answer = Response(packs.written(pack), mimetype="application/yaml")
        return as_attachment(answer, f"{code}{ending}.yaml")

    @expose("/import/", methods=("GET", "POST"))
    def pack_import(self) -> Any:
        """Take an uploaded pack, show what it is, ask what it becomes, and make a draft of it."""
        require(current_actor().is_administrator)
        is_asked = "text" in request.form
        if not is_asked and not is_sent():
            return self._upload()
        try:
            data = _typed() if is_asked else uploaded("pack", packs.MOST_BYTES)
            pack = packs.read_for_draft(data)
        except DomainError as fault:
            audit.access("service:pack:read", object_type="service", result="refused")
            return self._upload(fault)
        if not is_asked:
            audit.access(
                "service:pack:read", object_type="service", object_id=pack.code, result="ok"
            )
        form = _form_of(pack)
        if not is_asked or not is_sent():
            if not is_asked:
                _propose(form, pack, data)
            return self._ask_about(pack, form)
        if not form.validate():
            return repeated() or (self._ask_about(pack, form), 400)
        code = form.code.data if form.is_new else pack.code
        return post_once(
            lambda: _take(pack, form),
            result=url_for(".draft_checkup", code=code),
            told=lambda is_changed: (
                _("The draft was made from the file. Nothing is published yet.")
                if is_changed
                else _("The service already says all of this. Nothing was changed.")
            ),
            refused=lambda fault: (self._ask_about(pack, _form_of(pack), fault), 409),
        )

    def _upload(self, fault: DomainError | None = None) -> Any:
        """Show the form of the upload, with why a file was refused."""
        form = PackFileForm(formdata=None)
        if fault is None:
            return self.render("office/services/pack/upload.html", form=form)
        form.pack.errors = [str(fault)]
        return self.render("office/services/pack/upload.html", form=form), fault.status_code

    def _ask_about(self, pack: Pack, form: PackForm, fault: Any = None) -> str:
        """Show what a pack is, what is wrong in it, and the questions about it."""
        lang = i18n.language()
        document = packs.for_service(pack, pack.code) if form.is_known else pack.definition
        now = drafting.source(pack.code) if form.is_known else None
        looked_at = Source(str(document["code"]), document, None, now.base if now else None)
        wrong = drafting.findings(looked_at, kuwait_date(utc_now()))
        form.version.data = now.version if now is not None else 0
        return self.render(
            "office/services/pack/import.html",
            form=form,
            pack=pack,
            title=draft_parts.name_of(pack.definition, lang) or pack.code,
            counts=_counts(pack.definition),
            findings=wrong,
            faults=sum(not each.is_remark for each in wrong),
            current=now,
            is_same=now is not None and packs.is_same(document),
            changes=_changes(now.document, document) if now is not None else [],
            refusal=fault.message if fault is not None else "",
        )


def uploaded(name: str, most: int) -> bytes:
    """Return the posted file, at most one byte more than `most`; counted as an upload.

    Call it before the first query. Raises: packs.BadPack if there is none; TooManyTries.
    """
    posted = request.files.get(name)
    if posted is None or not posted.filename:
        raise packs.BadPack(_("Choose a file first."))
    rate_limits.consume("upload_account", f"user:{current_actor().id}")
    return posted.stream.read(most + 1)


def _typed() -> bytes:
    """Return the file that the page carries, with its own line ends."""
    return request.form["text"].replace("\r\n", "\n").encode()


def _form_of(pack: Pack) -> PackForm:
    lang, is_known = i18n.language(), packs.exists(pack.code)
    kinds = sa.select(DocumentKind).where(DocumentKind.is_active).order_by(DocumentKind.position)
    ours = {
        "documents": [
            (row.code, i18n.in_language(row, "name")) for row in db.session.scalars(kinds)
        ],
        "lists": choice_lists.named(lang),
        "teams": teams.named(lang),
    }
    is_replacing = (
        is_known
        and drafting.source(pack.code).draft is not None
        and not packs.is_same(packs.for_service(pack, pack.code))
    )
    return pack_form(packs.missing(pack), ours, lang, is_known=is_known, has_draft=is_replacing)


def _propose(form: PackForm, pack: Pack, data: bytes) -> None:
    """Fill in what the file says."""
    form.text.data = data.decode("utf-8-sig")
    if not form.is_known:
        form.code.data, form.prefix.data = pack.code, pack.definition.get("prefix")


def _take(pack: Pack, form: PackForm) -> bool:
    """Make the draft, and first the reference data that it needs; return whether it changed."""
    actor, now = current_actor(), utc_now()
    chosen = {}
    for missing, answer in form.answers().items():
        if answer == MAKE:
            _make(missing)
        else:
            chosen[missing.sort, missing.code] = answer
    document = packs.replaced(pack.definition, chosen)
    if form.is_new:
        named = {"code": form.code.data, "prefix": form.prefix.data}
        drafting.begin({**document, **named}, actor, now, verb="imported")
        return True
    document = packs.for_service(Pack(document), pack.code)
    return packs.put_in_draft(document, posted_version(), actor, now)


def _make(missing: Missing) -> None:
    """Add a row of reference data that a pack names; flushes and audits."""
    model = packs.NAMED[missing.sort].model
    names = missing.names
    if names is None:
        return
    values: dict[str, Any] = {"code": missing.code, "name_ar": names.ar, "name_en": names.en}
    if isinstance(names, packs.NamedChoices):
        values["items"] = names.model_dump(mode="json", exclude_defaults=True)["items"]
    elif issubclass(model, DocumentKind | Team):
        last = db.session.scalar(sa.select(sa.func.max(model.position))) or 0
        values["position"] = min(last + 1, 9999)
    row = model(**values)
    db.session.add(row)
    db.session.flush()
    if isinstance(row, Team):
        team_members.begin_further(row, current_actor(), utc_now())
    audit.record(
        f"reference:{row.__tablename__}:created",
        obj=row,
        actor_id=current_actor().id,
        changes={key: [None, value] for key, value in values.items()},
    )


def _counts(definition: Document) -> dict[str, int]:
    """Return how many parts the lists of a definition have."""
    lists = {key: definition.get(key) for key in ("fields", "documents", "stages", "issued")}
    return {key: len(each) if isinstance(each, list) else 0 for key, each in lists.items()}


def _changes(old: Document, new: Document) -> list[comparison.Change]:
    """Return what the import changes, as far as both can be read."""
    code = str(new["code"])
    return comparison.differences(reading.read(old, code), reading.read(new, code))
