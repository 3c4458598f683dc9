"""Office forms for stopping, piloting, starting and archiving services."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l

from forms.base import BaseForm
from forms.fields import DayField, TextAreaField, TextField
from forms.validators import Required

NOTICE_MAX_LENGTH, WHY_MAX_LENGTH = 500, 250
ORGANISATIONS_MAX_LENGTH = 20000


def _why() -> TextField:
    return TextField(
        _l("Reason"),
        [Required()],
        max_length=WHY_MAX_LENGTH,
        description=_l("Only the audit trail shows it."),
    )


class WhyForm(BaseForm):
    """Why a service is archived or restored."""

    why = _why()

    def values(self) -> dict[str, Any]:
        """Return what the step is given; call it on a valid form only."""
        return {"why": self.why.data}

    def add_faults(self, faults: dict[str, Any]) -> None:
        """Show the domain's errors at their fields."""
        for name, message in faults.items():
            self[name].errors = [*self[name].errors, message]


class StartForm(WhyForm):
    """From when a stopped service is offered again."""

    since = DayField(
        _l("First day in use"),
        description=_l("Day / month / year. Leave it empty to start the service now."),
    )
    why = _why()

    def values(self) -> dict[str, Any]:
        return super().values() | {"since": self.since.data}


class StopForm(WhyForm):
    """From when a service is stopped, and what its card says meanwhile.

    Without `since` for one that is stopped already: its first day stays.
    """

    since = DayField(
        _l("First day without the service"),
        description=_l("Day / month / year. Leave it empty to stop the service now."),
    )
    notice_ar = TextAreaField(_l("Text on the card in Arabic"), max_length=NOTICE_MAX_LENGTH)
    notice_en = TextAreaField(_l("Text on the card in English"), max_length=NOTICE_MAX_LENGTH)
    why = _why()

    def show(self, notice: dict[str, str]) -> None:
        """Fill in what the card says now, by language."""
        self.notice_ar.data, self.notice_en.data = notice.get("ar", ""), notice.get("en", "")

    def values(self) -> dict[str, Any]:
        notice = {"ar": self.notice_ar.data, "en": self.notice_en.data}
        since = self.since.data if "since" in self else None
        return super().values() | {"since": since, "notice": notice}


class PilotForm(WhyForm):
    """Until when a stopped service is offered to whom."""

    until = DayField(
        _l("Last day of the pilot"), [Required()], description=_l("Day / month / year, in Kuwait.")
    )
    organisations = TextAreaField(
        _l("Organisations"),
        [Required()],
        max_length=ORGANISATIONS_MAX_LENGTH,
        description=_l("The number or the name of each, a line each."),
    )
    why = _why()

    def show(self, until: date | None, chosen: Iterable[str]) -> None:
        """Fill in the pilot as it is."""
        self.until.data, self.organisations.data = until, "\n".join(chosen)

    def values(self) -> dict[str, Any]:
        chosen = {"until": self.until.data, "organisations": self.organisations.data}
        return super().values() | chosen
