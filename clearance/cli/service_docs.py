"""Generate docs/services.md: fields, requirements, refusals and effects of each service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flask_babel import force_locale

from clearance.cli import guard_samples as samples
from clearance.models.enums import Status
from clearance.services import condition_words, guards, reading, registry, versions
from clearance.services.conditions import Condition
from clearance.services.field_specs import FieldSpec
from clearance.services.flows import Flow, Step
from clearance.services.guards import Check, Guard
from clearance.services.schema import Definition

_INTRODUCTION = """\
# The services

Generated from `clearance/*/definitions/*.yaml` and the guards and effects beside them by
`flask services describe --output docs/services.md`; a test fails when this page is out of date.

Each service is a YAML definition. What cannot be data is a named function: a guard explains why
something cannot be requested or done now and what would change that; an effect is what an approval
does. The same guard disables the button, explains it, and refuses on the server. A changed
definition is published as a new version; a request keeps the version it was started with.
"""
_REFUSALS_HEAD = f"""\
## Refusal messages

Dates assume that today is {samples.TODAY:%d/%m/%Y} and that settings have their defaults, except
that the exam has a waiting time and a limit of attempts. An approval is also refused when the
register has changed since the request was sent; the message names each field with both values.

"""
_SIDES = {"agent": "applicant"}
_EXCLUSIVE = {
    "none": "nothing; several can be open at once",
    "person": "another request for this service and civil number",
    "licence": "other requests for the same licence, except letters",
}
_EVERY = "every service"


class Said(NamedTuple):
    """A guard's refusal in both languages: the text, and what would change it."""

    ar: str
    en: str


def services_page() -> str:
    """Return the whole page as Markdown: services, flows, effects and the table of refusals."""
    services = shipped()
    with force_locale("en"):
        parts = [_INTRODUCTION, _overview(services)]
        parts += [_service(service) for service in services]
        flows = registry.current().flows
        used = [name for name in flows if any(service.flow == name for service in services)]
        parts += ["## Flows\n", *(_flow(flows[name]) for name in used)]
        parts.append(_effects(services))
    parts.append(_refusals(services))
    return "\n".join(parts)


def shipped() -> list[Definition]:
    """Return the shipped definitions in menu order."""
    found = (reading.parse(document)[0] for document in versions.read_files().values())
    return sorted(
        (definition for definition in found if definition is not None),
        key=lambda definition: definition.position,
    )


def refusals_of(guard: Check, service: Definition) -> list[Said]:
    """Return the distinct refusals of `guard` in the sample cases, in both languages."""
    said = {}
    for case in samples.cases(service):
        texts = []
        for lang in ("ar", "en"):
            with force_locale(lang):
                refusal = guard(case)
                words = (refusal.text, refusal.change) if refusal is not None else ()
                texts.append(" ".join(filter(None, map(str, words))))
        if all(texts):
            said[texts[1]] = Said(*texts)
    return list(said.values())


def guards_of(service: Definition) -> list[tuple[str, Check, str]]:
    """Return the service's own guards: name, function, and when they are checked."""
    found: dict[str, tuple[Check, list[str]]] = {}
    moments = (
        ("on start", service.guards.start),
        ("on sending", (*service.guards.start, *service.guards.send)),
        ("on approval", service.guards.approval),
    )
    for moment, names in moments:
        for name in names:
            found.setdefault(name, (registry.current().guards[name], []))[1].append(moment)
    with force_locale("en"):
        for step in service.steps.steps:
            for step_guard in step.guards:
                moment = f"at the step “{step.action.label}”"
                asked = found.setdefault(_name(step_guard), (step_guard, []))[1]
                if moment not in asked:
                    asked.append(moment)
    return [(name, guard, ", ".join(asked)) for name, (guard, asked) in found.items()]


def _overview(services: Sequence[Definition]) -> str:
    rows = [
        (
            f"[`{service.code}`](#{service.code})",
            service.prefix,
            service.title.ar,
            service.title.en,
            service.subject,
            _review(service),
            str(service.processing_days),
            "yes" if service.bulk else "–",
        )
        for service in services
    ]
    return _table(
        ("Code", "No.", "Arabic", "English", "About", "Flow", "Working days", "Bulk requests"),
        rows,
    )


def _review(service: Definition) -> str:
    """Return a link to the service's flow, or the titles of its stages."""
    if service.stages:
        return ", then ".join(stage.title.en for stage in service.stages)
    return f"[{service.flow}](#flow-{service.flow})"


def _service(service: Definition) -> str:
    lines = [
        f'<a id="{service.code}"></a>\n\n## {service.title.en}\n',
        f"{service.title.ar}\n\n{service.description.en}\n",
        f"- Starts from: {registry.current().starts[service.start].words}"
        + (f"; button «{service.button.ar}», “{service.button.en}”" if service.button else ""),
        f"- Subscription: {service.subscription.replace('_', ' ')}; organisation types: "
        + (", ".join(f"`{code}`" for code in service.legal_entities) or "all"),
        f"- Blocks while open: {_EXCLUSIVE[service.exclusive]}",
        f"- Flow: {_review(service)}",
        f"- On approval: {', '.join(f'`{name}`' for name in service.effects) or 'nothing'}"
        + _asked(service),
        "",
        _table(
            ("Field", "Arabic", "English", ""), [_field(field, service) for field in service.fields]
        ),
        _table(("Document", "", "For"), _documents(service)),
    ]
    return "\n".join(lines)


def _asked(service: Definition) -> str:
    completing = [step for step in service.steps.steps if step.completes]
    models = dict.fromkeys(model for step in completing for model in service.decisions(step))
    titles = [str(info.title) for model in models for info in model.model_fields.values()]
    return f"; the reviewer gives: {', '.join(titles)}" if titles else ""


def _field(spec: FieldSpec, service: Definition) -> tuple[str, ...]:
    with force_locale("ar"):
        arabic = spec.title("ar")
    mode = "shown" if not spec.is_asked else "required" if spec.required else "optional"
    mode += _condition(service.condition_of(spec), service)
    return f"`{spec.name}`", arabic, spec.title("en"), mode


def _condition(when: Condition | None, service: Definition) -> str:
    return f", if {condition_words.in_words(when, service)}" if when is not None else ""


def _documents(service: Definition) -> list[tuple[str, ...]]:
    return [
        (
            f"`{document.kind}`",
            ("required" if document.required else "optional") + _condition(document.when, service),
            ", ".join(f"`{code}`" for code in document.broker_types) or "all broker types",
        )
        for document in service.documents
    ]


def _flow(flow: Flow) -> str:
    lines = [f'<a id="flow-{flow.name}"></a>\n\n### Flow {flow.name}\n', "```mermaid"]
    lines.append("stateDiagram-v2")
    sources = {status for step in flow.steps for status in step.sources}
    targets = {step.target for step in flow.steps if step.target is not None}
    states = [status for status in registry.current().statuses if status in sources | targets]
    lines += [
        f'    state "{registry.current().status_label(status)}" as {status}' for status in states
    ]
    lines.append(f"    [*] --> {Status.DRAFT}")
    lines += [line for step in flow.steps for line in _arrows(step)]
    lines += [f"    {status} --> [*]" for status in states if status not in sources]
    return "\n".join([*lines, "```\n"])


def _arrows(step: Step) -> list[str]:
    label = f"{step.action.label} ({_SIDES.get(step.side, step.side.replace('_', ' '))})"
    sources = [status for status in registry.current().statuses if status in step.sources]
    return [f"    {source} --> {step.target or source}: {label}" for source in sources]


def _effects(services: Sequence[Definition]) -> str:
    rows = [
        (
            f"`{name}`",
            str(effect.words),
            ", ".join(f"`{service.code}`" for service in services if name in service.effects),
        )
        for name, effect in sorted(registry.current().effects.items())
    ]
    return "## Effects of approval\n\n" + _table(("Effect", "What it does", "Services"), rows)


def _refusals(services: Sequence[Definition]) -> str:
    rows = []
    for guard in (*guards.UNIVERSAL, guards.claim_is_free):
        when = "on start, on sending"
        rows += _said(_EVERY, _name(guard), guard, when, services[0])
    for service in services:
        for name, guard, when in guards_of(service):
            rows += _said(f"`{service.code}`", name, guard, when, service)
    return _REFUSALS_HEAD + _table(("Service", "Guard", "Checked", "Arabic", "English"), rows)


def _said(
    service: str, name: str, guard: Check, when: str, tried_on: Definition
) -> list[tuple[str, ...]]:
    return [
        (service, f"`{name}`", when, refusal.ar, refusal.en)
        for refusal in refusals_of(guard, tried_on)
    ]


def _name(check: Check) -> str:
    return check.name if isinstance(check, Guard) else check.__name__


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(head), "|---" * len(head) + "|"]
    return "\n".join([*lines, *(_line(row) for row in rows)]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
