"""The ways through a service: which answers lead to which fields, documents and stages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from clearance.services import answers
from clearance.services.conditions import ABOUT, Condition, OtherField, Values
from clearance.services.field_specs import FieldSpec
from clearance.services.schema import Definition
from clearance.services.standard_fields import DATE_KINDS, Kind

MOST = 200
"""The most ways that are listed; of a service with more, only the first are."""

_OTHER = "-"
"""Stands for any text or code that no condition names."""
_TURNED = {"at_least": "at_most", "at_most": "at_least", "before": "after", "after": "before"}
_SOME_DAY = date(2030, 1, 1)
_STEPS: Mapping[Kind, Any] = {
    Kind.NUMBER: 1,
    Kind.AMOUNT: Decimal("0.001"),
    **dict.fromkeys(DATE_KINDS, timedelta(1)),
}

MOST_KEPT = 50
_LABELS = dict.fromkeys(("label", "hint", "example", "unit", "row"), True)
_TEXTS: Any = {
    **dict.fromkeys(("title", "short_title", "description", "conditions", "button"), True),
    "messages": True,
    "fields": {"__all__": _LABELS},
}
_found: dict[str, Ways] = {}
"""The ways of the definitions looked at last, by what of these is no text."""


@dataclass(frozen=True)
class Way:
    """Answers, and the rest that they lead to.

    fields, documents, stages, issued: names, in the order of the definition. answers: in the order
    of the form; what is not named makes no difference.
    """

    fields: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    issued: tuple[str, ...] = ()
    answers: tuple[Condition, ...] = ()

    def asks_after(self, names: Sequence[str]) -> bool:
        """Return whether it asks for more than the first fields of the form, `names`."""
        return bool(self.documents) or len(self.fields) > len(names)


@dataclass(frozen=True)
class Ways:
    """What `through` found. are_all: there are no others.

    ends: field → answers after which nothing more is asked, though it is after others.
    """

    ways: tuple[Way, ...]
    are_all: bool
    ends: Mapping[str, Condition]


def through(definition: Definition) -> Ways:
    """Return the ways through a sound definition, at most `MOST`.

    Answers to one question that lead to the same rest are one branch.
    """
    key = definition.model_dump_json(exclude=_TEXTS)
    if key not in _found:
        walk = _Walk(definition)
        ways = walk.from_step(0, dict.fromkeys(ABOUT), Way())
        _found[key] = Ways(ways[:MOST], walk.left >= 0, walk.ends)
        while len(_found) > MOST_KEPT:
            _found.pop(next(iter(_found)), None)
    return _found[key]


@dataclass
class _Step:
    """A question or a decision. about: a name of `ABOUT`. stage: begins the review's next one."""

    spec: FieldSpec | None = None
    when: Condition | None = None
    about: str = ""
    stage: Any = None
    within: str = ""


@dataclass
class _Branch:
    """Groups of answers to one question, and the ways that each of them leads to."""

    rest: tuple[Way, ...]
    answers: list[list[Any]]


@dataclass
class _Walk:
    """All combinations of the answers that make a difference, one question after the other."""

    definition: Definition
    left: int = MOST
    ends: dict[str, Condition] = field(default_factory=dict)
    words: dict[tuple[Any, ...], Condition] = field(default_factory=dict)

    def __post_init__(self) -> None:
        conditions = list(_conditions(self.definition))
        self.tests: dict[str, list[Condition]] = {}
        for part in (part for when in conditions for part in when.parts):
            self.tests.setdefault(part.field or "", []).append(part)
            for operand in part.comparison[1]:
                if isinstance(operand, OtherField):
                    filled = _when(operand.field, "filled", True)
                    self.tests.setdefault(operand.field, []).append(filled)
        self.steps = list(_steps(self.definition, self.tests))

    def from_step(self, place: int, counted: dict[str, Any], way: Way) -> tuple[Way, ...]:
        """Return the ways from a step on. counted: values so far. way: what they led to so far."""
        if self.left < 0:
            return ()
        for here in range(place, len(self.steps)):
            step = self.steps[here]
            if step.stage is not None:
                if step.stage.applies(counted):
                    way = replace(way, stages=(*way.stages, step.stage.name))
                continue
            name = step.about or getattr(step.spec, "name", "")
            if step.spec is not None:
                if step.within and step.within not in way.stages:
                    continue
                if step.when is not None and not step.when.holds(counted):
                    continue
                if not step.within:
                    way = replace(way, fields=(*way.fields, name))
            if name in self.tests and not (step.spec is not None and name in ABOUT):
                return self._branches(here, name, step.spec, counted, way)
        self.left -= 1
        return (self._end(counted, way),) if self.left >= 0 else ()

    def _branches(
        self, here: int, name: str, spec: FieldSpec | None, counted: dict[str, Any], way: Way
    ) -> tuple[Way, ...]:
        """Return the ways after a question, one branch for all answers that lead to the same."""
        found: list[_Branch] = []
        is_seen = True
        for values in _groups(name, spec, self.tests[name], counted, self.definition):
            rest = self.from_step(here + 1, counted | {name: values[0]}, way)
            is_seen = is_seen and bool(rest)
            same = next((branch for branch in found if branch.rest == rest), None)
            if same is not None:
                same.answers.append(values)
            elif rest:
                found.append(_Branch(rest, [values]))
        if len(found) == 1 and is_seen:
            return found[0].rest
        asking = [any(each.asks_after(way.fields) for each in branch.rest) for branch in found]
        told = [self._in_words(name, spec, branch.answers, counted) for branch in found]
        if any(asking) and not all(asking):
            self.ends[name] = told[asking.index(False)]
        return tuple(
            replace(each, answers=(answer, *each.answers))
            for branch, answer in zip(found, told, strict=True)
            for each in branch.rest
        )

    def _in_words(
        self, name: str, spec: FieldSpec | None, answers: Sequence[Sequence[Any]], counted: Values
    ) -> Condition:
        """Return the condition that exactly these groups of values of a field meet."""
        outcomes = [
            tuple(test.holds({**counted, name: values[0]}) for test in self.tests[name])
            for values in answers
        ]
        key = (name, *zip(outcomes, map(tuple, answers), strict=True))
        if key not in self.words:
            self.words[key] = _any(
                [
                    _described(
                        name, spec, list(zip(self.tests[name], outcome, strict=True)), values
                    )
                    for outcome, values in zip(outcomes, answers, strict=True)
                ]
            )
        return self.words[key]

    def _end(self, counted: Values, way: Way) -> Way:
        documents = self.definition.documents_for(counted)
        issued = [
            statement.name
            for statement in self.definition.issued
            if statement.when is None or statement.when.holds(counted)
        ]
        return replace(way, documents=tuple(spec.kind for spec in documents), issued=tuple(issued))


def _conditions(definition: Definition) -> Iterator[Condition]:
    """Yield every condition that decides what is asked, reviewed or issued."""
    parts: Iterable[Any] = (
        *definition.sections, *definition.answered, *definition.documents, *definition.stages,
        *definition.issued,
    )  # fmt: skip
    yield from (part.when for part in parts if part.when is not None)
    types = [code for spec in definition.documents for code in spec.broker_types]
    if types:
        yield _when("broker_type", "is", list(dict.fromkeys(types)))


def _steps(definition: Definition, tests: Mapping[str, Any]) -> Iterator[_Step]:
    yield from (_Step(about=name) for name in ABOUT if name in tests)
    for _fieldset, specs in definition.fieldsets:
        yield from (_Step(spec, definition.condition_of(spec)) for spec in specs)
    for stage in definition.stages:
        yield _Step(stage=stage)
        yield from (_Step(spec, spec.when, within=stage.name) for spec in stage.fields)


def _groups(
    name: str,
    spec: FieldSpec | None,
    tests: Sequence[Condition],
    counted: Values,
    definition: Definition,
) -> Iterable[list[Any]]:
    """Return values of a field in groups that the tests tell apart."""
    groups: dict[tuple[bool, ...], list[Any]] = {}
    for value in _values(name, spec, tests, counted, definition):
        given = {**counted, name: value}
        groups.setdefault(tuple(test.holds(given) for test in tests), []).append(value)
    return groups.values()


def _values(
    name: str,
    spec: FieldSpec | None,
    tests: Sequence[Condition],
    counted: Values,
    definition: Definition,
) -> list[Any]:
    """Return values that differ for the tests, of those that the field takes; None for empty."""
    named = [
        counted.get(operand.field) if isinstance(operand, OtherField) else operand
        for test in tests
        for operand in test.comparison[1]
        if test.comparison[0] != "filled"
    ]
    if spec is None:
        known = {"applicant_is": ("own", "other"), "broker_type": definition.broker_types}
        return list(known.get(name) or dict.fromkeys((*named, _OTHER)))
    empty = [] if spec.required and spec.is_asked else [None]
    if spec.choices:
        offered = [choice.value for choice in spec.offered]
        if spec.kind is Kind.CHOICES:
            return [*((value,) for value in offered), tuple(offered), *empty]
        return [*offered, *empty]
    if spec.kind is Kind.BOOL:
        return [True] if spec.required else [True, False]
    if spec.kind in _STEPS:
        return [*_around(spec, named), *empty]
    return [*dict.fromkeys((*filter(None, named), _OTHER)), *empty]


def _around(spec: FieldSpec, named: Sequence[Any]) -> list[Any]:
    """Return the numbers or days that a field takes at, before and after those named."""
    step, found = _STEPS[spec.kind], set()
    least, most = _number(spec, spec.minimum), _number(spec, spec.maximum)
    for each in (*named, spec.minimum, spec.maximum):
        value = _number(spec, each)
        with suppress(OverflowError, TypeError):
            found |= {value - step, value, value + step}
    if not found:
        found = {_SOME_DAY if spec.kind in DATE_KINDS else step}
    return sorted(
        value
        for value in found
        if (least is None or value >= least) and (most is None or value <= most)
    )


def _number(spec: FieldSpec, given: Any) -> Any:
    """Return an operand or a limit as a value of the field; None for what is none."""
    if given is None or isinstance(given, date):
        return given
    with suppress(InvalidOperation, ValueError):
        if spec.kind is Kind.NUMBER:
            return int(Decimal(str(given)))
    return answers.typed(spec, str(given))


def _described(
    name: str,
    spec: FieldSpec | None,
    outcomes: Sequence[tuple[Condition, bool]],
    values: Sequence[Any],
) -> Condition:
    """Return the condition that exactly these answers meet."""
    given = [value for value in values if value is not None]
    if not given:
        return _when(name, "filled", False)
    if spec is not None and spec.kind is Kind.CHOICE:
        found = _is(name, given)
    elif spec is not None and spec.kind is Kind.BOOL:
        found = _is(name, given[:1])
    else:
        parts = dict.fromkeys(
            test if holds else _negated(test) for test, holds in outcomes if not _has_limit(test)
        )
        limits = [each for each in outcomes if _has_limit(each[0])]
        found = _all([*(_limits(name, spec, limits) if spec and limits else ()), *parts])
    is_empty_told = len(given) == len(values) or (spec is not None and found.holds({name: None}))
    return found if is_empty_told else _any([found, _when(name, "filled", False)])


def _has_limit(test: Condition) -> bool:
    """Return whether a test is of a number or day against a limit that the definition gives."""
    key, operands = test.comparison
    return key in _TURNED and not isinstance(operands[0], OtherField)


def _limits(
    name: str, spec: FieldSpec, outcomes: Sequence[tuple[Condition, bool]]
) -> Iterator[Condition]:
    """Yield the closest limits that these outcomes set."""
    limits: dict[str, Any] = {}
    for test, holds in outcomes:
        key, operands = test.comparison
        value, is_upper = _number(spec, operands[0]), key in ("at_most", "before")
        if not holds:
            step = _STEPS[spec.kind]
            value += -step if key in ("at_least", "before") else step
            key, is_upper = _TURNED[key], not is_upper
        closest = min if is_upper else max
        limits[key] = closest(limits.get(key, value), value)
    for key, value in limits.items():
        yield _when(name, key, answers.stored(value))


def _negated(test: Condition) -> Condition:
    key, operands = test.comparison
    name, written = test.field or "", [_as_written(each) for each in operands]
    if key == "filled":
        return _when(name, "filled", not operands[0])
    if key in ("is", "is_not"):
        opposite = "is_not" if key == "is" else "is"
        return _when(name, opposite, written)
    turned = _when(name, _TURNED[key], written[0])
    if key in ("at_least", "at_most"):
        return _all([turned, _when(name, "is_not", written)])
    return _any([_is(name, written), turned])


def _as_written(operand: Any) -> Any:
    return operand.model_dump() if isinstance(operand, OtherField) else operand


def _when(name: str, comparison: str, wanted: Any) -> Condition:
    return Condition.model_validate({"field": name, comparison: wanted})


def _is(name: str, values: Sequence[Any]) -> Condition:
    return _when(name, "is", list(values))


def _all(parts: Sequence[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else Condition.model_validate({"all": parts})


def _any(parts: Sequence[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    same = {part.field for part in parts if part.is_ is not None}
    if len(same) == 1 and all(part.is_ is not None for part in parts):
        values = [_as_written(value) for part in parts for value in part.comparison[1]]
        return _is(next(iter(same)) or "", values)
    return Condition.model_validate({"any": parts})
