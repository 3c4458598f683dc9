"""Office forms for steps on requests: reason, remarks, reviewer, expiry dates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms.validators import ValidationError

from clearance.core.clock import utc_now
from clearance.licences.granted_expiry import grant_refusal
from clearance.requests.transitions import REASON_MAX_LENGTH
from clearance.services.effects import REMARK_MAX_LENGTH, RemarkInput
from forms.base import BaseForm
from forms.fields import CheckField, ChoiceField, IsoDateField, TextAreaField
from forms.validators import Required

_TEXT, _MARK = "remark-", "mark-"
EXPIRY = "granted_expiry"


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


@dataclass(frozen=True)
class ReadyReason:
    """A predefined reason in both languages."""

    id: int
    text_ar: str
    text_en: str

    def in_language(self, lang: str) -> str:
        """Return the reason in `lang` ("ar" or "en")."""
        return self.text_ar if lang == "ar" else self.text_en


@dataclass(frozen=True)
class Expiry:
    """An expiry date to grant.

    request_id: None unless the step is taken on several requests. number: of the request.
    proposed: the field's initial value.
    """

    request_id: int | None
    number: str
    proposed: date | None

    @property
    def name(self) -> str:
        """The field's name in the form."""
        return expiry_name(self.request_id)


def expiry_name(request_id: int | None) -> str:
    """Return the name of the expiry field of a request; None: the form's only request."""
    return EXPIRY if request_id is None else f"{EXPIRY}-{request_id}"


class ExpiryGrantable:
    """The date can be granted as a licence's expiry date, by the same rule as the approval."""

    def __call__(self, form: Any, field: Any) -> None:
        refusal = grant_refusal(field.data, utc_now())
        if refusal is not None:
            raise ValidationError(refusal.text)


class StepForm(BaseForm):
    """The inputs that a step needs: reason, remarks, reviewer, expiry dates.

    Created by `step_form`. places: for remarks. ready: the reasons to choose from.
    """

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset(
        {"csrf_token", "form_key", "version", "row", "url", "_language"}
    )
    places: ClassVar[Sequence[Place]] = ()
    ready: ClassVar[dict[str, ReadyReason]] = {}
    needs_reason: ClassVar[bool] = False

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the fields, that there is a reason if needed, and that marks have remarks."""
        is_good = super().validate(extra_validators)
        for place in self.places:
            if self[_MARK + place.key].data and not self[_TEXT + place.key].data:
                text = self[_TEXT + place.key]
                text.errors = [*text.errors, _l("Write what is to be corrected here.")]
                is_good = False
        return self._has_reason() and is_good

    def reason_in(self, lang: str) -> str:
        """Return the whole reason in `lang`."""
        if not self.needs_reason:
            return ""
        chosen = self.ready.get(self["ready_reason"].data or "")
        parts = (chosen.in_language(lang) if chosen else "", self["reason"].data or "")
        return "\n".join(part for part in parts if part)

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

    def expiry_granted_to(self, request_id: int | None = None) -> date | None:
        """Return the expiry date granted to the request; None if the form does not ask for one."""
        name = expiry_name(request_id)
        return self[name].data if name in self else None

    @property
    def granted_expiry_field(self) -> Any | None:
        """The expiry field of a step on a single request, if any."""
        return self._fields.get(EXPIRY)

    @property
    def grants_expiries(self) -> bool:
        """Whether the form asks for expiry dates of several requests."""
        return any(field.name.startswith(f"{EXPIRY}-") for field in self)

    def place_fields(self, *, is_document: bool) -> list[tuple[Any, Any]]:
        """Return (mark field, text field) of the places for documents, or for fields."""
        return [
            (self[_MARK + place.key], self[_TEXT + place.key])
            for place in self.places
            if place.is_document == is_document
        ]

    def _has_reason(self) -> bool:
        if not self.needs_reason or self["reason"].errors:
            return not self.needs_reason
        longest = max(len(self.reason_in(lang)) for lang in ("ar", "en"))
        if longest == 0:
            self["reason"].errors = [
                _l("Choose a ready reason or write one: the applicant reads it.")
            ]
        elif longest > REASON_MAX_LENGTH:
            self["reason"].errors = [_l("The whole reason is too long. Please shorten it.")]
        return not self["reason"].errors


def step_form(
    *,
    needs_reason: bool,
    ready: Iterable[ReadyReason] = (),
    places: Sequence[Place] = (),
    reviewers: Iterable[tuple[int, str]] | None = None,
    expiries: Sequence[Expiry] = (),
    lang: str,
) -> StepForm:
    """Return the form of a step, bound to a post.

    ready: reasons to choose from. places: for remarks. reviewers: (id, name) if the step needs
    one. expiries: the dates to grant. lang: the page's language.
    """
    reasons = {str(reason.id): reason for reason in ready}
    members: dict[str, Any] = {"places": places, "ready": reasons, "needs_reason": needs_reason}
    for place in places:
        members[_MARK + place.key] = CheckField(place.label)
        members[_TEXT + place.key] = TextAreaField(
            _l("Remark"), max_length=REMARK_MAX_LENGTH, render_kw={"rows": 2}
        )
    if needs_reason:
        members["ready_reason"] = ChoiceField(
            _l("Ready reason"),
            choices=[(key, reason.in_language(lang)) for key, reason in reasons.items()],
        )
        members["reason"] = TextAreaField(_l("Reason"), max_length=REASON_MAX_LENGTH)
    if reviewers is not None:
        members["reviewer_id"] = ChoiceField(
            _l("Reviewer"), [Required()], choices=[(str(key), name) for key, name in reviewers]
        )
    for expiry in expiries:
        members[expiry.name] = _expiry_field(expiry)
    made: StepForm = type("StepForm", (StepForm,), members)()
    return made


def _expiry_field(expiry: Expiry) -> Any:
    label: Any = _l("Granted expiry date")
    if expiry.request_id is not None:
        label = _l("Granted expiry date of %(number)s", number=expiry.number)
    checks = [Required(), ExpiryGrantable()]
    return IsoDateField(label, checks, name=expiry.name, default=expiry.proposed)
