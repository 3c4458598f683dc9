"""What guards and effects need of a service, in words, and which of them do not fit it."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _

from clearance.services import registry
from clearance.services.drafting import Source
from clearance.services.effects import Effect
from clearance.services.guards import Guard
from clearance.services.statements import ISSUE
from forms.service_parts import Closed, Options


def offered(named: Mapping[str, Guard | Effect], found: Source) -> tuple[Options, Closed]:
    """Return the guards or effects that a draft may name, and why the others do not fit.

    The effect that follows from the documents issued is in neither.
    """
    known = registry.current()
    fitting, closed = [], []
    for name, each in named.items():
        if name == ISSUE:
            continue
        lacks = [str(lack) for lack in each.needs.lacks(found.readable, known.meaning)]
        if lacks:
            closed.append((each.words, _("Needs %(lacks)s.", lacks=_(", ").join(lacks))))
        else:
            fitting.append((name, each.words))
    return fitting, closed
