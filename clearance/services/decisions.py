"""What a step asks of the person taking it, besides a reason: one model for each question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, TypeVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import BaseModel, ConfigDict, ValidationError

from clearance.core import i18n
from clearance.core.errors import Refusal, Refused
from clearance.models import Request
from clearance.services import answers
from clearance.services.standard_fields import is_empty


class Decision(BaseModel):
    """One answer to what a step, or an effect of an approval, asks.

    Each field needs a `title`, the label of its input; its type decides the kind of input
    (forms/request_actions.py). audited: fields kept in the trail. on_timeline: those
    of them that the timeline shows to everybody. missing: the refusal without an answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    audited: ClassVar[tuple[str, ...]] = ()
    on_timeline: ClassVar[tuple[str, ...]] = ()
    missing: ClassVar[Any] = _l("Fill in what this step asks for.")

    @classmethod
    def proposed(cls, req: Request, now: datetime) -> Mapping[str, Any]:
        """Return the initial values of the inputs, by field name."""
        return {}

    @classmethod
    def cautions(cls, req: Request, now: datetime) -> list[Refusal]:
        """Return what to warn of before answering; nothing is refused."""
        return []

    def refusal(self, now: datetime) -> Refusal | None:
        """Return why this answer is not allowed, or None."""
        return None

    def changes(self) -> dict[str, Any]:
        """Return the audited values for the trail: name → [None, JSON value]."""
        dumped = self.model_dump(mode="json", include=set(self.audited))
        return {name: [None, value] for name, value in dumped.items() if value is not None}


D = TypeVar("D", bound=Decision)


@dataclass(frozen=True)
class RemarkInput:
    """A reviewer's remark on one field or one kind of document."""

    text: str
    field: str | None = None
    document_kind: str | None = None


class Remarks(Decision):
    """What the applicant has to correct."""

    remarks: tuple[RemarkInput, ...] = ()


class Assignment(Decision):
    """The reviewer who gets the request."""

    audited = ("reviewer_id",)

    missing = _l("Choose an active reviewer.")

    reviewer_id: int


class OfficeAnswers(Decision):
    """The office's own fields of a stage. values: typed, by name of the field."""

    values: Mapping[str, Any]

    def changes(self) -> dict[str, Any]:
        """Return all that was filled in, for the trail."""
        return {
            name: [None, answers.stored(value)]
            for name, value in self.values.items()
            if not is_empty(value)
        }


class Given:
    """The answers given with a step, by their model."""

    def __init__(self, decisions: Decision | Iterable[Decision] = ()) -> None:
        listed = (decisions,) if isinstance(decisions, Decision) else decisions
        self._by_model = {type(decision): decision for decision in listed}

    def get(self, model: type[D]) -> D | None:
        """Return the answer to `model`, or None."""
        found = self._by_model.get(model)
        return found if isinstance(found, model) else None

    def require(self, model: type[D]) -> D:
        """Return the answer to `model`, by default an empty one. Raises: Refused without it."""
        found = self.get(model)
        if found is None:
            try:
                return model()
            except ValidationError:
                raise Refused(Refusal(model.missing)) from None
        return found

    def changes(self) -> dict[str, Any]:
        """Return all audited values for the trail."""
        found: dict[str, Any] = {}
        for decision in self._by_model.values():
            found |= decision.changes()
        return found


def written(value: Any) -> str:
    """Return an audited JSON value as the page's reader reads it."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(value, str):
        try:
            return i18n.format_day(date.fromisoformat(value))
        except ValueError:
            return value
    return str(value)
