"""Bringing a draft up to date when another version was published since it was begun."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from clearance.core.actor import Actor
from clearance.core.values import isolate
from clearance.services import comparison, drafting, merging, property_words, reading
from clearance.services.comparison import Change, Sort
from clearance.services.drafting import Document, Source, StaleDraft
from clearance.services.merging import Merged, Path


@dataclass(frozen=True)
class Question:
    """What the draft and the version in use changed differently, in words."""

    title: str
    draft: str
    in_use: str


@dataclass(frozen=True)
class Outlook:
    """What bringing a draft up to date does.

    begun_from: number of its version, None for a new service. questions: in the order of the
    conflicts. taken_over: what changes in the draft if it counts wherever a question is asked.
    """

    begun_from: int | None
    questions: list[Question]
    taken_over: list[Change]


def outlook(found: Source) -> Outlook:
    """Return what bringing an overtaken draft up to date does, in the page's language."""
    begun = drafting.begun_from(found.draft) if found.draft is not None else None
    merged = _merged(found)
    draft, of_draft = (reading.read(each, found.code) for each in (found.document, merged.document))
    names, questions = comparison.Names(), []
    for path in merged.conflicts:
        of_version = reading.read(_merged(found, [path]).document, found.code)
        questions.append(_question(path, comparison.differences(of_version, of_draft, names)))
    number = begun.number if begun is not None else None
    return Outlook(number, questions, comparison.differences(draft, of_draft, names))


def bring_up_to_date(
    code: str, seen: int, onto: int, in_use: Collection[int], actor: Actor, now: datetime
) -> None:
    """Merge the version in use into the draft, which is based on it from now on.

    seen: the version of the draft that the actor saw; onto: the number of the version in use then.
    in_use: places of the questions for which the version in use counts. Flushes and audits. Raises:
    NotFound, StaleDraft.
    """

    def apply(document: Document) -> None:
        found = drafting.source(code)
        if not found.is_overtaken or found.base is None or found.base.number != onto:
            raise StaleDraft
        conflicts = _merged(found).conflicts
        taken = [path for place, path in enumerate(conflicts) if place in in_use]
        merged = _merged(found, taken).document
        document.clear()
        document.update(merged)

    drafting.change(code, apply, seen, actor, now, onto=onto, verb="updated")


def _merged(found: Source, taken: Collection[Path] = ()) -> Merged:
    """Merge the draft and the version in use, which counts for the conflicts in `taken`."""
    begun = drafting.begun_from(found.draft) if found.draft is not None else None
    base, in_use = (
        reading.lift(row.definition) if row is not None else {} for row in (begun, found.base)
    )
    return merging.merge(base, found.document, in_use, taken)


def _question(path: Path, changes: Sequence[Change]) -> Question:
    """Return a conflict in words. changes: from the version in use to the draft, by it alone."""
    places = {change.place for change in changes}
    title = str(property_words.PROPERTIES.get(path[0], path[0]))
    if not changes:
        unread = str(_("It cannot be read. See the check-up."))
        return Question(f"{title} ({'.'.join(path)})", unread, unread)
    if len(places) == 1:
        title = changes[0].place
    if len(changes) == 1 and changes[0].property:
        title = f"{title}: {changes[0].property}"
    draft, in_use = (
        str(_("; ")).join(
            _said(change, is_draft=is_draft, is_alone=len(changes) == 1, around=title)
            for change in changes
        )
        for is_draft in (True, False)
    )
    return Question(title, draft, in_use)


def _said(change: Change, *, is_draft: bool, is_alone: bool, around: str) -> str:
    """Return what one side says; of several changes with what each is about."""
    text = change.after if is_draft else change.before
    if change.sort == (Sort.REMOVED if is_draft else Sort.ADDED):
        text = str(_("Not included"))
    elif not text:
        is_part = change.sort in (Sort.ADDED, Sort.REMOVED)
        text = str(_("Included") if is_part else _("Empty"))
    if is_alone:
        return text
    about = [change.place] if change.place != around else []
    about += [change.property] if change.property else []
    return f"{str(_(', ')).join(about)}: {isolate(text)}" if about else isolate(text)
