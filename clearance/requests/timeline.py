"""A request's timeline as a reader may see it, and the errors for steps that came too late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from clearance.core import reasons
from clearance.core.actor import Actor
from clearance.core.errors import TransitionNotAllowed
from clearance.core.extensions import db
from clearance.core.i18n import format_instant, language
from clearance.models import Event, Organisation, Request, User
from clearance.models.enums import STAFF_ROLES
from clearance.services import answers, decisions, registry, versions
from clearance.services.field_specs import FieldSpec
from clearance.services.flows import PORTAL_NAME, StepName
from clearance.services.schema import Definition
from clearance.services.stages import Stage

KIND_PREFIX = "request:step:"
STAGE = "stage"


@dataclass(frozen=True)
class TimelineEntry:
    """A step as the reader may see it.

    actor: a person's name, the office, or the portal. given: label and value of what the step was
    given besides its reason.
    """

    at: datetime
    action: str
    label: Any
    actor: str
    reason: str
    given: tuple[tuple[Any, str], ...]
    from_status: str | None
    to_status: str | None


def kind_of(action: str) -> str:
    """Return the event kind of an action."""
    return f"{KIND_PREFIX}{action}"


def timeline(req: Request, reader: Actor) -> list[TimelineEntry]:
    """Return every step of `req`, oldest first; agents do not see staff names."""
    rows, service = db.session.execute(_steps(req.id).order_by(Event.id)), versions.for_request(req)
    return [_entry(event, user, reader, service) for event, user in rows]


def moved_on(req: Request, reader: Actor | None) -> TransitionNotAllowed:
    """Return the error for an outdated attempt, naming the last step, its actor and time."""
    row = db.session.execute(_steps(req.id).order_by(Event.id.desc()).limit(1)).first()
    if row is None:
        return TransitionNotAllowed(
            _("This request was changed in the meantime. Check it before you continue.")
        )
    event, user = row
    return TransitionNotAllowed(
        _(
            "This is no longer possible: %(step)s (%(name)s, %(at)s).",
            step=label_of(event),
            name=_name(event, user, reader),
            at=format_instant(event.at),
        )
    )


def impossible_from(status: str) -> str:
    """Return the message for a step that cannot be taken from a status, given in words."""
    text: str = _(
        "This is not possible while the status of the request is “%(status)s”.", status=status
    )
    return text


def stage_change(left: Stage | None, entered: Stage | None) -> dict[str, Any]:
    """Return what an event keeps of the stage in which a step was taken, and of the next."""
    if left is None and entered is None:
        return {}
    return {STAGE: [stage.name if stage else None for stage in (left, entered)]}


def _steps(request_id: int) -> sa.Select[Event, User]:
    return (
        sa.select(Event, User)
        .outerjoin(User, User.id == Event.actor_id)
        .where(Event.request_id == request_id, Event.kind.startswith(KIND_PREFIX))
    )


def _entry(event: Event, user: User | None, reader: Actor, service: Definition) -> TimelineEntry:
    return TimelineEntry(
        at=event.at,
        action=_action(event),
        label=label_of(event),
        actor=_name(event, user, reader),
        reason=reasons.read(event.reason),
        given=(*_stage(event, service), *_given(event, service)),
        from_status=event.from_status,
        to_status=event.to_status,
    )


def _action(event: Event) -> str:
    return event.kind.removeprefix(KIND_PREFIX)


def _known(event: Event) -> StepName | None:
    """Return the name of the step; None if its flow is gone."""
    return registry.current().actions.get(_action(event))


def label_of(event: Event) -> Any:
    """Return what happened, in the page's language; the action's code if its flow is gone."""
    name = _known(event)
    return _action(event) if name is None else name.event


def _stage(event: Event, service: Definition) -> list[tuple[Any, str]]:
    """Return the stage in which a step was taken, labelled; sending enters one."""
    left, entered = (event.changes or {}).get(STAGE, (None, None))
    stage = service.stage(left or entered)
    return [] if stage is None else [(_("Stage"), stage.title.of(language()))]


def _given(event: Event, service: Definition) -> list[tuple[Any, str]]:
    """Return what a step was given that everybody may see, labelled."""
    fields = {
        name: field
        for model in registry.current().decisions
        for name, field in model.model_fields.items()
        if name in model.on_timeline
    }
    own = {spec.name: spec for spec in service.office_fields}
    given: list[tuple[Any, str]] = []
    for name, (_old, new) in (event.changes or {}).items():
        if name in own:
            given.append((own[name].title(language()), _written(own[name], new)))
        elif name in fields:
            given.append((fields[name].title, decisions.written(new)))
    return given


def _written(spec: FieldSpec, kept: Any) -> str:
    """Format a value of an office field as events keep it."""
    return answers.written(spec, answers.typed(spec, kept), language())


def _name(event: Event, user: User | None, reader: Actor | None) -> str:
    """Return the step's actor as the reader may see it: agents see names of their own side only."""
    if user is None:
        name = _known(event)
        return str(PORTAL_NAME if name is None else name.taken_by)
    if reader is not None and reader.is_staff:
        return user.name_in(language())
    if user.role in STAFF_ROLES:
        return str(_("Clearance Agents Affairs Office"))
    if reader is None or event.organisation_id in {None, *reader.organisation_ids}:
        return user.name_in(language())
    return db.session.get_one(Organisation, event.organisation_id).name_in(language())
