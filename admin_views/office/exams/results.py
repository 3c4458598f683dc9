"""Final list and results of an exam sitting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import ngettext

from admin_views.base.access import current_actor, id_or_404, not_found
from admin_views.base.form_post import post_once, repeated
from clearance.auth import rate_limits
from clearance.core import audit, i18n
from clearance.core.clock import KUWAIT, utc_now
from clearance.core.database import reading
from clearance.core.errors import DomainError, Refusal
from clearance.core.request_kind import is_posted, is_redrawn
from clearance.exams import lists as exam_lists
from clearance.exams import results as exam_results
from clearance.exams import results_file, sittings
from clearance.exams.results import Result
from clearance.files.tables import BadTable
from clearance.models import Exam
from clearance.models.enums import SeatStatus
from clearance.web import csv_export, xlsx_export
from forms.exams import ResultsFileForm

GRID_ROWS = FAULTS_SHOWN = 100
PREFIX = "result-"


class ExamResults:
    """Mixin of the sittings view."""

    get_one: Callable[[Any], Exam]
    render: Callable[..., str]

    # The final list

    @expose("/<int:exam_id>/final-list")
    def final_list(self, exam_id: int) -> Any:
        """Show the confirmed candidates for printing; the access is audited."""
        audit.access("exam:final_list", object_type="exam", object_id=str(exam_id), result="ok")
        exam = self._final(exam_id)
        return self.render(
            "office/exams/final_list.html",
            exam=exam,
            candidates=exam_lists.final_list(exam.id),
        )

    @expose("/<int:exam_id>/final-list.csv")
    def final_list_csv(self, exam_id: int) -> Any:
        """Download the confirmed candidates."""
        exam = self._final(exam_id)
        _count_export(exam)
        header = [
            _("Request number"),
            _("Name in Arabic"),
            _("Name in English"),
            _("Civil number"),
            _("Broker type"),
            _("Organisation"),
            _("Mobile number"),
        ]
        return csv_export.csv_response(
            f"exam-{_day(exam)}-final-list.csv", header, _final_rows(exam.id, i18n.language())
        )

    @expose("/<int:exam_id>/results-sheet.csv")
    def results_sheet(self, exam_id: int) -> Any:
        """Download the results file with the results left empty, for programs."""
        exam = self._run_by_me(exam_id)
        _count_export(exam)
        return csv_export.csv_response(
            f"exam-{_day(exam)}-results.csv",
            list(results_file.LABELS),
            ((row.number, row.civil_id, "") for row in _without_result(exam)),
        )

    @expose("/<int:exam_id>/results-sheet.xlsx")
    def results_workbook(self, exam_id: int) -> Any:
        """Download the same for people: with the names, and the results to choose from."""
        exam = self._run_by_me(exam_id)
        _count_export(exam)
        number, civil_id, result = map(str, results_file.LABELS.values())
        lang = i18n.language()
        return xlsx_export.workbook_response(
            f"exam-{_day(exam)}-results.xlsx",
            [number, civil_id, _("Name"), result],
            (
                (row.number, row.civil_id, exam_lists.name_of(row, lang), "")
                for row in _without_result(exam)
            ),
            {result: [str(label) for label in exam_results.RESULT_LABELS.values()]},
        )

    # Results

    @expose("/<int:exam_id>/results", methods=("GET", "POST"))
    def results(self, exam_id: int) -> Any:
        """Show the results grid; POST asks for confirmation, then records the results."""
        exam = self._run_by_me(exam_id)
        refusal = exam_results.results_refusal(exam, utc_now())
        if refusal is not None:
            return repeated() or warned(exam, refusal)
        if not is_posted():
            return self._show_grid(exam, {})
        chosen = _chosen()
        if "back" in request.form or is_redrawn():
            return self._show_grid(exam, chosen)
        if not chosen:
            flash(_("Choose at least one result first."), "warning")
            return self._show_grid(exam, {})
        if "confirmed" in request.form:
            return self._record_results(exam, chosen)
        return self._confirm(exam, chosen, {})

    @expose("/<int:exam_id>/results/file", methods=("POST",))
    def results_file(self, exam_id: int) -> Any:
        """Read an uploaded results file and ask for confirmation."""
        form = ResultsFileForm()
        with reading():
            self._run_by_me(exam_id)
        lines, fault = _read(form)
        exam = self._run_by_me(exam_id)
        if isinstance(fault, exam_results.BadResults):
            return self._show_grid(exam, {}, form, fault), 400
        if fault is not None:
            form.results.errors = [str(fault)]
            return self._show_grid(exam, {}, form), fault.status_code
        try:
            chosen = results_file.match(exam.id, lines)
        except exam_results.BadResults as error:
            return self._show_grid(exam, {}, form, error), 400
        rows = dict(zip(chosen, (line.row for line in lines), strict=True))
        return self._confirm(exam, chosen, rows)

    def _confirm(self, exam: Exam, chosen: dict[int, Result], rows: dict[int, int]) -> Any:
        try:
            faults = exam_results.check(
                exam, chosen, actor=current_actor(), now=utc_now(), rows=rows
            )
            if faults:
                raise exam_results.BadResults(faults)
        except exam_results.BadResults as error:
            return self._show_grid(exam, chosen, None, error), error.status_code
        except DomainError as error:
            return self._refused(exam.id, error)
        candidates = exam_lists.candidates(exam.id, statuses=[SeatStatus.CONFIRMED])
        return self.render(
            "office/exams/results_confirm.html",
            exam=exam,
            chosen=[(row, chosen[row.id]) for row in candidates if row.id in chosen],
            totals=[
                (exam_results.RESULT_LABELS[result], list(chosen.values()).count(result), result)
                for result in Result
            ],
            **_words(),
        )

    def _record_results(self, exam: Exam, chosen: dict[int, Result]) -> Any:
        def refused(error: DomainError) -> Any:
            if not isinstance(error, exam_results.BadResults):
                return self._refused(exam.id, error)
            return self._show_grid(self.get_one(exam.id), chosen, None, error), error.status_code

        return post_once(
            lambda: exam_results.record(exam.id, chosen, actor=current_actor(), now=utc_now()),
            result=details_url(exam.id),
            told=lambda count: ngettext(
                "%(num)s result was recorded and the candidate notified.",
                "%(num)s results were recorded and the candidates notified.",
                count,
            ),
            refused=refused,
        )

    def _refused(self, exam_id: int, error: DomainError) -> Any:
        flash(str(error), "error")
        return redirect(details_url(exam_id), code=303)

    def _show_grid(
        self,
        exam: Exam,
        chosen: dict[int, Result],
        file_form: ResultsFileForm | None = None,
        error: exam_results.BadResults | None = None,
    ) -> Any:
        faults = error.faults if error else ()
        return self.render(
            "office/exams/results.html",
            exam=exam,
            candidates=exam_lists.candidates(
                exam.id, statuses=[SeatStatus.CONFIRMED], without_result=True, limit=GRID_ROWS
            ),
            counts=exam_lists.counts(exam.id),
            chosen=chosen,
            file_form=file_form or ResultsFileForm(formdata=None),
            alert=str(error) if error else "",
            faults=faults[:FAULTS_SHOWN],
            more_faults=max(len(faults) - FAULTS_SHOWN, 0),
            **_words(),
        )

    # Shared by the routes

    def _run_by_me(self, exam_id: int) -> Exam:
        exam = self.get_one(exam_id)
        return exam if sittings.can_run(current_actor()) else not_found()

    def _final(self, exam_id: int) -> Exam:
        exam = self.get_one(exam_id)
        return exam if sittings.is_final(exam, utc_now()) else not_found()


def _count_export(exam: Exam) -> None:
    """Rate-limit and audit the export; call it only for an existing sitting."""
    rate_limits.consume("export_account", f"user:{current_actor().id}")
    audit.access("export:csv", object_type="exam", object_id=str(exam.id), result="ok")


def _read(form: ResultsFileForm) -> tuple[list[results_file.Line], DomainError | None]:
    """Return the posted file's lines, and its fault or None; call it before any query."""
    posted = form.results.data
    if posted is None or isinstance(posted, str) or not posted.filename:
        return [], BadTable(_("Choose a file first."))
    account = f"user:{current_actor().id}"
    rate_limits.consume("upload_account", account)
    data = posted.stream.read(results_file.LIMIT_BYTES + 1)
    try:
        return results_file.read_file(data, account), None
    except DomainError as error:
        return [], error


def _without_result(exam: Exam) -> list[Any]:
    confirmed = [SeatStatus.CONFIRMED]
    return exam_lists.candidates(exam.id, statuses=confirmed, without_result=True)


def _chosen() -> dict[int, Result]:
    """Map seat ids to posted results, skipping empty ones; unknown ones abort with 400."""
    chosen = {}
    for name, value in request.form.items():
        if not name.startswith(PREFIX) or not value:
            continue
        if value not in list(Result):
            abort(400)
        chosen[id_or_404(name.removeprefix(PREFIX))] = Result(value)
    return chosen


def _words() -> dict[str, Any]:
    return {
        "result_labels": exam_results.RESULT_LABELS,
        "field_prefix": PREFIX,
    }


def _final_rows(exam_id: int, lang: str) -> Iterator[list[Any]]:
    for row in exam_lists.final_list(exam_id):
        yield [
            row.number,
            exam_lists.name_of(row, "ar"),
            exam_lists.name_of(row, "en"),
            row.civil_id,
            getattr(row, f"broker_type_{lang}"),
            getattr(row, f"organisation_{lang}"),
            row.mobile,
        ]


def _day(exam: Exam) -> str:
    return exam.held_at.astimezone(KUWAIT).strftime("%Y-%m-%d")


def warned(exam: Exam, refusal: Refusal) -> Any:
    """Return to a sitting, with the reason why a step on it is impossible."""
    flash(f"{refusal.text} {refusal.change}".strip(), "warning")
    return redirect(details_url(exam.id), code=303)


def details_url(exam_id: int, **args: Any) -> str:
    """Return the URL of a sitting."""
    return url_for("office_exams.details_view", id=exam_id, **args)
