"""Form of bringing a service's draft up to date with the version in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from markupsafe import Markup
from wtforms import RadioField

from clearance.core import values
from clearance.services.updating import Question
from forms.base import BaseForm

DRAFT, IN_USE = "draft", "in_use"
COUNTS = "counts_"
"""Begins the name of each question, before its place."""


class UpdateForm(BaseForm):
    """Which side counts where the draft and the version in use changed the same."""


def update_form(questions: Sequence[Question], number: int, *, is_bound: bool) -> UpdateForm:
    """Return the form that asks them. number: of the version in use. is_bound: as posted."""
    fields = {
        f"{COUNTS}{place}": RadioField(
            question.title,
            choices=[
                (DRAFT, _said(_("In the draft"), question.draft)),
                (IN_USE, _said(_("Version %(number)s", number=number), question.in_use)),
            ],
            default=DRAFT,
            validate_choice=False,
        )
        for place, question in enumerate(questions)
    }
    form_class = type("UpdateForm", (UpdateForm,), fields)
    form: UpdateForm = form_class() if is_bound else form_class(None)
    return form


def counts_in_use(posted: Mapping[str, str]) -> set[int]:
    """Return the places of the questions that were answered with the version in use."""
    chosen = (name.removeprefix(COUNTS) for name, value in posted.items() if value == IN_USE)
    return set(values.whole_numbers(chosen))


def _said(where: str, value: str) -> Markup:
    return Markup("{}: <bdi>{}</bdi>").format(where, value)
