"""What guards and effects need of a service, in words, and which of them do not fit it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from clearance.services import property_words, reading, registry
from clearance.services.drafting import Document
from clearance.services.effects import Effect
from clearance.services.guards import Guard
from clearance.services.needs import Needs
from clearance.services.schema import Definition
from clearance.services.standard_fields import STANDARD_FIELDS
from clearance.services.statements import ISSUE
from forms.service_parts import Closed, Options


def offered(named: Mapping[str, Guard | Effect], document: Document) -> tuple[Options, Closed]:
    """Return the guards or effects that the draft may name, and why the others do not fit.

    The effect that follows from the documents issued is in neither.
    """
    definition = reading.read(document, str(document.get("code")))
    fitting, closed = [], []
    for name, each in named.items():
        if name == ISSUE:
            continue
        if each.needs.faults(definition):
            closed.append((each.words, " ".join(_unmet(each.needs, definition))))
        else:
            fitting.append((name, each.words))
    return fitting, closed


def _unmet(needs: Needs, definition: Definition) -> list[str]:
    """Return sentences on what a definition lacks."""
    found = []
    if needs.subject and needs.subject != definition.subject:
        wanted = property_words.meaning("subject", needs.subject)
        found.append(_("Only for requests about: %(subject)s.", subject=wanted))
    if needs.start and needs.start != definition.start:
        start = registry.current().starts.get(needs.start)
        words = start.words if start is not None else needs.start
        found.append(_("Only for requests that begin with: %(start)s.", start=words))
    if needs.flow and needs.flow != definition.flow:
        found.append(_("Only for services with another decision process."))
    missing = [name for name in needs.fields if name not in definition.field_names]
    found += [_("Needs the field “%(field)s” in the form.", field=_field(name)) for name in missing]
    if set(needs.roles) - definition.role_names:
        found.append(_("Needs roles of answers, which only a definition file sets."))
    return [str(each) for each in found]


def _field(name: str) -> Any:
    standard = STANDARD_FIELDS.get(name)
    return standard.label if standard is not None else name
