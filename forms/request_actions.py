"""Forms of the office: what a step on requests is given, and the panel's own pages."""

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
    """Where a remark can be pinned: a field of the request or a kind of document."""

    name: str
    label: str
    is_document: bool = False

    @property
    def key(self) -> str:
        """What the place is called in the form."""
        return f"{'document' if self.is_document else 'field'}-{self.name}"


@dataclass(frozen=True)
class ReadyReason:
    """A reason to choose, in both languages."""

    id: int
    text_ar: str
    text_en: str

    def in_language(self, lang: str) -> str:
        """The reason in `lang` ("ar" or "en"), as the applicant will read it."""
        return self.text_ar if lang == "ar" else self.text_en


@dataclass(frozen=True)
class Expiry:
    """An expiry date to grant.

    request_id: whose, where the step is taken on several requests; None for the only one. number:
    the request's. proposed: what the field has at first.
    """

    request_id: int | None
    number: str
    proposed: date | None

    @property
    def name(self) -> str:
        """What the field is called in the form."""
        return expiry_name(self.request_id)


def expiry_name(request_id: int | None) -> str:
    """The field in which the expiry of that request is granted; None: of the only one."""
    return EXPIRY if request_id is None else f"{EXPIRY}-{request_id}"


class ExpiryGrantable:
    """The day can be granted as a licence's last one, by the rule that the approval enforces."""

    def __call__(self, form: Any, field: Any) -> None:
        refusal = grant_refusal(field.data, utc_now())
        if refusal is not None:
            raise ValidationError(refusal.text)


class StepForm(BaseForm):
    """What a step asks for: a reason, remarks, a reviewer, expiry dates; each only where it is due.

    Made by `step_form`. places: where remarks can be pinned. ready: the reasons to choose from.
    """

    ALSO_POSTED: ClassVar[frozenset[str]] = frozenset(
        {"csrf_token", "form_key", "version", "row", "url", "_language"}
    )
    places: ClassVar[Sequence[Place]] = ()
    ready: ClassVar[dict[str, ReadyReason]] = {}
    needs_reason: ClassVar[bool] = False

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the fields, and that a reason was chosen or written and every mark says why."""
        is_good = super().validate(extra_validators)
        for place in self.places:
            if self[_MARK + place.key].data and not self[_TEXT + place.key].data:
                text = self[_TEXT + place.key]
                text.errors = [*text.errors, _l("Write what is to be corrected here.")]
                is_good = False
        return self._has_reason() and is_good

    def reason_in(self, lang: str) -> str:
        """The whole reason for an applicant who reads `lang`."""
        if not self.needs_reason:
            return ""
        chosen = self.ready.get(self["ready_reason"].data or "")
        parts = (chosen.in_language(lang) if chosen else "", self["reason"].data or "")
        return "\n".join(part for part in parts if part)

    def remarks(self) -> tuple[RemarkInput, ...]:
        """What was pinned, in the order of the form."""
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
        """The expiry granted to that request; None where none was asked for."""
        name = expiry_name(request_id)
        return self[name].data if name in self else None

    @property
    def granted_expiry_field(self) -> Any | None:
        """The field of the only request's expiry, if the step grants one."""
        return self._fields.get(EXPIRY)

    @property
    def grants_expiries(self) -> bool:
        """Whether expiry dates of several requests are asked for."""
        return any(field.name.startswith(f"{EXPIRY}-") for field in self)

    def place_fields(self, *, is_document: bool) -> list[tuple[Any, Any]]:
        """(mark, text) of the places of that kind, for the page."""
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
    """Make the form of a step, filled with what was posted.

    ready: reasons to choose from. places: where remarks can be pinned. reviewers: (id, name) when
    the step asks for one. expiries: the dates that it grants. lang: the page's language.
    """
    reasons = {str(each.id): each for each in ready}
    members: dict[str, Any] = {"places": places, "ready": reasons, "needs_reason": needs_reason}
    for place in places:
        members[_MARK + place.key] = CheckField(place.label)
        members[_TEXT + place.key] = TextAreaField(
            _l("Remark"), max_length=REMARK_MAX_LENGTH, render_kw={"rows": 2}
        )
    if needs_reason:
        members["ready_reason"] = ChoiceField(
            _l("Ready reason"),
            choices=[(key, each.in_language(lang)) for key, each in reasons.items()],
        )
        members["reason"] = TextAreaField(_l("Reason"), max_length=REASON_MAX_LENGTH)
    if reviewers is not None:
        members["reviewer_id"] = ChoiceField(
            _l("Reviewer"), [Required()], choices=[(str(key), name) for key, name in reviewers]
        )
    for each in expiries:
        members[each.name] = _expiry_field(each)
    made: StepForm = type("StepForm", (StepForm,), members)()
    return made


def _expiry_field(expiry: Expiry) -> Any:
    label: Any = _l("Granted expiry date")
    if expiry.request_id is not None:
        label = _l("Granted expiry date of %(number)s", number=expiry.number)
    checks = [Required(), ExpiryGrantable()]
    return IsoDateField(label, checks, name=expiry.name, default=expiry.proposed)
