"""Drafts of requests move to a later version of their service, with every answer that fits.

Sent requests, also those that wait for corrections, keep the version that they were sent with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, pairwise
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale

from clearance.core import audit, i18n, legal_holds
from clearance.core.clock import kuwait_date
from clearance.core.extensions import db
from clearance.files import quota
from clearance.models import Document, Request, ServiceVersion
from clearance.models.enums import Status
from clearance.requests import starts
from clearance.requests.attachments import OTHER
from clearance.requests.field_values import value_of
from clearance.requests.locking import lock_many
from clearance.services import answers, registry, versions
from clearance.services.columns import keep_column
from clearance.services.field_specs import FieldSpec
from clearance.services.schema import Definition
from clearance.services.standard_fields import COLUMNS, is_empty, type_of, value_fault

BATCH = 200  # per transaction, which keeps locks short
MOST_HELD = 30
"""Parts that `held` counts the requests of."""


@dataclass(frozen=True)
class Held:
    """What a new version changes or drops although requests hold it.

    name: of the field or kind of document. value: the choice that is gone; "" for the whole part.
    drafts, opened: how many drafts and sent open requests have an answer or a file there.
    """

    name: str
    value: str
    is_document: bool
    drafts: int
    opened: int


def move_due(now: datetime, code: str | None = None) -> int:
    """Move drafts whose day has come; a job. At most `BATCH` of them. Flushes; audited.

    code: only those of one service. A draft stays where the new version is out of order or begins
    requests differently, and under a legal hold, as moving drops what does not fit. Returns how
    many moved.
    """
    ways = _ways(kuwait_date(now), code)
    due = sa.select(Request.id).where(
        Request.status == Status.DRAFT,
        Request.service_version_id.in_(ways),
        ~legal_holds.keeps_request(),
    )
    moved = 0
    for req in lock_many(db.session.scalars(due.order_by(Request.id).limit(BATCH)).all()):
        way = ways.get(req.service_version_id)
        if req.status == Status.DRAFT and way is not None:  # neither sent nor moved meanwhile
            _move(req, way, now)
            moved += 1
    db.session.flush()
    return moved


def can_move(old: Definition, new: Definition) -> bool:
    """Return whether drafts of `old` can go on as drafts of `new`."""
    begins_alike = (old.subject, old.start) == (new.subject, new.start)
    return begins_alike and not old.is_out_of_order and not new.is_out_of_order


def carried(stored: Mapping[str, Any], way: Sequence[Definition]) -> dict[str, Any]:
    """Return those stored answers that fit the last of the definitions, by its names.

    stored: answers under the first definition. way: it and all versions after it; a field keeps the
    answers of its name, or else of the name that it had before (`was`).
    """
    old, new = way[0], way[-1]
    found = {}
    for spec in new.asked:
        before = old.field(_earlier_name(spec, way))
        if not spec.is_own or before is None or before.name not in stored:
            continue
        value = _fitting(stored[before.name], before, spec)
        if value is not None:
            found[spec.name] = value
    return found


def held(code: str, old: Definition, new: Definition) -> list[Held]:
    """Return what requests hold that `new` changes the type of, or drops; one query.

    Counted over all of the service's drafts and open requests, whatever their version.
    """
    changed = [*_changed_answers(old, new), *_dropped_documents(old, new)][:MOST_HELD]
    if not changed:
        return []
    drafts, opened = Request.status == Status.DRAFT, registry.is_open()
    counts = [
        sa.func.count().filter(who, _holds(*each)) for each in changed for who in (drafts, opened)
    ]
    statement = sa.select(*counts).where(Request.service_code == code, sa.or_(drafts, opened))
    row = db.session.execute(statement).one()
    found = [
        Held(*each, drafts=row[2 * place], opened=row[2 * place + 1])
        for place, each in enumerate(changed)
    ]
    return [each for each in found if each.drafts or each.opened]


def _changed_answers(old: Definition, new: Definition) -> Iterable[tuple[str, str, bool]]:
    """Yield the own fields that are gone or of another type, and the choices that are gone."""
    kept = {_earlier_name(spec, [old, new]): spec for spec in new.asked}
    for spec in old.asked:
        now = kept.get(spec.name)
        if not spec.is_own:
            continue
        if now is None or now.type != spec.type:
            yield spec.name, "", False
        else:
            there = {choice.value for choice in now.choices}
            gone = (choice.value for choice in spec.choices if choice.value not in there)
            yield from ((spec.name, value, False) for value in gone)


def _dropped_documents(old: Definition, new: Definition) -> Iterable[tuple[str, str, bool]]:
    kinds = _kinds(new)
    yield from ((spec.kind, "", True) for spec in old.documents if spec.kind not in kinds)


def _holds(name: str, value: str, is_document: bool) -> sa.ColumnElement[bool]:
    """Return the condition on Request for those that hold an answer, a choice or a file."""
    if is_document:
        return sa.exists().where(Document.request_id == Request.id, Document.kind == name)
    answer = Request.answers[name].as_string()  # of several choices, the text of their list
    if not value:
        return sa.and_(answer.is_not(None), answer.not_in(["", "[]"]))
    return sa.or_(answer == value, answer.contains(f'"{value}"', autoescape=True))


def _ways(today: date, code: str | None) -> dict[int, list[ServiceVersion]]:
    """Return, by id of a version that drafts leave, it and all versions up to where they go."""
    statement = sa.select(ServiceVersion).order_by(
        ServiceVersion.service_code, ServiceVersion.number
    )
    if code is not None:
        statement = statement.where(ServiceVersion.service_code == code)
    ways = {}
    rows = db.session.scalars(statement)
    for _code, grouped in groupby(rows, key=lambda row: row.service_code):
        listed = list(grouped)
        for place in range(len(listed)):
            way = _way(listed[place:], today)
            if len(way) > 1 and can_move(versions.get(way[0].id), versions.get(way[-1].id)):
                ways[way[0].id] = way
    return ways


def _way(later: list[ServiceVersion], today: date) -> list[ServiceVersion]:
    """Return how far along the versions from its own a draft goes today."""
    words, last = True, 0
    for place, version in enumerate(later[1:], 1):
        words = words and version.is_text_revision
        is_due = version.drafts_move_on is not None and version.drafts_move_on <= today
        if words or is_due:
            last = place
    return later[: last + 1]


def _move(req: Request, way: list[ServiceVersion], now: datetime) -> None:
    definitions = [versions.get(version.id) for version in way]
    if all(version.is_text_revision for version in way[1:]):
        req.service_version = way[-1]
        return
    old, new = definitions[0], definitions[-1]
    kept = carried(req.answers, definitions)
    earlier = {_earlier_name(spec, definitions): spec for spec in new.asked}
    lost = {
        spec.name: value_of(req, spec)
        for spec in old.asked
        if _is_lost(req, spec, earlier.get(spec.name), kept, new)
    }
    for name in lost.keys() & COLUMNS:
        keep_column(req, name, None)
    req.answers = kept
    files = _drop_files(req, new)
    _tell(req, definitions, lost, files, now)
    audit.record(
        "request:draft:moved",
        obj=req,
        actor_id=None,
        at=now,
        organisation_id=req.organisation_id,
        changes={
            "service_version": [way[0].number, way[-1].number],
            **{name: [answers.stored(value), None] for name, value in lost.items()},
            **({"documents": [files, None]} if files else {}),
        },
    )
    req.service_version = way[-1]
    req.version += 1  # so that a save of the earlier form is compared with what is there


def _is_lost(
    req: Request, spec: FieldSpec, now: FieldSpec | None, kept: Mapping[str, Any], new: Definition
) -> bool:
    """Return whether a value of the old field is given and not kept."""
    if not spec.is_own:
        stays = new.field(spec.name) is not None or spec.name in starts.preserved_fields(new)
        return not stays and not is_empty(value_of(req, spec))
    given = not is_empty(answers.typed(spec, req.answers.get(spec.name)))
    return given and (now is None or now.name not in kept)


def _drop_files(req: Request, new: Definition) -> list[str]:
    """Delete the files of kinds that are no longer taken. Returns their names."""
    kinds = _kinds(new)
    gone = [document for document in req.documents if document.kind not in kinds]
    if gone:
        quota.delete_documents(req.organisation_id, gone)
        db.session.expire(req, ["documents"])
    return [document.label for document in gone]


def _tell(
    req: Request,
    way: Sequence[Definition],
    lost: Mapping[str, Any],
    files: Sequence[str],
    now: datetime,
) -> None:
    """Keep what the applicant will read of the move, with what was not read of an earlier one."""
    old, new = way[0], way[-1]
    origins = {spec.name: _earlier_name(spec, way) for spec in new.asked}
    asked = {spec.name for spec in old.asked}
    here = {name: spec for spec in new.asked if (name := origins[spec.name]) in lost}
    told: dict[str, list[Any]] = {
        "new": [_words(spec) for spec in new.asked if origins[spec.name] not in asked],
        "gone": [_words(spec) for spec in old.asked if spec.name not in origins.values()],
        "again": [_words(spec) for spec in here.values()],
        "files": list(files),
    }
    if any(told.values()):
        before = req.moved or {}
        told = {key: _union(before.get(key, []), each) for key, each in told.items()}
        req.moved = {"on": i18n.format_day(kuwait_date(now)), **told}


def _union(before: list[Any], more: list[Any]) -> list[Any]:
    return before + [each for each in more if each not in before]


def _words(spec: FieldSpec) -> dict[str, str]:
    found = {}
    for lang in i18n.LANGUAGES:
        with force_locale(lang):
            found[lang] = spec.title(lang)
    return found


def _earlier_name(spec: FieldSpec, way: Sequence[Definition]) -> str:
    """Return the name of the field in the first definition whose answers `spec` takes over."""
    name = spec.name
    for before, after in reversed(list(pairwise(way))):
        here = after.field(name)
        if before.field(name) is None and here is not None and here.was:
            name = here.was
    return name


def _fitting(stored: Any, old: FieldSpec, new: FieldSpec) -> Any:
    """Return the stored answer as the new field keeps it, or None where it cannot hold it.

    A limit that the answer breaks does not matter: the form says so.
    """
    there = {choice.value for choice in new.choices}
    chosen = stored if isinstance(stored, list) else [stored]
    if bool(there) != bool(old.choices):
        return None
    if there:
        if not there.issuperset(chosen) or (new.type == "choice" and len(chosen) != 1):
            return None
        return chosen if new.type == "choices" else chosen[0]
    value = answers.typed(new, stored)
    if value is None or type(value) is not type_of(new.kind):
        return None
    if new.type != old.type and value_fault(new.kind, value, today=date.min) is not None:
        return None
    return answers.stored(value)


def _kinds(definition: Definition) -> set[str]:
    return {OTHER, *(spec.kind for spec in definition.documents)}
