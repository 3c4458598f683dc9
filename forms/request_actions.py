"""Office forms for steps on requests: reason, remarks, reviewer, other decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from flask_babel import lazy_gettext as _l
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from wtforms import DecimalField, IntegerField

from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.errors import Refusal
from clearance.core.reasons import Reason
from clearance.requests.transitions import REASON_MAX_LENGTH
from clearance.services.decisions import Assignment, Decision, RemarkInput, Remarks
from clearance.services.effects import REMARK_MAX_LENGTH
from clearance.services.field_specs import FieldSpec
from forms.base import BaseForm
from forms.fields import CheckField, ChoiceField, DayField, TextAreaField, TextField
from forms.request_form import input_of
from forms.validators import Required

_TEXT, _MARK = "remark-", "mark-"
INPUTS: dict[Any, type[Any]] = {
    date: DayField,
    int: IntegerField,
    Decimal: DecimalField,
    bool: CheckField,
    str: TextField,
}
"""The input of a decision's field, by its type."""


@dataclass(frozen=True)
class Place:
    """A place for a remark: a field of the request or a document kind."""

    name: str
    label: str
    is_document: bool = False

    @property
    def key(self) -> str:
        """The place's key in field names."""
        return f"{'document' if self.is_document else 'field'}-{self.name}"


class Column(NamedTuple):
    """A question put for each of several requests. name: of the input of one of them."""

    heading: Any
    hint: Any
    name: str


@dataclass(frozen=True)
class Question:
    """What a step asks for one request, besides a reason, remarks and a reviewer.

    request_id: None for the only request. number: the request's. proposed: initial values.
    """

    model: type[Decision]
    request_id: int | None
    number: str
    proposed: Mapping[str, Any]

    def input_name(self, field: str) -> str:
        """Return the name of the form's field."""
        return field if self.request_id is None else f"{field}-{self.request_id}"

    def inputs(self) -> dict[str, Any]:
        """Return the unbound fields by name, made from the types of the model's fields."""
        return {
            self.input_name(name): self._input(name, info)
            for name, info in self.model.model_fields.items()
        }

    def given(self, form: BaseForm) -> dict[str, Any]:
        """Return the values of the model that the form was given."""
        return {name: form[self.input_name(name)].data for name in self.model.model_fields}

    def columns(self) -> dict[Any, Column]:
        """Return what is asked of each of several requests, by what is the same for all."""
        return {
            (self.model, name): Column(info.title, info.description, self.input_name(name))
            for name, info in self.model.model_fields.items()
        }

    def _label(self, label: Any) -> Any:
        return label if self.request_id is None else f"{label} ({self.number})"

    def _input(self, name: str, info: FieldInfo) -> Any:
        checks = [Required()] if info.is_required() else []
        kind = INPUTS[info.annotation or str]
        return kind(
            self._label(info.title or name),
            checks,
            name=self.input_name(name),
            default=self.proposed.get(name),
            description=info.description or "",
        )


@dataclass(frozen=True)
class OfficeQuestion(Question):
    """The office's fields of a stage. lang: of their labels."""

    specs: tuple[FieldSpec, ...] = ()
    lang: str = "ar"

    def input_name(self, field: str) -> str:
        """Return the name of the form's field, which no other of its attributes has."""
        return super().input_name(f"office-{field}")

    def inputs(self) -> dict[str, Any]:
        """Return the unbound fields by name, as the form of a request has them."""
        return {self.input_name(spec.name): self._office_input(spec) for spec in self.specs}

    def given(self, form: BaseForm) -> dict[str, Any]:
        """Return the values of the model that the form was given."""
        return {"values": {spec.name: form[self.input_name(spec.name)].data for spec in self.specs}}

    def columns(self) -> dict[Any, Column]:
        """Return what is asked of each of several requests; fields of one label are one."""
        return {
            (spec.name, spec.title(self.lang)): Column(
                spec.title(self.lang), spec.hint_in(self.lang), self.input_name(spec.name)
            )
            for spec in self.specs
        }

    def _office_input(self, spec: FieldSpec) -> Any:
        field = input_of(spec, self.lang)
        field.args = (self._label(spec.title(self.lang)), *field.args[1:])
        field.name = self.input_name(spec.name)
        field.kwargs |= {
            "default": self.proposed.get(spec.name),
            "description": spec.hint_in(self.lang),
        }
        return field


class ReasonedForm(BaseForm):
    """A form with a reason, chosen or written, in the fields that `reason_fields` returns.

    ready: the reasons to choose from. longest: maximum characters of the whole reason. no_reason:
    the message if there is none.
    """

    ready: ClassVar[Mapping[str, Reason]] = {}
    longest: ClassVar[int]
    no_reason: ClassVar[Any] = _l("Choose a standard reason or write one.")

    def given_reason(self) -> Reason:
        """Return what was chosen and written."""
        chosen = self.ready.get(self["ready_reason"].data or "", Reason())
        return replace(chosen, words=self["reason"].data or "")

    def has_reason(self) -> bool:
        """Return whether a reason was chosen or written; otherwise show why not at its field."""
        field = self["reason"]
        given = self.given_reason()
        longest = max(len(given.in_language(lang)) for lang in i18n.LANGUAGES)
        if longest == 0 and not field.errors:
            field.errors = [self.no_reason]
        elif longest > self.longest and not field.errors:
            field.errors = [_l("The reason is too long. Please shorten it.")]
        return not field.errors


def reason_fields(ready: Iterable[Reason], lang: str, longest: int) -> dict[str, Any]:
    """Return the members of a `ReasonedForm`. lang: the page's language."""
    reasons = {str(reason.ready[0]): reason for reason in ready if reason.ready is not None}
    choices = [(key, reason.in_language(lang)) for key, reason in reasons.items()]
    return {
        "ready": reasons,
        "longest": longest,
        "ready_reason": ChoiceField(_l("Standard reason"), choices=choices),
        "reason": TextAreaField(_l("Reason"), max_length=longest),
    }


class StepForm(ReasonedForm):
    """The inputs that a step needs: reason, remarks, reviewer, expiry dates.

    Created by `step_form`. places: for remarks.
    """

    no_reason = _l("Choose a standard reason or write one. The applicant will see it.")
    is_sending = True  # fields of the office that are required must be filled in
    places: ClassVar[Sequence[Place]] = ()
    needs_reason: ClassVar[bool] = False
    questions: ClassVar[Sequence[Question]] = ()

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the fields, that there is a reason if needed, and that marks have remarks."""
        is_good = super().validate(extra_validators)
        for place in self.places:
            if self[_MARK + place.key].data and not self[_TEXT + place.key].data:
                text = self[_TEXT + place.key]
                text.errors = [*text.errors, _l("Explain what needs to be corrected here.")]
                is_good = False
        allowed = [self._is_allowed(question) for question in self.questions]
        has_reason = not self.needs_reason or self.has_reason()
        return has_reason and is_good and all(allowed)

    def given_reason(self) -> Reason:
        """Return what was chosen and written; nothing if the step needs none."""
        return super().given_reason() if self.needs_reason else Reason()

    def remarks(self) -> tuple[RemarkInput, ...]:
        """Return the remarks, in form order."""
        return tuple(
            RemarkInput(
                text=self[_TEXT + place.key].data,
                field=None if place.is_document else place.name,
                document_kind=place.name if place.is_document else None,
            )
            for place in self.places
            if self[_TEXT + place.key].data
        )

    def decisions(self, request_id: int | None = None) -> list[Decision]:
        """Return the answers for that request; None: the only one."""
        asked = [question for question in self.questions if question.request_id == request_id]
        answers = [question.model(**question.given(self)) for question in asked]
        if self.places:
            answers.append(Remarks(remarks=self.remarks()))
        if "reviewer_id" in self:
            answers.append(Assignment(reviewer_id=int(self["reviewer_id"].data)))
        return answers

    def inputs_for(self, request_id: int | None = None) -> list[Any]:
        """Return the fields asked for that request: for one of several, a place per heading."""
        asked = [question for question in self.questions if question.request_id == request_id]
        if request_id is None:
            return [self[name] for question in asked for name in question.inputs()]
        own = {key: each.name for question in asked for key, each in question.columns().items()}
        return [self[own[key]] if key in own else None for key in self._columns]

    @property
    def headings(self) -> list[Any]:
        """The labels of what is asked for each of several requests."""
        return [column.heading for column in self._columns.values()]

    @property
    def hints(self) -> list[Any]:
        """What helps to answer it."""
        return [column.hint for column in self._columns.values() if column.hint]

    @property
    def _columns(self) -> dict[Any, Column]:
        found: dict[Any, Column] = {}
        for question in self.questions:
            if question.request_id is not None:
                found = question.columns() | found
        return found

    def _is_allowed(self, question: Question) -> bool:
        """Check one answer by the rule that the step enforces."""
        inputs = [self[name] for name in question.inputs()]
        if any(field.errors for field in inputs):
            return False
        try:
            refusal = question.model(**question.given(self)).refusal(utc_now())
        except ValidationError:
            refusal = Refusal(question.model.missing)
        if refusal is not None and inputs:
            inputs[0].errors = [refusal.text]
        return refusal is None

    def place_fields(self, *, is_document: bool) -> list[tuple[Any, Any]]:
        """Return (mark field, text field) of the places for documents, or for fields."""
        return [
            (self[_MARK + place.key], self[_TEXT + place.key])
            for place in self.places
            if place.is_document == is_document
        ]


def step_form(
    *,
    needs_reason: bool,
    ready: Iterable[Reason] = (),
    places: Sequence[Place] = (),
    reviewers: Iterable[tuple[int, str]] | None = None,
    questions: Sequence[Question] = (),
    lang: str,
) -> StepForm:
    """Return the form of a step, bound to a post.

    ready: reasons to choose from. places: for remarks. reviewers: (id, name) if the step needs
    one. questions: what else it asks. lang: the page's language.
    """
    members: dict[str, Any] = {
        "places": places,
        "needs_reason": needs_reason,
        "questions": questions,
    }
    for place in places:
        members[_MARK + place.key] = CheckField(place.label)
        members[_TEXT + place.key] = TextAreaField(
            _l("Comment"), max_length=REMARK_MAX_LENGTH, render_kw={"rows": 2}
        )
    if needs_reason:
        members |= reason_fields(ready, lang, REASON_MAX_LENGTH)
    if reviewers is not None:
        members["reviewer_id"] = ChoiceField(
            _l("Reviewer"), [Required()], choices=[(str(key), name) for key, name in reviewers]
        )
    for question in questions:
        members |= question.inputs()
    made: StepForm = type("StepForm", (StepForm,), members)()
    return made
