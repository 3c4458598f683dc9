"""Exam sittings: list, form, details and announcement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Flask, flash, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from admin_views.base import formatters, navigation
from admin_views.base.access import EveryRow, current_actor, id_or_404, not_found, require
from admin_views.base.columns import Column
from admin_views.base.export import for_managers
from admin_views.base.filters import ListFilter
from admin_views.base.form_post import post_once, repeated
from admin_views.base.keyset_list import KeysetModelView
from admin_views.office.exams.results import ExamResults, details_url, warned
from admin_views.office.exams.search import ExamSearch
from clearance.core import audit, i18n, urls, values
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.request_kind import is_posted, is_sent
from clearance.exams import lists as exam_lists
from clearance.exams import seating as exam_seating
from clearance.exams import sittings
from clearance.models import Exam, ExamSeat
from clearance.models.enums import SeatStatus
from forms.exams import SittingForm

FORM_ID = "sitting"
CANDIDATES_ON_A_PAGE = 100
SHOWN_WAITING = 10


def add_views(app: Flask) -> None:
    """Add the exams to the office."""
    view = OfficeExams(Exam, name=_l("Exams"), endpoint="office_exams", url="/office/exams")
    navigation.add_view("office", view, "award", after="office_requests", page="index_view")


def _when(value: str) -> sa.ColumnElement[bool]:
    return Exam.held_at > utc_now() if value == "upcoming" else Exam.held_at <= utc_now()


def _phase(row: Any) -> Any:
    return formatters.state_badge(sittings.phase(row, utc_now(), unresolved=row.unresolved))


def _seats(*conditions: Any) -> Any:
    confirmed = ExamSeat.status == SeatStatus.CONFIRMED
    return exam_lists.seats_in(Exam.id, confirmed, *conditions)


class OfficeExams(ExamResults, EveryRow, ExamSearch, KeysetModelView):
    """Sittings; reviewers run them, managers read."""

    can_view_details = exports_as_shown = True
    can_export = for_managers
    columns = (
        Column("held_at", _l("Exam"), formatters.format_instant, order=True, width="moment"),
        Column("place", _l("Venue"), value=lambda row: i18n.in_language(row, "place")),
        Column("confirm_by", _l("Confirm by"), formatters.day, width="date"),
        Column("seats", _l("Seats"), width="count"),
        Column("seats_taken", _l("Taken"), width="count"),
        Column("confirmed", _l("Confirmed"), sql=_seats(), width="count"),
        Column("phase", _l("Status"), cell=_phase, width="until"),
    )
    column_filters = (
        ListFilter("when", _l("When"), _when, [("upcoming", _l("Upcoming")), ("past", _l("Past"))]),
    )
    default_order = ("held_at", True)
    search_hint = _l("Venue or date")
    list_template = "office/exams/list.html"
    empty_title = _l("No exams yet")
    empty_text = _l("Create the first exam: its date, time, venue, seats and last day to confirm.")

    def accessible_to(self, actor: Actor) -> bool:
        return sittings.can_read(actor)

    def also_selected(self) -> Sequence[Any]:
        unresolved = _seats(ExamSeat.result.is_(None)).label("unresolved")
        return Exam.place_ar, Exam.place_en, Exam.announced_at, unresolved

    def render(self, template: str, **kwargs: Any) -> str:
        shared = {
            "can_run": sittings.can_run(current_actor()),
            "url_of_request": urls.office_request_url,
            "name_of": lambda row: exam_lists.name_of(row, i18n.language()),
        }
        return super().render(template, **(shared | kwargs))

    # Creating and editing

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        """Create a sitting."""
        require(sittings.can_run(current_actor()))
        form = SittingForm()
        if not self._is_good(form):
            return self._show_form(form, None)

        def refused(fault: sittings.BadPlan) -> Any:
            form.add_faults(fault.faults)
            return self._show_form(form, None), fault.status_code

        return post_once(
            lambda: sittings.make(form.plan(), actor=current_actor(), now=utc_now()),
            result=lambda exam: details_url(exam.id),
            told=_("The exam was saved. Announce it when the candidates are ready."),
            refused=refused,
            of=sittings.BadPlan,
            acts_first=True,
        )

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        """Edit a sitting."""
        exam = self.get_one(request.args.get("id"))
        require(sittings.can_run(current_actor()))
        refusal = sittings.change_refusal(exam, utc_now())
        if refusal is not None:
            return repeated() or warned(exam, refusal)
        form = SittingForm()
        if not is_posted():
            form.show(exam)
        return self._change(exam, form) if self._is_good(form) else self._show_form(form, exam)

    def _change(self, exam: Exam, form: SittingForm) -> Any:
        version = values.whole_number(str(form.version.data)) or 0
        before = sittings.plan_of(exam)

        def refused(fault: Any) -> Any:
            alert, stored = "", None
            if isinstance(fault, sittings.BadPlan):
                form.add_faults(fault.faults)
            else:
                alert, stored = str(fault), _differences(fault.stored, form.plan())
                form.version.data = fault.version
                form.version.raw_data = None
            return self._show_form(form, self.get_one(exam_id), alert, stored), fault.status_code

        def told(changed: Exam) -> str:
            flash(_("The exam was saved."), "success")
            if changed.seats_taken and sittings.is_new_appointment(before, form.plan()):
                flash(_("The candidates with a seat were notified."), "info")
            return ""

        exam_id = exam.id
        return post_once(
            lambda: sittings.change(
                exam_id, form.plan(), version=version, actor=current_actor(), now=utc_now()
            ),
            result=details_url(exam_id),
            told=told,
            refused=refused,
            of=(sittings.BadPlan, sittings.StalePlan),
        )

    def _is_good(self, form: SittingForm) -> bool:
        return is_sent() and bool(form.validate())

    def _show_form(
        self,
        form: SittingForm,
        exam: Exam | None,
        alert: str = "",
        stored: list[tuple[Any, str, str]] | None = None,
    ) -> Any:
        return self.render(
            "office/exams/form.html",
            form=form,
            exam=exam,
            alert=alert,
            stored=stored or [],
            form_id=FORM_ID,
            back_url=details_url(exam.id) if exam else url_for(".index_view"),
        )

    # Details

    @expose("/details/")
    def details_view(self) -> Any:
        """Show a sitting, the possible steps and its candidates; the access is audited."""
        now = utc_now()
        exam_id = id_or_404(request.args.get("id"))
        audit.access("exam:read", object_type="exam", object_id=str(exam_id), result="ok")
        exam = self.get_one(exam_id)
        counts = exam_lists.counts(exam.id)
        total = counts.offered + counts.confirmed + counts.released
        page = id_or_404(request.args.get("page", "1"))
        offset = (page - 1) * CANDIDATES_ON_A_PAGE
        if offset and offset >= total:
            not_found()
        phase = sittings.phase(exam, now, unresolved=counts.unresolved)
        return self.render(
            "office/exams/details.html",
            exam=exam,
            counts=counts,
            phase=phase,
            candidates=exam_lists.candidates(exam.id, limit=CANDIDATES_ON_A_PAGE, offset=offset),
            page=page,
            pages=-(-total // CANDIDATES_ON_A_PAGE),
            page_url=lambda number: details_url(exam.id, page=number + 1),
            waiting=exam_seating.waiting_count(exam) if now < exam.held_at else 0,
            **self._what_now(exam, now),
        )

    def _what_now(self, exam: Exam, now: datetime) -> dict[str, Any]:
        return {
            "is_final": sittings.is_final(exam, now),
            "is_held": now >= exam.held_at,
            "announce_refusal": exam_seating.announce_refusal(exam, now),
            "change_refusal": sittings.change_refusal(exam, now),
        }

    # Announcing

    @expose("/<int:exam_id>/do/announce", methods=("GET", "POST"))
    def announce(self, exam_id: int) -> Any:
        """Show who would get a seat; POST announces the sitting or fills its freed seats."""
        exam = self.get_one(exam_id)
        require(sittings.can_run(current_actor()))
        refusal = exam_seating.announce_refusal(exam, utc_now())
        if refusal is not None:
            return repeated() or warned(exam, refusal)
        if is_posted():
            return self._announce(exam)
        free = exam.seats - exam.seats_taken
        waiting = exam_seating.waiting_count(exam)
        return self.render(
            "office/exams/announce.html",
            exam=exam,
            free=free,
            waiting=waiting,
            seated=min(free, waiting),
            first=exam_seating.first_waiting(exam, min(free, SHOWN_WAITING)),
        )

    def _announce(self, exam: Exam) -> Any:
        exam_id = exam.id

        def told(seating: exam_seating.Seating) -> str:
            announced = ngettext(
                "Announced. %(num)s candidate was offered a seat and notified.",
                "Announced. %(num)s candidates were offered a seat and notified.",
                seating.seated,
            )
            flash(announced, "success")
            for number, why in seating.left_out:
                skipped = _("Request %(number)s was skipped: %(why)s", number=number, why=why)
                flash(skipped, "warning")
            return ""

        return post_once(
            lambda: exam_seating.announce(exam_id, actor=current_actor(), now=utc_now()),
            result=details_url(exam_id),
            told=told,
            refused=lambda error: self._refused(exam_id, error),
        )


_SHOWN: dict[str, Any] = {
    "held_at": _l("Day and time of the exam"),
    "place_ar": _l("Venue in Arabic"),
    "place_en": _l("Venue in English"),
    "seats": _l("Number of seats"),
    "confirm_by": _l("Last day to confirm attendance"),
}


def _differences(stored: sittings.Plan, typed: sittings.Plan) -> list[tuple[Any, str, str]]:
    """Return (label, saved value, typed value) of the fields that differ."""
    kept, new = asdict(stored), asdict(typed)
    return [
        (label, _written(kept[name]), _written(new[name]))
        for name, label in _SHOWN.items()
        if kept[name] != new[name]
    ]


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return i18n.format_instant(value)
    return i18n.format_day(value) if hasattr(value, "strftime") else str(value)
