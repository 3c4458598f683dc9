"""What the office offers: the order of services, stopping, piloting, starting, archiving them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.core import audit, kept
from clearance.core.clock import kuwait_date
from clearance.core.errors import BadFields, NotFound, Refusal, Refused
from clearance.core.extensions import db
from clearance.models import Organisation, Request, Service, ServicePilot
from clearance.models.enums import Labelled
from clearance.services import registry, stops


class State(Labelled):
    """Whether a service is offered."""

    IN_USE = "in_use", _l("In use"), "success"
    PILOT = "pilot", _l("Pilot"), "info"
    STOPPED = "stopped", _l("Stopped"), "warning"
    ARCHIVED = "archived", _l("Archived"), "neutral"


def state_of(service: Service, today: date) -> State:
    """Return whether the service is offered on `today`, a Kuwait day."""
    stop = stops.of(service)
    if not service.is_active:
        return State.ARCHIVED
    if stop is None or not stop.holds_on(today):
        return State.IN_USE
    return State.PILOT if stop.hides_on(today) else State.STOPPED


def ordered() -> list[Service]:
    """Return all services, archived ones too, in the office's order."""
    return list(db.session.scalars(sa.select(Service).order_by(*_ORDER)))


def open_requests() -> dict[str, int]:
    """Return service code → how many of its requests are open, for those that have any."""
    # Each service by itself: SQLite would read every open request for a count in groups.
    own = sa.select(sa.func.count()).where(Request.service_code == Service.code, registry.is_open())
    rows = db.session.execute(sa.select(Service.code, own.scalar_subquery()))
    return {code: count for code, count in rows if count}


def pilots(code: str) -> list[Organisation]:
    """Return the organisations to which the service was offered in its last pilot, by name."""
    chosen = sa.select(ServicePilot.organisation_id).where(ServicePilot.service_code == code)
    rows = sa.select(Organisation).where(Organisation.id.in_(chosen))
    return list(db.session.scalars(rows.order_by(Organisation.name_ar, Organisation.id)))


def refusal(step: str, service: Service, today: date) -> Refusal | None:
    """Return why a step ("stop", "pilot", "start", "archive", "restore") is not possible, or None.

    today: a Kuwait day.
    """
    if step == "restore":
        return Refusal(_l("This service is not archived.")) if service.is_active else None
    if not service.is_active:
        return Refusal(_l("This service is archived."), _l("Restore it first."))
    held, state = stops.of(service), state_of(service, today)
    if step == "pilot" and state is State.IN_USE:
        return Refusal(_l("Only a stopped service can be piloted."), _l("Stop it first."))
    if step == "start" and (held is None or held.is_over(today)):
        return Refusal(_l("This service is in use already."))
    if step == "archive" and state is not State.STOPPED:
        return Refusal(_l("Only a stopped service can be archived."), _l("Stop it first."))
    if step == "archive" and service.code in open_requests():
        return Refusal(
            _l("This service has open requests."), _l("It can be archived when they are decided.")
        )
    return None


def move(code: str, steps: int, actor_id: int | None, now: datetime) -> int:
    """Move a service in the office's order. Audited; flushes. Returns its new place, from 1.

    steps: down; negative for up. Beyond the ends it stays there. Raises: NotFound.
    """
    services = list(db.session.scalars(sa.select(Service).order_by(*_ORDER).with_for_update()))
    codes = [service.code for service in services]
    if code not in codes:
        raise NotFound
    before = codes.index(code)
    after = min(max(before + steps, 0), len(services) - 1)
    services.insert(after, moved := services.pop(before))
    for place, service in enumerate(services, 1):
        service.position = 10 * place
    if after != before:
        _record("moved", moved, actor_id, now, changes={"position": [before + 1, after + 1]})
    return after + 1


def stop(
    code: str,
    actor_id: int | None,
    now: datetime,
    *,
    why: str,
    since: date | None = None,
    notice: dict[str, str] | None = None,
) -> Service:
    """Stop a service, until it is started again. Audited; flushes.

    since: the first Kuwait day, by default today. notice: what its card says meanwhile, in both
    languages. A service that is stopped already keeps its first day. Raises: NotFound, BadFields,
    Refused.
    """
    service, today = _locked("stop", code, now), kuwait_date(now)
    since = _checked_day(since, today)
    texts = {lang: text for lang, text in (notice or {}).items() if text}
    if len(texts) == 1:
        missing = "ar" if "en" in texts else "en"
        raise BadFields({f"notice_{missing}": _l("Enter the text in both languages.")})
    held = stops.of(service)
    first = held.since if held is not None and held.holds_on(today) else since
    pilot_until = service.pilot_until
    if pilot_until is not None:
        pilot_until = min(pilot_until, since - timedelta(1))
    _change(service, "stopped", why, actor_id, now, first, None, texts or None, pilot_until)
    return service


def pilot(
    code: str, actor_id: int | None, now: datetime, *, why: str, until: date, organisations: str
) -> Service:
    """Offer a stopped service to chosen organisations from today; the others do not see it.

    until: the last Kuwait day; then it is stopped for these as well. organisations: the number or
    the name of each, a line each. Audited; flushes. Raises: NotFound, BadFields, Refused.
    """
    service, today = _locked("pilot", code, now), kuwait_date(now)
    if until < today:
        raise BadFields({"until": _PASSED})
    chosen, before = _named(organisations), pilots(code)
    db.session.execute(sa.delete(ServicePilot).where(ServicePilot.service_code == code))
    db.session.add_all(ServicePilot(service_code=code, organisation_id=each.id) for each in chosen)
    changes: dict[str, list[object]] = {"pilot_until": [service.pilot_until, until]}
    changes = {name: [audit.as_json(each) for each in pair] for name, pair in changes.items()}
    if {each.id for each in before} != {each.id for each in chosen}:
        changes["organisations"] = [[each.name_ar for each in rows] for rows in (before, chosen)]
    service.pilot_until = until
    _record("piloted", service, actor_id, now, why, changes)
    return service


def start(
    code: str, actor_id: int | None, now: datetime, *, why: str, since: date | None = None
) -> Service:
    """Offer a stopped service again. Audited; flushes.

    since: the first Kuwait day, by default today. Raises: NotFound, BadFields, Refused.
    """
    service, today = _locked("start", code, now), kuwait_date(now)
    since = _checked_day(since, today)
    stopped_on = service.stopped_on
    if stopped_on is None or since <= max(stopped_on, today):
        _change(service, "started", why, actor_id, now, None, None, None)
    else:
        kept = service.stop_notice, service.pilot_until
        _change(service, "started", why, actor_id, now, stopped_on, since, *kept)
    return service


def archive(code: str, actor_id: int | None, now: datetime, *, why: str) -> Service:
    """Take a stopped service out of the agents' area; its drafts can no longer be sent.

    Its requests stay readable. Audited; flushes. Raises: NotFound, Refused.
    """
    service = _locked("archive", code, now)
    service.is_active = False
    _change(service, "archived", why, actor_id, now, service.stopped_on, None, service.stop_notice)
    return service


def restore(code: str, actor_id: int | None, now: datetime, *, why: str) -> Service:
    """Take a service back from the archive; it stays stopped. Audited; flushes.

    Raises: NotFound, Refused.
    """
    service = _locked("restore", code, now)
    service.is_active = True
    _record("restored", service, actor_id, now, why)
    return service


MOST_PILOTS = 100
"""Organisations that a service can be piloted with."""

_PASSED = _l("This day has passed. Choose today or a later day.")
_NO_ORGANISATION = _l("There is no organisation “%(name)s”.")
_SEVERAL_ORGANISATIONS = _l("Several organisations are called “%(name)s”. Enter the number.")
_ORDER = (Service.position, Service.code)


def _locked(step: str, code: str, now: datetime) -> Service:
    """Return the service under a lock, for a step. Raises: NotFound, Refused."""
    service = db.session.get(Service, code, with_for_update=True, populate_existing=True)
    if service is None:
        raise NotFound
    refused = refusal(step, service, kuwait_date(now))
    if refused is not None:
        raise Refused(refused)
    return service


def _checked_day(since: date | None, today: date) -> date:
    if since is not None and since < today:
        raise BadFields({"since": _PASSED})
    return since or today


def _named(typed: str) -> list[Organisation]:
    """Return the organisations with these numbers or names. Raises: BadFields."""
    lines = list(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
    if not 1 <= len(lines) <= MOST_PILOTS:
        told = _l("Enter between 1 and %(number)s organisations.", number=MOST_PILOTS)
        raise BadFields({"organisations": told})
    columns = (Organisation.licence_no, Organisation.name_ar, Organisation.name_en)
    rows = db.session.scalars(
        sa.select(Organisation).where(sa.or_(*(column.in_(lines) for column in columns)))
    ).all()
    found: dict[int, Organisation] = {}
    for line in lines:
        fitting = [row for row in rows if line in (row.licence_no, row.name_ar, row.name_en)]
        if len(fitting) != 1:
            words = _NO_ORGANISATION if not fitting else _SEVERAL_ORGANISATIONS
            raise BadFields({"organisations": words % {"name": line}})
        found[fitting[0].id] = fitting[0]
    return list(found.values())


def _change(
    service: Service,
    verb: str,
    why: str,
    actor_id: int | None,
    now: datetime,
    stopped_on: date | None,
    resumes_on: date | None,
    notice: dict[str, str] | None,
    pilot_until: date | None = None,
) -> None:
    values = {
        "stopped_on": stopped_on,
        "resumes_on": resumes_on,
        "stop_notice": notice,
        "pilot_until": pilot_until,
    }
    changes = {
        name: [audit.as_json(getattr(service, name)), audit.as_json(value)]
        for name, value in values.items()
        if getattr(service, name) != value
    }
    service.stopped_on, service.resumes_on = stopped_on, resumes_on
    service.stop_notice, service.pilot_until = notice, pilot_until
    _record(verb, service, actor_id, now, why, changes)


def _record(
    verb: str,
    service: Service,
    actor_id: int | None,
    now: datetime,
    why: str = "",
    changes: dict[str, list[object]] | None = None,
) -> None:
    kept.forget()
    audit.record(
        f"office:service:{verb}",
        obj=service,
        actor_id=actor_id,
        at=now,
        reason=why,
        changes=changes,
    )
