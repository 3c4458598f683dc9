"""Packs: one YAML file with a service's definition and the names of what it refers to.

A pack is made of a version or a draft, and read into a draft. It runs and fetches nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

import sqlalchemy as sa
import yaml
from flask_babel import lazy_gettext as _l
from pydantic import Field, TypeAdapter, ValidationError, field_validator

from clearance.core import foreign_yaml, yaml_files
from clearance.core.actor import Actor
from clearance.core.errors import DomainError, NotFound
from clearance.core.extensions import db
from clearance.models import ChoiceList, DocumentKind, ServiceDraft, Team
from clearance.services import drafting, reading, versions
from clearance.services.conditions import Code
from clearance.services.drafting import Document
from clearance.services.field_specs import Choice, fault_of_choices
from clearance.services.schema import Definition

MOST_BYTES: Final = foreign_yaml.MOST_BYTES


class BadPack(DomainError):
    """The file is no pack; the message says why."""

    status_code = 400


class Names(yaml_files.Part):
    """What a row of reference data is called."""

    ar: Annotated[str, Field(min_length=1, max_length=150)]
    en: Annotated[str, Field(min_length=1, max_length=150)]


class NamedChoices(Names):
    """A list of choices with what it offers."""

    items: Annotated[tuple[Choice, ...], Field(min_length=1, max_length=500)]

    @field_validator("items")
    @classmethod
    def _fit_together(cls, items: tuple[Choice, ...]) -> tuple[Choice, ...]:
        if fault := fault_of_choices(items):
            raise ValueError(str(fault))
        return items


class Needs(yaml_files.Part):
    """Reference data that a definition refers to: code → names."""

    documents: Mapping[Code, Names] = {}
    lists: Mapping[Code, NamedChoices] = {}
    teams: Mapping[Code, Names] = {}


class _Named(NamedTuple):
    """Where a definition names reference data: `property` of each part of `list`."""

    list: str
    property: str
    model: type[DocumentKind] | type[ChoiceList] | type[Team]
    in_use: sa.ColumnElement[bool]


NAMED: Final = {
    "documents": _Named("documents", "kind", DocumentKind, DocumentKind.is_active.is_(True)),
    "lists": _Named("fields", "list", ChoiceList, sa.true()),
    "teams": _Named("stages", "team", Team, sa.true()),
}
"""Part of `Needs` → where a definition names it, and its table."""


@dataclass(frozen=True)
class Pack:
    """A definition, which need not be valid, and the names of what it needs."""

    definition: Document
    needs: Needs = Needs()

    @property
    def code(self) -> str:
        """The service's code."""
        return str(self.definition["code"])


@dataclass(frozen=True)
class Missing:
    """Reference data that a pack needs and the office does not offer.

    sort: key of `NAMED`. names: to make it with; None if the pack gives none, or the office has it
    but no longer uses it.
    """

    sort: str
    code: str
    names: Names | None


def of_version(code: str, number: int | None = None) -> Pack:
    """Return the pack of a version, by default of the newest. Raises: NotFound."""
    return _of(versions.numbered(code, number).definition)


def of_draft(code: str) -> Pack:
    """Return the pack of a service's draft. Raises: NotFound if it has none."""
    draft = db.session.get(ServiceDraft, code)
    if draft is None:
        raise NotFound
    return _of(draft.document)


def written(pack: Pack) -> str:
    """Return the text of the pack's file."""
    needs = pack.needs.model_dump(exclude_defaults=True)
    document = {"definition": pack.definition, "needs": needs}
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)


def read(data: bytes) -> Pack:
    """Read a pack, or a file with a definition alone; what the definition says is not checked.

    Raises: BadPack, foreign_yaml.BadYaml.
    """
    document = foreign_yaml.read(data)
    if isinstance(document, dict) and "definition" not in document and "code" in document:
        document = {"definition": document}
    if not isinstance(document, dict) or not isinstance(document.get("definition"), dict):
        raise BadPack(_l("This file does not contain a service."))
    if unknown := sorted(set(document) - {"definition", "needs"}):
        raise BadPack(_l("A pack has no part “%(name)s”.", name=unknown[0]))
    definition = document["definition"]
    code = str(definition.get("code", "")).strip().lower()
    if not _is_code(code):
        raise _miswritten("code")
    try:
        needs = Needs.model_validate(document.get("needs") or {})
    except ValidationError as error:
        raise _miswritten(yaml_files.path_of(("needs", *error.errors()[0]["loc"]))) from None
    try:
        return Pack(normal({**definition, "code": code}), needs)
    except (AttributeError, LookupError, TypeError, ValueError):  # of an earlier schema's lifts
        raise BadPack(
            _l(
                "The definition was written for an earlier version of the portal and cannot "
                "be read."
            )
        ) from None


def read_for_draft(data: bytes) -> Pack:
    """Read a pack that is to become a draft: what it says may be wrong, but not the sort of value.

    Raises: BadPack, foreign_yaml.BadYaml.
    """
    pack = read(data)
    try:
        Definition.model_validate(pack.definition)
    except ValidationError as error:
        for fault in error.errors():
            if fault["type"].endswith("_type"):
                raise _miswritten(yaml_files.path_of(("definition", *fault["loc"]))) from None
    return pack


def normal(document: Mapping[str, Any]) -> Document:
    """Return a definition as versions keep it; one that is not valid only in today's schema."""
    lifted = reading.lift(document)
    try:
        return versions.document_of(Definition.model_validate(lifted))
    except ValidationError:
        return lifted


def missing(pack: Pack) -> list[Missing]:
    """Return what the pack needs and the office does not offer, in the order of the definition."""
    found = []
    for sort, (_list, _property, model, in_use) in NAMED.items():
        known = set(db.session.scalars(sa.select(model.code)))
        offered = set(db.session.scalars(sa.select(model.code).where(in_use)))
        names: Mapping[str, Names] = getattr(pack.needs, sort)
        found += [
            Missing(sort, code, None if code in known else names.get(code))
            for code in dict.fromkeys(_codes(pack.definition, sort))
            if code not in offered and _is_code(code)
        ]
    return found


def replaced(definition: Document, chosen: Mapping[tuple[str, str], str]) -> Document:
    """Return the definition with other reference data. chosen: (sort, code) → the office's code."""
    changed = copy.deepcopy(definition)
    for sort, named in NAMED.items():
        for part in _parts(changed, named.list):
            if (sort, str(part.get(named.property))) in chosen:
                part[named.property] = chosen[sort, part[named.property]]
    return changed


def for_service(pack: Pack, code: str) -> Document:
    """Return the pack's definition as a draft of an existing service, which keeps its prefix.

    Raises: NotFound.
    """
    kept = {"code": code, "prefix": drafting.source(code).document.get("prefix")}
    return {**pack.definition, **kept}


def is_same(document: Document) -> bool:
    """Return whether the draft, or the version in use, of its service says the same already."""
    return normal(drafting.source(document["code"]).document) == normal(document)


def exists(code: str) -> bool:
    """Return whether there is a service or a draft with that code."""
    try:
        drafting.source(code)
    except NotFound:
        return False
    return True


def put_in_draft(
    document: Document, seen: int, actor: Actor, now: datetime, verb: str = "imported"
) -> bool:
    """Make the document the draft of its service, which exists. Flushes and audits.

    seen: the version of the draft that the actor saw, 0 for none. verb: what the trail calls it.
    Returns whether anything changed.
    Raises: NotFound, drafting.StaleDraft.
    """
    if is_same(document):
        return False

    def apply(draft: Document) -> None:
        draft.clear()
        draft.update(document)

    drafting.change(document["code"], apply, seen, actor, now, verb=verb)
    return True


def _miswritten(path: str) -> BadPack:
    return BadPack(_l("“%(path)s” is missing or not valid.", path=path))


_CODE: TypeAdapter[str] = TypeAdapter(Code)


def _of(document: Mapping[str, Any]) -> Pack:
    definition = normal(document)
    needs = {}
    for sort, named in NAMED.items():
        used = named.model.code.in_(set(_codes(definition, sort)))
        rows: Iterable[Any] = db.session.scalars(
            sa.select(named.model).where(used).order_by(named.model.code)
        )
        needs[sort] = {row.code: _need(row) for row in rows}
    return Pack(definition, Needs.model_validate(needs))


def _need(row: DocumentKind | ChoiceList | Team) -> dict[str, Any]:
    """Return what a pack says of a row of reference data."""
    names = {"ar": row.name_ar, "en": row.name_en}
    return names | {"items": row.items} if isinstance(row, ChoiceList) else names


def _codes(definition: Document, sort: str) -> Iterator[str]:
    """Yield the codes of reference data that a definition names, valid or not."""
    named = NAMED[sort]
    for part in _parts(definition, named.list):
        if isinstance(part.get(named.property), str):
            yield part[named.property]


def _parts(definition: Document, key: str) -> Iterator[Document]:
    """Yield the parts of a list; of the fields also their columns and those of the office."""
    for part in _listed(definition, key):
        yield part
        if key == "fields":
            yield from _listed(part, "columns")
    for stage in _listed(definition, "stages") if key == "fields" else ():
        yield from _listed(stage, "fields")


def _listed(part: Document, key: str) -> list[Document]:
    found = part.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _is_code(code: str) -> bool:
    try:
        return bool(_CODE.validate_python(code))
    except ValidationError:
        return False
