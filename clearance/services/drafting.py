"""Drafts of service definitions: changed step by step, undone, checked and published.

A draft is kept apart from versions and need not be valid. It begins with its first change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.clock import kuwait_date
from clearance.core.errors import DomainError, NotFound, Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Service, ServiceDraft, ServiceDraftChange, ServiceVersion
from clearance.services import choice_lists, reading, versions
from clearance.services.findings import Finding, faults
from clearance.services.schema import SCHEMA, Definition
from clearance.services.text_checkup import changed_in_one

MOST_CHANGES = 100
"""Changes of a draft that can be undone."""

_BASE = "base_version"
"""Among a draft's changes the number of the version it is based on; no property has this name."""

Document = dict[str, Any]
_EMPTY: Document = {
    "schema": SCHEMA,
    "subject": "person",
    "start": "broker_type",
    "subscription": "by_approval",
    "exclusive": "none",
    "fields": [
        {"name": "name_ar_1", "required": True},
        {"name": "name_ar_4", "required": True},
        {"name": "civil_id", "required": True},
        {"name": "mobile", "required": True},
        {"name": "email", "required": True},
    ],
    "documents": [{"kind": "other"}],
    "stages": [{"name": "review", "title": {"ar": "المراجعة", "en": "Review"}}],
    "processing_days": 5,
}


class StaleDraft(DomainError):
    """The draft was changed meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            _l(
                "Someone else, or you in another tab, changed this draft in the meantime. See what "
                "it says now, then change it again."
            )
        )


@dataclass(frozen=True)
class Source:
    """A service's definition as the builder shows it.

    draft: its row, None while the version in use is unchanged. version: of the row, 0 without one.
    base: the version in use; None for a new service.
    """

    code: str
    document: Document
    draft: ServiceDraft | None
    base: ServiceVersion | None

    @property
    def version(self) -> int:
        """The number that a change must have seen."""
        return self.draft.version if self.draft is not None else 0

    @property
    def is_overtaken(self) -> bool:
        """Whether another version was published since the draft was begun or brought up to date."""
        in_use = self.base.id if self.base is not None else None
        return self.draft is not None and self.draft.base_version_id != in_use

    @cached_property
    def readable(self) -> Definition:
        """What of the document can be read, with the items of lists."""
        return choice_lists.with_items(reading.read(self.document, self.code))

    @property
    def fingerprint(self) -> str:
        """A digest of the draft and of the version in use that it is compared with."""
        compared = [self.base.id if self.base is not None else None, self.document]
        text = json.dumps(compared, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _copied(document: Any) -> Any:
    """Return a deep copy of a document, as JSON, which is much faster than `copy.deepcopy`."""
    return json.loads(json.dumps(document))


def version_of(code: str) -> int:
    """Return the number that a change of the service's draft must have seen; 0 without one."""
    draft = db.session.get(ServiceDraft, code)
    return draft.version if draft is not None else 0


def source(code: str) -> Source:
    """Return the draft of a service, or what its version in use says. Raises: NotFound."""
    draft, newest = db.session.get(ServiceDraft, code), versions.newest_of(code)
    if draft is not None:
        return Source(code, _copied(draft.document), draft, newest)
    if newest is None:
        raise NotFound
    return Source(code, reading.lift(_copied(newest.definition)), None, newest)


def create(
    code: str,
    prefix: str,
    title: Mapping[str, str],
    copy_of: str | None,
    actor: Actor,
    now: datetime,
) -> ServiceDraft:
    """Begin a service that does not exist yet; flushes and audits.

    title: by language. copy_of: code of the service whose definition it takes; None for an empty
    one. Raises: NotFound (copy_of), Refused (the code or the prefix is taken).
    """
    document = source(copy_of).document if copy_of else _copied(_EMPTY)
    named = {"code": code, "prefix": prefix, "title": dict(title)}
    if not copy_of:
        named["description"] = dict(title)
    for name in ("manual_title", "short_title"):
        document.pop(name, None)
    return begin({"schema": SCHEMA, **document, **named}, actor, now)


def begin(document: Document, actor: Actor, now: datetime, verb: str = "begun") -> ServiceDraft:
    """Begin a service that does not exist yet with this document; flushes and audits.

    document: has a code and a prefix. verb: what the trail calls it. Raises: Refused (one of them
    is taken).
    """
    code, prefix = document["code"], document["prefix"]
    taken = {draft.document.get("prefix") for draft in db.session.scalars(sa.select(ServiceDraft))}
    taken.update(db.session.scalars(sa.select(Service.prefix)))
    if db.session.get(Service, code) or db.session.get(ServiceDraft, code):
        raise Refused(Refusal(_l("Another service has this code.")))
    if prefix in taken:
        raise Refused(Refusal(_l("Another service has this number prefix.")))
    draft = ServiceDraft(code=code, document=document, changed_at=now, changed_by_id=actor.id)
    db.session.add(draft)
    _record(draft, verb, actor, now, {"code": [None, code]})
    return draft


def change(
    code: str,
    apply: Callable[[Document], None],
    seen: int | None,
    actor: Actor,
    now: datetime,
    *,
    goes_on: int = 0,
    onto: int | None = None,
    verb: str = "changed",
) -> ServiceDraft | None:
    """Change a service's draft, or begin it; flushes and audits.

    apply: changes the document in place. seen: the version that the actor saw, 0 for no draft; None
    if `apply` looks itself at what changed since. goes_on: id of the change that this one is undone
    together with, if it is still the last. onto: number of the version that an existing draft
    is based on from now on, if that changes. verb: what the trail calls it. Returns the draft, None
    if nothing changed and there is none. Raises: NotFound, StaleDraft, and what `apply` raises.
    """
    draft = _locked(code, seen)
    before = draft.document if draft is not None else source(code).document
    after = _copied(before)
    apply(after)
    changes = _changed(before, after)
    if draft is not None and onto is not None:
        changes |= _rebased(draft, onto)
    if not changes:
        return draft
    if draft is None:
        newest = versions.newest_of(code)
        draft = ServiceDraft(
            code=code,
            document=before,
            version=0,
            base_version_id=newest.id if newest is not None else None,
            changed_at=now,
            changed_by_id=actor.id,
        )
        db.session.add(draft)
        db.session.flush()
    _forget_undone(draft)
    _remember(draft, changes, goes_on)
    _write(draft, after, actor, now)
    _record(draft, verb, actor, now, _told(changes))
    return draft


def _rebased(draft: ServiceDraft, number: int | None) -> dict[str, Any]:
    """Base the draft on another version; return the change as those of properties."""
    begun, version = begun_from(draft), versions.numbered(draft.code, number) if number else None
    draft.base_version_id = version.id if version is not None else None
    return {_BASE: [begun.number if begun is not None else None, number]}


def begun_from(draft: ServiceDraft) -> ServiceVersion | None:
    """Return the version that a draft is based on; None for a new service's."""
    key = draft.base_version_id
    return db.session.get(ServiceVersion, key) if key is not None else None


def _remember(draft: ServiceDraft, changes: Mapping[str, Any], goes_on: int) -> None:
    """Keep the changes, to be undone alone or together with the last one; see `change`."""
    last = db.session.get(ServiceDraftChange, goes_on) if goes_on else None
    begun = last.changes if last is not None and last.id == last_change(draft.code) else {}
    is_alike = all(type(begun.get(key, change)) is type(change) for key, change in changes.items())
    if last is None or not begun or not is_alike:
        db.session.add(ServiceDraftChange(draft_code=draft.code, changes=changes))
        return
    last.changes = _joined(begun, changes)


def _joined(begun: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return two changes as one."""
    joined = dict(begun)
    for key, change in changes.items():
        first = begun.get(key, change)
        is_of_parts = isinstance(change, dict)
        joined[key] = _joined(first, change) if is_of_parts else [first[0], change[1]]
    return joined


def last_change(code: str) -> int | None:
    """Return the id of the last change of a draft that is not undone, or None."""
    last = _changes_of(code, is_undone=False).with_only_columns(ServiceDraftChange.id).limit(1)
    return db.session.scalar(last)


def undo(code: str, seen: int, actor: Actor, now: datetime) -> None:
    """Take back the last change that is not undone. Flushes. Raises: Refused, StaleDraft."""
    _step(code, seen, actor, now, is_undo=True)


def redo(code: str, seen: int, actor: Actor, now: datetime) -> None:
    """Make the change again that was undone last. Flushes. Raises: Refused, StaleDraft."""
    _step(code, seen, actor, now, is_undo=False)


def steps_left(draft: ServiceDraft | None) -> tuple[int, int]:
    """Return how many changes can be undone, and how many made again."""
    if draft is None:
        return 0, 0
    done = sa.func.count().filter(ServiceDraftChange.is_undone.is_(False))
    undone = sa.func.count().filter(ServiceDraftChange.is_undone.is_(True))
    statement = sa.select(done, undone).where(ServiceDraftChange.draft_code == draft.code)
    can_undo, can_redo = db.session.execute(statement).one()
    return int(can_undo), int(can_redo)


def restore(code: str, keys: tuple[str, ...], seen: int, actor: Actor, now: datetime) -> None:
    """Put these properties back as the version in use has them.

    Raises: NotFound, StaleDraft, Refused for a service without a version.
    """
    newest = source(code).base
    if newest is None:
        raise Refused(Refusal(_l("This service has no version in use yet.")))
    used = reading.lift(newest.definition)

    def apply(document: Document) -> None:
        for key in keys:
            document.pop(key, None)
            if key in used:
                document[key] = _copied(used[key])

    change(code, apply, seen, actor, now)


def discard(code: str, seen: int, actor: Actor, now: datetime) -> None:
    """Delete the draft with its changes. Flushes and audits. Raises: NotFound, StaleDraft."""
    draft = _locked(code, seen)
    if draft is None:
        raise NotFound
    _record(draft, "discarded", actor, now, {"version": [draft.version, None]})
    db.session.delete(draft)
    db.session.flush()


def publish(
    code: str,
    compared: str,
    why: str,
    actor: Actor,
    now: datetime,
    drafts_move_on: date | None = None,
) -> ServiceVersion:
    """Publish the draft as the service's newest version and delete it. Flushes and audits.

    compared: the fingerprint of the source that the actor saw. why: one line for the trail.
    drafts_move_on: see `ServiceVersion`. Raises: NotFound, StaleDraft, Refused (another version
    was published since the draft was begun), versions.BadDefinition.
    """
    draft = _locked(code)
    if draft is None:
        raise StaleDraft
    found = source(code)
    if found.is_overtaken:
        raise Refused(OVERTAKEN)
    if found.fingerprint != compared:
        raise StaleDraft
    if wrong := faults(findings(found, kuwait_date(now))):
        raise versions.BadDefinition(wrong)
    version = versions.publish(draft.document, actor.id, now, why, drafts_move_on)
    db.session.delete(draft)
    db.session.flush()
    return version


def findings(found: Source, today: date) -> list[Finding]:
    """Return everything wrong in a draft on the Kuwait day: faults, then remarks.

    Any document can be checked; nothing is raised.
    """
    definition, wrong = versions.checked(found.document)
    if found.document.get("code") != found.code:
        wrong.append(Finding("code", _l("The code stays %(code)s.", code=found.code)))
    if definition is not None:
        wrong += versions.of_today(definition, today)
    if definition is not None and found.draft is not None and found.base is not None:
        wrong += changed_in_one(versions.as_published(found.base), definition)
    return sorted(wrong, key=lambda each: each.is_remark)


OVERTAKEN = Refusal(
    _l("Another version of this service was published since this draft was begun."),
    _l("Bring the draft up to date first."),
)


def _locked(code: str, seen: int | None = None) -> ServiceDraft | None:
    """Return the draft, locked.

    seen: its version, which is not checked if None. Its service is locked first, so that of two
    first changes one begins the draft. Raises: NotFound if there is neither, StaleDraft if the
    draft is not as the actor saw it.
    """
    service = db.session.get(Service, code, with_for_update=True)
    draft = db.session.get(ServiceDraft, code, with_for_update=True, populate_existing=True)
    if service is None and draft is None:
        raise NotFound
    if seen not in (None, draft.version if draft is not None else 0):
        raise StaleDraft
    return draft


def _changes_of(code: str, *, is_undone: bool) -> sa.Select[ServiceDraftChange]:
    """Select the changes of a draft that are undone, or those that are not, newest first."""
    return (
        sa.select(ServiceDraftChange)
        .where(ServiceDraftChange.draft_code == code)
        .where(ServiceDraftChange.is_undone.is_(is_undone))
        .order_by(ServiceDraftChange.id.desc())
    )


def _changed(before: Document, after: Document) -> dict[str, Any]:
    """Return property → [before, after] of those that differ; None for absent ones.

    Of a list in which parts changed, and none came, went or moved, the same by part.
    """
    return {
        key: _changed_parts(*pair) or pair
        for key in dict.fromkeys([*before, *after])
        if (pair := [before.get(key), after.get(key)])[0] != pair[1]
    }


def _changed_parts(before: Any, after: Any) -> dict[str, Any]:
    """Return part → [before, after] of a list; {} if not only parts differ."""
    if not isinstance(before, list) or not isinstance(after, list):
        return {}
    old, new = by_name(before), by_name(after)
    if [*old] != [*new]:
        return {}
    return {name: [old[name], new[name]] for name in old if old[name] != new[name]}


def _put(document: Document, key: str, change: Any, side: int) -> None:
    """Write a property, or parts of a list, as before (0) or after (1) a change of `_changed`."""
    if isinstance(change, dict):
        places = {name: place for place, name in enumerate(by_name(document[key]))}
        for name, pair in change.items():
            document[key][places[name]] = pair[side]
        return
    document.pop(key, None)
    if change[side] is not None:
        document[key] = change[side]


def _step(code: str, seen: int, actor: Actor, now: datetime, *, is_undo: bool) -> None:
    draft = _locked(code, seen)
    which = ServiceDraftChange.is_undone.is_(not is_undo)
    order = ServiceDraftChange.id.desc() if is_undo else ServiceDraftChange.id
    step = db.session.scalar(
        sa.select(ServiceDraftChange)
        .where(ServiceDraftChange.draft_code == code, which)
        .order_by(order)
        .limit(1)
    )
    if draft is None or step is None:
        raise Refused(Refusal(_l("There is nothing to undo or to redo.")))
    step.is_undone = is_undo
    document, changes = _copied(draft.document), {}
    side = 0 if is_undo else 1
    for key, change in step.changes.items():
        if key == _BASE:
            changes = _rebased(draft, change[side])
        else:
            _put(document, key, change, side)
    changes |= _changed(draft.document, document)
    _write(draft, document, actor, now)
    _record(draft, "undone" if is_undo else "redone", actor, now, _told(changes))


def _write(draft: ServiceDraft, document: Document, actor: Actor, now: datetime) -> None:
    draft.document = document
    draft.version += 1
    draft.changed_at, draft.changed_by_id = now, actor.id
    db.session.flush()


def _forget_undone(draft: ServiceDraft) -> None:
    """Delete what was undone, and what is too old to be undone."""
    of_draft = _changes_of(draft.code, is_undone=False)
    kept = of_draft.with_only_columns(ServiceDraftChange.id).limit(MOST_CHANGES - 1)
    db.session.execute(
        sa.delete(ServiceDraftChange).where(
            ServiceDraftChange.draft_code == draft.code, ServiceDraftChange.id.not_in(kept)
        )
    )


def _told(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes for the trail: of lists of parts only the parts that differ."""
    told: dict[str, Any] = {}
    for key, change in changes.items():
        if isinstance(change, dict):
            told |= {f"{key}.{name}": pair for name, pair in change.items()}
            continue
        before, after = change
        if not isinstance(before or [], list) or not isinstance(after or [], list):
            told[key] = [before, after]
            continue
        old, new = by_name(before or []), by_name(after or [])
        differing = {name: [old.get(name), new.get(name)] for name in dict.fromkeys([*old, *new])}
        found = {f"{key}.{name}": pair for name, pair in differing.items() if pair[0] != pair[1]}
        told |= found or {key: [list(old), list(new)]}
    return told


def by_name(parts: list[Any]) -> dict[str, Any]:
    """Return the parts of a list by their name, or by their place where they have none."""
    named: dict[str, Any] = {}
    for place, part in enumerate(parts):
        keys = part if isinstance(part, dict) else {}
        name = next((str(keys[key]) for key in ("name", "kind", "value") if key in keys), "")
        named[name if name and name not in named else str(place + 1)] = part
    return named


def _record(
    draft: ServiceDraft, verb: str, actor: Actor, now: datetime, changes: dict[str, Any]
) -> None:
    audit.record(
        f"office:service_draft:{verb}", obj=draft, actor_id=actor.id, at=now, changes=changes
    )
