"""The extensions of one application, and all that they registered, by name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from flask import Flask, current_app
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from clearance.core import office_setting_types, office_settings
from clearance.core.office_setting_types import OfficeSetting
from clearance.models import Request
from clearance.models.enums import Labelled
from clearance.services import property_words
from clearance.services.decisions import Decision
from clearance.services.effects import Effect
from clearance.services.extension import ClaimEnd, Extension, Job, Start, Trail, Waiting
from clearance.services.facts import Facts, RequestFact
from clearance.services.flows import Action, Flow, Step, StepName
from clearance.services.guards import Guard

T = TypeVar("T")


class BadExtension(Exception):
    """An extension that cannot be registered."""


class Registry:
    """What definitions and stored codes of one application may name."""

    def __init__(self, extensions: Iterable[Extension], core_version: str) -> None:
        """Register `extensions`. Raises: BadExtension: a clash, another core, an absent need."""
        self.extensions = list(extensions)
        for extension in self.extensions:
            _check_core(extension, core_version)
            _check_kinds(extension)
            for needed in extension.needs:
                if not self.has(needed):
                    raise BadExtension(f"{extension.name} needs {needed}, which is left out.")
        self._by_kind("extension", [(extension.name, extension) for extension in self.extensions])
        self.flows: dict[str, Flow] = self._named("flows", "name")
        self.guards: dict[str, Guard] = self._named("guards", "name")
        self.effects: dict[str, Effect] = self._named("effects", "name")
        self.starts: dict[str, Start] = self._named("starts", "name")
        self.claim_ends: dict[str, ClaimEnd] = self._named("claim_ends", "status")
        self.jobs: dict[str, Job] = self._named("jobs", "name")
        self.setting_groups = self._setting_groups()
        self.settings = self._settings()
        self.waiting: dict[str, Waiting] = self._named("waiting", "status")
        self.to_answer = self._all("to_answer")
        self.follow_ups = self._all("follow_ups")
        self.known = self._all("known")
        self.trail = Trail(**{part: self._words(part) for part in ("events", "accesses", "tables")})
        self.prefixes = self._all("prefixes")
        self.snapshots = self._all("snapshots")
        self.warnings = self._all("warnings")
        self.constraints = {
            name: refusal
            for extension in self.extensions
            for name, refusal in extension.constraints.items()
        }
        states = [state for flow in self.flows.values() for state in flow.states]
        self.open_statuses = frozenset(
            status for flow in self.flows.values() for status in flow.open_statuses
        )
        self.statuses = self._statuses([state.status for state in states])
        self.completed_statuses = frozenset(
            step.target for step in self._steps() if step.completes and step.target is not None
        )
        self.waiting_statuses = frozenset(
            str(state.status) for state in states if state.awaits_applicant
        )
        self.actions = self._actions()

    def has(self, name: str) -> bool:
        """Return whether the extension called `name` is registered."""
        return any(extension.name == name for extension in self.extensions)

    def status_label(self, code: str) -> Any:
        """Return the label of a status; the code itself if its flow is gone."""
        status = self.statuses.get(code)
        return code if status is None else status.label

    def status_short(self, code: str) -> Any:
        """Return the short label of a status, for lists; the code itself if its flow is gone."""
        status = self.statuses.get(code)
        return code if status is None else status.short

    def status_tone(self, code: str) -> str:
        """Return the tone of a status's badge; "" if its flow is gone."""
        status = self.statuses.get(code)
        return "" if status is None else status.tone

    def claim_end(self, holder: RequestFact, facts: Facts) -> date | None:
        """Return the last Kuwait day on which a finished request excludes others, or None."""
        end = self.claim_ends.get(holder.status)
        return end.last_day(holder, facts) if end is not None else None

    @property
    def folders(self) -> list[Path]:
        """Folders with shipped definitions."""
        return [ext.definitions for ext in self.extensions if ext.definitions is not None]

    @property
    def notices(self) -> list[Path]:
        """Folders with texts of messages."""
        return [ext.notices for ext in self.extensions if ext.notices is not None]

    @property
    def translations(self) -> list[Path]:
        """Folders with compiled catalogues. Raises: BadExtension for one that is not there."""
        found = [ext.translations for ext in self.extensions if ext.translations is not None]
        for folder in found:
            if not folder.is_dir():
                raise BadExtension(f"{folder} holds no translations.")
        return found

    @property
    def decisions(self) -> list[type[Decision]]:
        """Everything that steps and effects ask, each once."""
        asked = [step.asks for step in self._steps()]
        asked += [effect.asks for effect in self.effects.values()]
        return list(dict.fromkeys(model for model in asked if model is not None))

    def _statuses(self, listed: list[Labelled]) -> dict[str, Labelled]:
        """Return all statuses by code, open ones first."""
        for status in listed:
            if any(type(other) is not type(status) for other in listed if other == status):
                raise BadExtension(f"Two flows define the status {status!s} differently.")
        ordered = sorted(listed, key=lambda status: status not in self.open_statuses | {"draft"})
        return {str(status): status for status in ordered}

    def _actions(self) -> dict[str, StepName]:
        """Return all actions by code. Raises: BadExtension for one code with two meanings."""
        found: dict[str, StepName] = {str(action): action for action in Action}
        for step in self._steps():
            if type(found.setdefault(step.action, step.action)) is not type(step.action):
                raise BadExtension(f"Two flows define the action {step.action!s} differently.")
        return found

    def _setting_groups(self) -> dict[str, Any]:
        """Return the headings of settings by code, the extensions' first."""
        pairs = [pair for ext in self.extensions for pair in ext.setting_groups.items()]
        return self._by_kind("setting groups", [*pairs, *office_settings.GROUPS.items()])

    def _settings(self) -> dict[str, OfficeSetting]:
        """Return all settings by key. Raises: BadExtension: an unknown group, a bad default."""
        specs = [*self._all("settings"), *office_settings.GENERAL]
        for spec in specs:
            if spec.group not in self.setting_groups:
                raise BadExtension(f"The setting {spec.key} is in no known group: {spec.group}.")
            if not office_setting_types.fits(spec, spec.default):
                raise BadExtension(f"The setting {spec.key} cannot be {spec.default!r}.")
        return self._by_kind("settings", [(spec.key, spec) for spec in specs])

    def meaning(self, key: str, value: str) -> Any:
        """Return what people call a subject, a start or a flow of services."""
        lists: dict[str, dict[str, Any]] = {"start": self.starts, "flow": self.flows}
        found = lists.get(key, {}).get(value)
        return property_words.meaning(key, value) if found is None else found.words

    def _words(self, part: str) -> dict[str, Any]:
        pairs = [pair for ext in self.extensions for pair in getattr(ext.trail, part).items()]
        return self._by_kind(f"trail {part}", pairs)

    def _steps(self) -> list[Step]:
        return [step for flow in self.flows.values() for step in flow.steps]

    def _all(self, kind: str) -> list[Any]:
        return [value for extension in self.extensions for value in getattr(extension, kind)]

    def _named(self, kind: str, key: str) -> dict[str, Any]:
        return self._by_kind(kind, [(str(getattr(value, key)), value) for value in self._all(kind)])

    @staticmethod
    def _by_kind(kind: str, pairs: list[tuple[str, T]]) -> dict[str, T]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _value in pairs]
            twice = ", ".join(sorted({name for name in names if names.count(name) > 1}))
            raise BadExtension(f"Registered twice ({kind.replace('_', ' ')}): {twice}.")
        return found


def init_app(app: Flask, extensions: Iterable[Extension], core_version: str) -> Registry:
    """Register `extensions` with the application. Raises: BadExtension."""
    registry = app.extensions["services"] = Registry(extensions, core_version)
    app.extensions["office_settings"] = registry.settings
    app.jinja_env.globals.update(
        status_label=registry.status_label, status_tone=registry.status_tone
    )
    return registry


def current() -> Registry:
    """Return the current application's registry."""
    return cast(Registry, current_app.extensions["services"])


def is_open() -> sa.ColumnElement[bool]:
    """Return the condition on Request for open ones: sent and not decided."""
    return Request.status.in_(sorted(current().open_statuses))


def _check_core(extension: Extension, core_version: str) -> None:
    try:
        is_fitting = core_version in SpecifierSet(extension.core)
    except InvalidSpecifier:
        raise BadExtension(f"{extension.name}: core {extension.core!r} is no version.") from None
    if not is_fitting:
        raise BadExtension(
            f"{extension.name} is made for {extension.core}; this is version {core_version}."
        )


def _check_kinds(extension: Extension) -> None:
    """Refuse what lacks its words: a plain function where a guard or an effect belongs."""
    for kind, expected in (("guards", Guard), ("effects", Effect)):
        for value in getattr(extension, kind):
            if not isinstance(value, expected):
                name = getattr(value, "__name__", repr(value))
                raise BadExtension(f"{extension.name}: {name} in {kind} is no {expected.__name__}.")


def _refuse_unregistered(req: Request, status: str, old: Any, initiator: Any) -> str:
    if current_app and status not in current().statuses:
        raise ValueError(f"no flow has the status {status!r}")
    return status


sa.event.listen(Request.status, "set", _refuse_unregistered, retval=True)
