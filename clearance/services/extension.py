"""What a subject, ours or a small team's, brings to the engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from clearance.core.actor import Actor
from clearance.core.errors import Refusal
from clearance.core.office_setting_types import OfficeSetting
from clearance.models import Request
from clearance.services.effects import Effect
from clearance.services.facts import Facts, RequestFact
from clearance.services.flows import Flow
from clearance.services.guards import Guard
from clearance.services.target import Target

if TYPE_CHECKING:
    from clearance.services.schema import Definition

Values = dict[str, Any]
N = TypeVar("N", Guard, Effect)


@dataclass(frozen=True)
class About:
    """What a new draft is about, and what is known of it.

    known: values of standard fields. only: the fields that the draft may keep of them, None for
    all that the service has.
    """

    known: Values
    target: Target = Target()
    broker_id: int | None = None
    only: frozenset[str] | None = None


@dataclass(frozen=True)
class Start:
    """How a request begins.

    words: what is chosen, in both languages. button: text of the button that leads to the
    choice; None for the service's own. subject: what such requests are about. find: what the
    choice stands for; raises NotFound or Refused. again: the choice that an earlier request made,
    to copy it. refresh: values of fields that a draft only shows, read again at sending.
    is_about_chosen: whether the person or record is known before the draft is made. knows: the
    standard fields that it may have values of; None for all.
    """

    name: str
    words: Any
    subject: str
    find: Callable[[Definition, Any, Actor, datetime], About]
    again: Callable[[Request], Any]
    button: Any | None = None
    refresh: Callable[[Request, Definition], Values] = lambda req, service: {}
    is_about_chosen: bool = True
    knows: frozenset[str] | None = None


@dataclass(frozen=True)
class Snapshot:
    """A record that requests are about, kept with them as it was at sending.

    lock: lock the records of these requests, in one order for everybody. take: JSON values as they
    are now. change_refusal: why a request can no longer be completed on them, or None.
    """

    lock: Callable[[Collection[int]], None]
    take: Callable[[Request], Values]
    change_refusal: Callable[[Request], Refusal | None]


@dataclass(frozen=True)
class ClaimEnd:
    """When a finished request stops excluding others.

    status: of such requests. last_day: the last Kuwait day. release: clear the exclusive key from
    one whose last day has passed; flushes.
    """

    status: str
    last_day: Callable[[RequestFact, Facts], date | None]
    release: Callable[[str | None, datetime], None]


@dataclass(frozen=True)
class Job:
    """Work outside requests, such as `work(now)` of a subject.

    It runs once every `seconds` (at least 60), in an application context and in one process only.
    It is committed afterwards; if it raises, it is rolled back, logged, and retried a minute later.
    """

    work: Callable[[datetime], object]
    seconds: int

    @property
    def name(self) -> str:
        """Its dotted name."""
        return f"{self.work.__module__}.{self.work.__qualname__}"


@dataclass(frozen=True)
class Waiting:
    """A status in which an agent's own requests wait for a step of theirs, for the home page.

    step: text of the button that leads to the request. all_of_them: text of the link to their list.
    last_day: scalar SQL expression, correlated to the request, of the last day to take the step.
    """

    status: str
    step: Any
    all_of_them: Any
    last_day: Any


@dataclass(frozen=True)
class ToAnswer:
    """A request of another organisation that awaits an answer, for the home page.

    number, name: of the request and its person. asked_by: the other organisation, in the page's
    language.
    """

    label: Any
    url: str
    number: str
    name: str
    asked_by: str
    answer_by: date | None


@dataclass(frozen=True)
class FollowUp:
    """A finished request that another service leads on from, for its page and the home page.

    number, name: of the request and its person, in the page's language. text: why, and until when.
    service: to begin, with the request's id as what it starts with. all_of_them: text of the link
    to everything that the service may start with.
    """

    request_id: int
    number: str
    name: str
    text: Any
    service: Definition
    all_of_them: Any


@dataclass(frozen=True)
class Known:
    """A record of a person, for the reviewer's comparison. status: code shown as a badge."""

    url: str
    at: datetime
    status: str


@dataclass(frozen=True)
class Trail:
    """Words of a subject in the audit trail.

    events: kind of change → words. accesses: kind of access → words. tables: name of a table → what
    one of its rows is called.
    """

    events: Mapping[str, Any] = field(default_factory=dict)
    accesses: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Extension:
    """Everything that a subject brings; `app.py` registers it before the portal opens.

    name: unique. core: versions of the portal it is made for, such as ">=1.0,<2"; "" for any.
    needs: names of other extensions that it cannot do without. flows, guards, effects, starts: what
    definitions may name. definitions: the folder of its own. prefixes: of numbers it gives itself.
    snapshots, claim_ends: see there. warnings: what a reviewer should know before deciding.
    constraints: refusals by the name of the database constraint that is their last guard. lifts:
    number of a schema → how the next one writes what it said of this subject. notices: the folder
    of its messages' texts. waiting, to_answer: for the agent's home page; to_answer takes the
    actor, the page's language and the time. follow_ups: takes these and the id of one request, or
    None for all of the chosen organisation. known: heading → records of the person with a civil
    number. jobs: its periodic work. settings: of the office, under a heading of the portal or of
    setting_groups (code → heading). trail: see there. translations: a folder of compiled
    catalogues, as of Flask-Babel. views, commands: dotted names of functions that take the
    application, "module:function", called in its context when its rooms are opened. demo: dotted
    name of a function that takes a `clearance.demo.stage.Stage` and yields its demo stories.
    """

    name: str
    core: str = ""
    needs: tuple[str, ...] = ()
    flows: tuple[Flow, ...] = ()
    guards: tuple[Guard, ...] = ()
    effects: tuple[Effect, ...] = ()
    starts: tuple[Start, ...] = ()
    prefixes: tuple[str, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    claim_ends: tuple[ClaimEnd, ...] = ()
    warnings: tuple[Callable[[Request, datetime], list[Refusal]], ...] = ()
    waiting: tuple[Waiting, ...] = ()
    to_answer: tuple[Callable[[Actor, str, datetime], list[ToAnswer]], ...] = ()
    follow_ups: tuple[Callable[[Actor, str, datetime, int | None], list[FollowUp]], ...] = ()
    known: tuple[tuple[Any, Callable[[str], list[Known]]], ...] = ()
    jobs: tuple[Job, ...] = ()
    settings: tuple[OfficeSetting, ...] = ()
    setting_groups: Mapping[str, Any] = field(default_factory=dict)
    trail: Trail = Trail()
    constraints: Mapping[str, Refusal] = field(default_factory=dict)
    lifts: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    definitions: Path | None = None
    notices: Path | None = None
    translations: Path | None = None
    views: str = ""
    commands: str = ""
    demo: str = ""


def named_in(module: ModuleType, kind: type[N]) -> tuple[N, ...]:
    """Return the guards or effects that `module` defines."""
    return tuple(
        value
        for value in vars(module).values()
        if isinstance(value, kind) and _module_of(value) == module.__name__
    )


def _module_of(named: Guard | Effect) -> str:
    return (named.check if isinstance(named, Guard) else named.function).__module__
