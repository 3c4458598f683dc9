"""Published versions of service definitions, and the shipped definition files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from clearance.core import audit, i18n, kept, teams, yaml_files
from clearance.core.clock import kuwait_today
from clearance.core.database import hold_table
from clearance.core.errors import NotFound
from clearance.core.extensions import db
from clearance.models import (
    BrokerType,
    DocumentKind,
    LegalEntity,
    Request,
    Service,
    ServiceVersion,
    Team,
    User,
)
from clearance.services import choice_lists, comparison, findings, reading, registry, stops
from clearance.services.findings import Finding
from clearance.services.schema import Definition
from clearance.services.stages import Stage

_log = structlog.get_logger(__name__)


class BadDefinition(Exception):
    """A definition that cannot be published; `faults` lists why, in English, with paths."""

    def __init__(self, faults: Iterable[Finding | str]) -> None:
        self.faults = [str(fault) for fault in faults]
        super().__init__("\n".join(self.faults))


class Version(NamedTuple):
    """A published definition with the id of its row. is_archived: its service is not offered."""

    id: int
    definition: Definition
    is_archived: bool = False


class References(NamedTuple):
    """Codes of the reference data that definitions may name."""

    kinds: frozenset[str]
    entities: frozenset[str]
    broker_types: frozenset[str]
    teams: frozenset[str]


def get(version_id: int) -> Definition:
    """Return the definition of a version. Raises: LookupError."""
    known = kept.until_changed("definitions", _definitions)
    if version_id not in known:
        row = db.session.get(ServiceVersion, version_id)
        if row is None:
            raise LookupError(f"no version {version_id}")
        known[version_id] = _definition(row)
    return known[version_id]


def as_published(row: ServiceVersion) -> Definition:
    """Return a version's definition as it is written, which names the office's lists."""
    info = sa.inspect(row).info
    if "definition" not in info:  # versions never change
        text = json.dumps(row.definition, sort_keys=True)
        info["definition"] = _read(registry.current(), text, row.service_code)
    found: Definition = info["definition"]
    return found


def for_request(req: Request) -> Definition:
    """Return the definition of `req`, regardless of versions that it has not moved to."""
    return _definition(req.service_version)


def answer(req: Request, role: str) -> Any:
    """Return what was answered in the service's own field with that role, or None."""
    return req.answers.get(for_request(req).roles.get(role, ""))


def current(code: str) -> Version:
    """Return the newest version of an active service. Raises: NotFound."""
    for version in all_current():
        if version.definition.code == code:
            return version
    raise NotFound


def current_for(code: str, organisation_id: int | None) -> Version:
    """Return the newest version of a service that the organisation sees. Raises: NotFound."""
    for version in offered_to(organisation_id):
        if version.definition.code == code:
            return version
    raise NotFound


def offered_to(organisation_id: int | None) -> list[Version]:
    """Return `all_current` without those that only other organisations pilot."""
    hidden = stops.hidden_from(organisation_id, kuwait_today())
    return [version for version in all_current() if version.definition.code not in hidden]


def all_current() -> list[Version]:
    """Return the newest version of every active service, in menu order."""
    return [version for version in all_newest() if not version.is_archived]


def all_newest() -> list[Version]:
    """Return the newest version of every service, archived ones too; see `all_current`."""
    return kept.until_changed("services", _all_newest)


def all_stages() -> list[tuple[int, str, Stage]]:
    """Return version id, service code and stage of every version, the newest version first."""
    return kept.until_changed("stages", _all_stages)


def out_of_order() -> dict[str, list[Finding]]:
    """Return what of the newest versions cannot be carried out as written, by service code."""
    found = {
        version.definition.code: reading.problems(version.definition) for version in all_current()
    }
    return {code: problems for code, problems in found.items() if problems}


def published_faults() -> list[str]:
    """Return, a line each, why published versions cannot be carried out as written.

    Looks at every service's newest version and at those that undecided requests use.
    """
    used = sa.select(Request.service_version_id).where(Request.decided_at.is_(None))
    rows = db.session.scalars(
        sa.select(ServiceVersion)
        .where(_is_newest() | ServiceVersion.id.in_(used))
        .order_by(ServiceVersion.service_code, ServiceVersion.number)
    )
    return [
        f"{row.service_code} version {row.number}: {problem}"
        for row in rows
        for problem in reading.problems(_definition(row))
    ]


def in_order() -> sa.ColumnElement[bool]:
    """Return the condition on Request for those whose service can be carried out.

    Jobs use it: a process may lack an extension that another one has. Logs the others' services.
    """
    left_out = {
        row.id: row.service_code
        for row in db.session.scalars(sa.select(ServiceVersion))
        if _definition(row).is_out_of_order
    }
    if left_out:
        _log.warning("services out of order are left alone", services=sorted({*left_out.values()}))
    return Request.service_version_id.not_in(left_out)


def asking_for(kind: str) -> list[Definition]:
    """Return the active services whose newest version takes documents of that kind."""
    services = (version.definition for version in all_current())
    return [service for service in services if any(spec.kind == kind for spec in service.documents)]


def checked(document: Mapping[str, Any]) -> tuple[Definition | None, list[Finding]]:
    """Read `document` and return all that is wrong in it; None for one that cannot be read."""
    return _checked(document, _references())


def faults(document: Mapping[str, Any]) -> list[str]:
    """Return all that prevents publishing `document`, in English, with paths; [] for nothing."""
    return [str(each) for each in findings.faults(checked(document)[1])]


def of_today(definition: Definition, today: date) -> list[Finding]:
    """Return why nobody can ask for a service, or decide in a stage of it, on the Kuwait day.

    It changes without the definition, so it prevents publishing in the panel only.
    """
    found = []
    if definition.closes_on is not None and definition.closes_on < today:
        found.append(Finding("closes_on", _l("This day has passed, so nobody can apply.")))
    for key, model in (("legal_entities", LegalEntity), ("broker_types", BrokerType)):
        named: tuple[str, ...] = getattr(definition, key)
        in_use = list(db.session.scalars(sa.select(model.is_active).where(model.code.in_(named))))
        if in_use and not any(in_use):
            found.append(Finding(key, _l("None of these is in use, so nobody can apply.")))
    return found + _unstaffed(definition)


def _unstaffed(definition: Definition) -> list[Finding]:
    """Return the stages in which nobody can decide today."""
    people = {
        team: frozenset(db.session.scalars(sa.select(User.id).where(teams.members(team))))
        for team in dict.fromkeys(stage.team for stage in definition.stages)
    }
    found = []
    for place, stage in enumerate(definition.stages):
        named = LazyString(lambda team=stage.team: teams.name(team, i18n.language()))
        earlier = [people[each.team] for each in definition.stages[:place]]
        if not people[stage.team]:
            text = _l("The team “%(team)s” has no active member, so nobody can decide.", team=named)
            found.append(Finding(f"stages[{place}].team", text))
        elif (
            stage.another_person and len(people[stage.team]) == 1 and people[stage.team] in earlier
        ):
            text = _l(
                "The only member of “%(team)s” decides in an earlier stage, and another person is "
                "needed here.",
                team=named,
            )
            found.append(Finding(f"stages[{place}].another_person", text))
    return found


def of_service(code: str) -> list[ServiceVersion]:
    """Return a service's versions, newest first."""
    return list(db.session.scalars(_newest_first(code)))


def newest_of(code: str) -> ServiceVersion | None:
    """Return a service's newest version, or None."""
    return db.session.scalars(_newest_first(code).limit(1)).first()


def _newest_first(code: str) -> sa.Select[ServiceVersion]:
    return (
        sa.select(ServiceVersion)
        .where(ServiceVersion.service_code == code)
        .order_by(ServiceVersion.number.desc())
    )


def numbered(code: str, number: int | None = None) -> ServiceVersion:
    """Return a version of a service by its number, by default the newest. Raises: NotFound."""
    for row in of_service(code):
        if number in (None, row.number):
            return row
    raise NotFound


def publish(
    document: Mapping[str, Any],
    actor_id: int | None,
    now: datetime,
    why: str = "",
    drafts_move_on: date | None = None,
) -> ServiceVersion:
    """Publish `document` as the newest version of its service, which is created if new.

    Earlier versions and their requests stay as they are, and so does the office's order of
    services. why: one line for the trail. drafts_move_on: see `ServiceVersion`; a change of words
    alone keeps the day of the version before. Audited; flushes. Raises: BadDefinition.
    """
    return _publish(document, _references(), actor_id, now, why, drafts_move_on)


def _publish(
    document: Mapping[str, Any],
    references: References,
    actor_id: int | None,
    now: datetime,
    why: str = "",
    drafts_move_on: date | None = None,
) -> ServiceVersion:
    hold_table(Service)  # so that nobody takes a prefix meanwhile
    kept.forget()  # what others took while this waited
    definition, found = _checked(document, references)
    if definition is None or findings.faults(found):
        raise BadDefinition(findings.faults(found))
    service = db.session.get(Service, definition.code, with_for_update=True)
    if service is None:
        service = Service(
            code=definition.code, prefix=definition.prefix, position=definition.position
        )
        db.session.add(service)
    db.session.flush()
    before = newest_of(service.code)
    is_text_revision = before is not None and _differs_in_words(before, definition)
    version = ServiceVersion(
        service_code=service.code,
        number=before.number + 1 if before is not None else 1,
        definition=document_of(definition),
        published_at=now,
        published_by_id=actor_id,
        is_text_revision=is_text_revision,
        drafts_move_on=before.drafts_move_on if before and is_text_revision else drafts_move_on,
    )
    db.session.add(version)
    kept.forget()
    audit.record(
        "office:service:published",
        obj=service,
        actor_id=actor_id,
        at=now,
        reason=why,
        changes={"version": [version.number - 1 or None, version.number]},
    )
    return version


def publish_missing(now: datetime, folder: Path | None = None) -> list[str]:
    """Publish the shipped definitions whose service does not exist yet; flushes.

    Changed files of existing services need `flask services load`. Returns the new codes. Raises:
    BadDefinition.
    """
    known = set(db.session.scalars(sa.select(Service.code)))
    # A document kind that the office deactivated must not prevent starting.
    references = _references()._replace(
        kinds=frozenset(db.session.scalars(sa.select(DocumentKind.code)))
    )
    added = []
    for path in files(folder):
        if path.stem in known:
            continue
        document = read_file(path)
        try:
            with db.session.begin_nested():
                _publish(document, references, None, now)
        except IntegrityError:
            continue  # published by another process starting now
        added.append(path.stem)
    return added


def publish_if_changed(
    code: str, actor_id: int | None, now: datetime, folder: Path | None = None
) -> ServiceVersion | None:
    """Publish the file of `code` unless it equals the newest version; flushes.

    Returns the new version or None. Raises: BadDefinition.
    """
    document = read_file(file_of(code, folder))
    declared = document.get("code")
    if declared != code:
        raise BadDefinition([f"code: the file is called {code!r} and says {declared!r}"])
    wanted, _found = reading.parse(document)
    newest = db.session.scalar(
        sa.select(ServiceVersion)
        .where(ServiceVersion.service_code == code)
        .order_by(ServiceVersion.number.desc())
        .limit(1)
    )
    if newest is not None and wanted == as_published(newest):
        return None
    return publish(document, actor_id, now)


def read_files(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return the documents of all files in `folder`, by code. Raises: BadDefinition."""
    return {path.stem: read_file(path) for path in files(folder)}


def files(folder: Path | None = None) -> list[Path]:
    """Return every `<code>.yaml` in `folder`, by default in those of all subjects, by code."""
    folders = registry.current().folders if folder is None else [folder]
    found = (path for folder in folders for path in folder.glob("*.yaml"))
    return sorted(found, key=lambda path: path.name)


def file_of(code: str, folder: Path | None = None) -> Path:
    """Return the file of `code`. Raises: BadDefinition if there is none."""
    for path in files(folder):
        if path.stem == code:
            return path
    raise BadDefinition([f"{code}.yaml: there is no such file"])


def read_file(path: Path) -> dict[str, Any]:
    """Read one file as a mapping, without validating it. Raises: BadDefinition."""
    try:
        return yaml_files.read(path)
    except yaml_files.UnreadableFile as error:
        raise BadDefinition([f"{path.name}: {error}"]) from None


def document_of(definition: Definition) -> dict[str, Any]:
    """Return what is kept of a definition: its values other than defaults, and its schema."""
    document = definition.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    return {"schema": definition.schema_number, **document}


def _all_stages() -> list[tuple[int, str, Stage]]:
    rows = db.session.scalars(sa.select(ServiceVersion).order_by(ServiceVersion.number.desc()))
    return [(row.id, row.service_code, stage) for row in rows for stage in _definition(row).stages]


def _all_newest() -> list[Version]:
    written = sa.cast(ServiceVersion.definition, sa.Text)  # parsed only when it is new here
    rows = db.session.execute(
        sa.select(ServiceVersion.id, written, Service.code, Service.is_active)
        .join(Service, Service.code == ServiceVersion.service_code)
        .where(_is_newest())
        .order_by(Service.position, Service.code)
    )
    known = registry.current()
    return [
        Version(key, choice_lists.in_use(_read(known, text, code)), is_archived=not is_active)
        for key, text, code, is_active in rows
    ]


def _definitions() -> dict[int, Definition]:
    return {version.id: version.definition for version in all_newest()}


def _is_newest() -> sa.ColumnElement[bool]:
    """Return the condition for the newest version of each service."""
    code, number = ServiceVersion.service_code, ServiceVersion.number
    newest = sa.select(code, sa.func.max(number)).group_by(code)
    return sa.tuple_(code, number).in_(newest)


def _definition(row: ServiceVersion) -> Definition:
    """Return the row's definition as requests use it."""
    return choice_lists.in_use(as_published(row))


@lru_cache(maxsize=512)
def _read(known: registry.Registry, text: str, code: str) -> Definition:
    """Read a stored definition, cached by its text: ids may be reused after a restore."""
    return reading.read(json.loads(text), code)


def _differs_in_words(before: ServiceVersion, definition: Definition) -> bool:
    old = as_published(before)
    changes = comparison.differences(old, definition)
    return not old.is_out_of_order and comparison.is_of_words_alone(changes)


def _references() -> References:
    """Return active document kinds, and all of the others: old rows name them."""
    kinds = sa.select(DocumentKind.code).where(DocumentKind.is_active)
    others = (sa.select(model.code) for model in (LegalEntity, BrokerType, Team))
    return References(*(frozenset(db.session.scalars(select)) for select in (kinds, *others)))


def _checked(
    document: Mapping[str, Any], references: References
) -> tuple[Definition | None, list[Finding]]:
    definition, found = reading.parse(document)
    if definition is not None:
        found = [*found, *_unknown_references(definition, references), *_clashes(definition)]
    return definition, found


def _unknown_references(definition: Definition, references: References) -> Iterator[Finding]:
    """Yield what a definition names of the reference data and is not there."""
    kinds, entities, types, known_teams = references
    for place, spec in enumerate(definition.documents):
        if spec.kind not in kinds:
            text = _l("There is no document type “%(name)s”.", name=spec.kind)
            yield Finding(f"documents[{place}].kind", text)
        yield from _unknown_types(f"documents[{place}].broker_types", spec.broker_types, types)
    yield from _unknown_types("broker_types", definition.broker_types, types)
    for place, code in enumerate(definition.legal_entities):
        if code not in entities:
            text = _l("There is no organisation type “%(name)s”.", name=code)
            yield Finding(f"legal_entities[{place}]", text)
    for place, stage in enumerate(definition.stages):
        if stage.team not in known_teams:
            text = _l("There is no team “%(name)s”.", name=stage.team)
            yield Finding(f"stages[{place}].team", text)


def _unknown_types(path: str, codes: tuple[str, ...], known: frozenset[str]) -> Iterator[Finding]:
    for place, code in enumerate(codes):
        if code not in known:
            yield Finding(f"{path}[{place}]", _l("There is no broker type “%(name)s”.", name=code))


def _clashes(definition: Definition) -> Iterator[Finding]:
    """Yield clashes with other services: prefixes are unique, and a service's never changes."""
    services = {
        code: prefix for code, prefix in db.session.execute(sa.select(Service.code, Service.prefix))
    }
    own = services.pop(definition.code, definition.prefix)
    if own != definition.prefix:
        text = _l("The prefix stays %(prefix)s, since numbers were given with it.", prefix=own)
        yield Finding("prefix", text)
        return
    taken = {*registry.current().prefixes, *services.values()}
    statements = kept.until_changed("statement prefixes", _statement_prefixes)
    if own in taken or own in statements:
        yield Finding("prefix", _taken(own))
    for place, statement in enumerate(definition.issued):
        prefix, named = statement.prefix, (definition.code, statement.name)
        if prefix in {*taken, own} or statements.get(prefix, named) != named:
            yield Finding(f"issued[{place}].prefix", _taken(prefix))


def _taken(prefix: str) -> Any:
    return _l("Other numbers have the prefix %(prefix)s.", prefix=prefix)


def _statement_prefixes() -> dict[str, tuple[str, str]]:
    """Return the prefixes of the statements of all versions: service and name of each."""
    return {
        statement.prefix: (row.service_code, statement.name)
        for row in db.session.scalars(sa.select(ServiceVersion))
        for statement in as_published(row).issued
    }
