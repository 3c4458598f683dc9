"""Texts on the effects of an approval, for its confirmation page."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from clearance.services.flows import Step
from clearance.services.schema import Definition

WORDS: dict[str, Any] = {
    "update_particulars": _l(
        "The register takes over the particulars and contact data that the request gives."
    ),
    "make_licence": _l("The person is entered in the register as a broker with a new licence."),
    "renew_licence": _l(
        "The licence becomes active until the granted expiry date, with the guarantee given."
    ),
    "suspend_licence": _l("The licence is suspended at its holder's request."),
    "reactivate_licence": _l("The licence becomes active again."),
    "cancel_licence": _l(
        "The licence is cancelled for good, and everything issued for it becomes void."
    ),
    "move_broker": _l("The broker moves to the other organisation; the licence number stays."),
    "void_card": _l("The present identity card becomes void."),
    "issue_certificate": _l("A licence certificate is issued; an earlier one becomes void."),
    "issue_card": _l("An identity card is issued; an earlier one becomes void."),
    "issue_letter": _l("The letter is issued."),
}


def of(service: Definition, step: Step) -> list[str]:
    """Return the effects of `step` on a request for `service`, in the page's language."""
    return [str(WORDS[name]) for name in service.on_approval] if step.completes else []
