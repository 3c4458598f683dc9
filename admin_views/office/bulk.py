"""Steps on many rows chosen in a list; every row succeeds or fails on its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import abort, redirect, request
from flask_babel import gettext as _

from clearance.core import idempotency, values
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import DomainError, Refusal
from clearance.core.extensions import db
from clearance.core.request_kind import is_posted

COMMIT_EVERY = 50
MOST_AT_ONCE = 500


@dataclass(frozen=True)
class SelectedRow:
    """A chosen row. version: as shown on the page."""

    id: int
    version: int

    def __str__(self) -> str:
        return f"{self.id}-{self.version}"

    @classmethod
    def read(cls, typed: str) -> SelectedRow:
        """Parse a posted row; malformed ones abort with 400."""
        row_id, version = map(values.whole_number, typed.partition("-")[::2])
        if row_id is None or version is None:
            abort(400)
        return cls(row_id, version)


@dataclass(frozen=True)
class Row:
    """A chosen row on the asking page.

    of: what the page shows of it. refusal: why the step is impossible now. cautions: shown beside
    it. fields: the inputs of this row alone. final: what the step causes for good; such rows stand
    first, apart from the others.
    """

    chosen: SelectedRow
    of: Any
    refusal: Refusal | None
    cautions: Sequence[Refusal] = ()
    fields: Sequence[Any] = ()
    final: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """Result of one row. why: the refusal in the reader's language, or "" if done."""

    id: int
    why: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the step was taken."""
        return not self.why

    def __str__(self) -> str:
        return f"{self.id}|{self.why}"

    @classmethod
    def read(cls, typed: str) -> Outcome:
        """Parse an outcome that the results page posts back to switch its language."""
        key, _bar, why = typed.partition("|")
        number = values.whole_number(key)
        return cls(number, why[:500]) if number is not None else abort(400)


class BulkSteps:
    """Mixin of a list whose actions lead to the page that asks before the step.

    bulk_labels: the steps by name. step_argument: of the route `do` of one step.
    """

    bulk_labels: ClassVar[Mapping[str, Any]]
    step_argument: ClassVar[str]
    model: Any
    get_url: Callable[..., str]
    ids_in_scope: Callable[[Sequence[str]], list[int]]
    render: Callable[..., str]
    return_url: Callable[[], str]

    def init_actions(self) -> None:
        """Replace Flask-Admin's actions with the steps."""
        self._actions = [(str(name), label) for name, label in self.bulk_labels.items()]
        self._actions_data = {
            name: (partial(self._ask_for_many, name), label, None) for name, label in self._actions
        }

    def _ask_for_many(self, name: str, ids: Sequence[int]) -> Any:
        place = {self.step_argument: name, "id": ids, "url": self.return_url()}
        return redirect(self.get_url(".do", **place), code=303)

    def chosen_rows(self) -> list[SelectedRow]:
        """Return the chosen rows within the reader's scope, with the versions shown."""
        if is_posted():
            typed = [SelectedRow.read(text) for text in request.form.getlist("row")[:MOST_AT_ONCE]]
            visible = set(self.ids_in_scope([str(selected.id) for selected in typed]))
            return [selected for selected in typed if selected.id in visible]
        ids = self.ids_in_scope(request.args.getlist("id")[:MOST_AT_ONCE])
        found = sa.select(self.model.id, self.model.version).where(self.model.id.in_(ids))
        versions: dict[int, int] = dict(db.session.execute(found).all())
        return [SelectedRow(row_id, versions[row_id]) for row_id in ids]

    def show_results(
        self, template: str, outcomes: Sequence[Outcome] | None, read: Callable[[list[int]], Any]
    ) -> Any:
        """Show what became of each row; without outcomes go back to the list.

        template: one that extends `office/results.html`. read: the rows with these ids, by id.
        """
        if outcomes is None:
            return redirect(self.return_url(), code=303)
        visible = self.ids_in_scope([str(outcome.id) for outcome in outcomes])
        shown = [outcome for outcome in outcomes if outcome.id in visible]
        done = sum(outcome.is_done for outcome in shown)
        return self.render(
            template,
            outcomes=shown,
            rows=read(visible),
            done=done,
            left=len(shown) - done,
            back_url=self.return_url(),
        )


def posted_outcomes() -> list[Outcome]:
    """Return the outcomes that the results page posts back to switch its language."""
    return [Outcome.read(text) for text in request.form.getlist("outcome")[:MOST_AT_ONCE]]


def take_on_each(
    chosen: Sequence[SelectedRow],
    take: Callable[[SelectedRow], object],
    *,
    step: str,
    actor: Actor,
    key: str,
    lock: Callable[[Sequence[int]], object] | None = None,
) -> list[Outcome] | None:
    """Take a step on the chosen rows; return the outcomes in the given order. Commits.

    Rows are taken in the order of their ids, and 50 at a time are committed, so that concurrent
    steps cannot deadlock (security rule 56).

    take: takes the step on one row, in a savepoint; raises DomainError. key: the form's one-time
    key; if already used, None is returned. lock: locks the rows that are committed together.
    """
    if idempotency.claim(key, idempotency.owner_of(actor), step, utc_now()) is not None:
        db.session.rollback()
        return None
    outcomes: dict[SelectedRow, Outcome] = {}
    rows = sorted(set(chosen), key=lambda selected: selected.id)
    for first in range(0, len(rows), COMMIT_EVERY):
        batch = rows[first : first + COMMIT_EVERY]
        if lock is not None:
            lock([selected.id for selected in batch])
        for selected in batch:
            outcomes[selected] = Outcome(selected.id, _refusal_of(take, selected))
        db.session.commit()
    return [outcomes[selected] for selected in dict.fromkeys(chosen)]


def _refusal_of(take: Callable[[SelectedRow], object], selected: SelectedRow) -> str:
    try:
        take(selected)
    except DomainError as refusal:
        return str(refusal) or _("This was not possible.")
    return ""
