"""The dashboard's figures as tables, for the page and its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from admin_views.office.audit import views as audit_views
from admin_views.office.dashboard import links, names
from admin_views.office.requests import queues
from admin_views.office.requests.queues import Queue
from clearance.figures import standing
from clearance.figures.ages import AGES
from clearance.figures.measures import Dimension, Measure
from clearance.figures.periods import Period
from clearance.figures.reading import NOTHING, Figures, Sums
from clearance.models.enums import Channel, Status
from clearance.services import registry
from clearance.services.flows import Action


@dataclass(frozen=True)
class Cell:
    """A number, None if there is none. url: of the list with exactly what it counts.

    is_derived: it is no count; the list has what it was made of.
    """

    number: int | None
    url: str | None = None
    is_percentage: bool = False
    is_derived: bool = False


@dataclass(frozen=True)
class Row:
    """A line of a table. url: of a page about what it names."""

    name: str
    cells: Sequence[Cell]
    url: str | None = None


@dataclass(frozen=True)
class Table:
    """Figures of one kind. key: for addresses and files. heads: of the name and of the cells."""

    key: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Row]

    @property
    def has_numbers(self) -> bool:
        """Whether anything was counted."""
        return any(cell.number for row in self.rows for cell in row.cells)


def over_time(figures: Figures) -> Table:
    """Return the totals of the periods up to the chosen one."""
    rows = [
        Row(
            period.label,
            [
                Cell(sums.all(Measure.RECEIVED), links.received(period, **figures.narrowing)),
                Cell(sums.all(Measure.DECIDED), links.decided(period, **figures.narrowing)),
                Cell(sums.all(Measure.CLOSED)),
                Cell(sums.all(Measure.RETURNED), returned_url(figures, period)),
                *_speed(sums, links.decided(period, **figures.narrowing)),
            ],
            page_url(period, figures.service),
        )
        for period, sums in figures.over_time.items()
    ]
    heads = [
        *(figures.period.span.label, _("Received"), _("Decided"), _("Closed without a decision")),
        *(_("Returned"), *_speed_heads()),
    ]
    return Table(
        "over_time", _("Compared with earlier periods"), [str(head) for head in heads], rows
    )


def services(figures: Figures) -> Table:
    """Return the figures by service, each with the address of its own page of figures."""

    def cells(key: str, sums: Sums, present: Sums) -> list[Cell]:
        period, by_status = figures.period, sums.by(Measure.DECIDED)
        return [
            Cell(sums.all(Measure.RECEIVED), links.received(period, service=key)),
            Cell(sums.all(Measure.DECIDED), links.decided(period, service=key)),
            *(
                Cell(by_status.get(status, 0), links.ended(period, status, service=key))
                for status in (Status.APPROVED, Status.REJECTED)
            ),
            Cell(sums.all(Measure.RETURNED)),
            Cell(present.all(Measure.OPEN), links.listed(status="open", service=key)),
            *_speed(sums, links.decided(period, service=key)),
        ]

    heads = [_("Service"), _("Received"), _("Decided"), _("Approved"), _("Rejected")]
    heads += [_("Returned"), _("Open now"), *_speed_heads()]
    named = names.services(_keys(figures, Dimension.SERVICE))
    found = _by(figures, Dimension.SERVICE, _("By service"), heads, named, cells)
    rows = [
        replace(row, url=page_url(figures.period, code))
        for row, (code, _name) in zip(found.rows, named, strict=True)
    ]
    return replace(found, rows=rows)


def reviewers(figures: Figures) -> Table:
    """Return the figures by reviewer. Only those whom the list's filter offers have links."""
    people = names.reviewers(_keys(figures, Dimension.REVIEWER))
    present_of = figures.present.get(Dimension.REVIEWER, {})
    listed = {
        key
        for key, _name, reviews in people
        if reviews or present_of.get(key, NOTHING).all(Measure.WAITING)
    }

    def cells(key: str, sums: Sums, present: Sums) -> list[Cell]:
        of_one = {"status": "open", "reviewer": key, **figures.narrowing}
        decided = None
        if key in listed:
            decided = links.decided(figures.period, reviewer=key, **figures.narrowing)
        return [
            Cell(sums.all(Measure.DECIDED), decided),
            Cell(sums.all(Measure.PASSED_ON)),
            Cell(sums.all(Measure.RETURNED)),
            Cell(present.all(Measure.OPEN), links.listed(**of_one) if key in listed else None),
            *_speed(sums, decided),
        ]

    heads = [_("Reviewer"), _("Decided"), _("Passed to the next stage"), _("Returned")]
    heads += [_("Open now"), *_speed_heads()]
    named = [(key, name) for key, name, _reviews in people]
    return _by(figures, Dimension.REVIEWER, _("By reviewer"), heads, named, cells)


def stages(figures: Figures) -> Table:
    """Return the figures by stage."""
    named = names.stages(_keys(figures, Dimension.STAGE), figures.service)
    return _on_the_way(figures, Dimension.STAGE, (_("By stage"), _("Stage")), named)


def teams(figures: Figures) -> Table:
    """Return the figures by team, where there are several."""
    named = names.team_names(_keys(figures, Dimension.TEAM))
    return _on_the_way(figures, Dimension.TEAM, (_("By team"), _("Team")), named)


def outcomes(figures: Figures) -> Table:
    """Return how requests ended."""
    total = figures.total
    ended = {**total.by(Measure.DECIDED), **total.by(Measure.CLOSED)}
    known = [status for status in registry.current().statuses if status in ended]
    gone = sorted(set(ended) - set(known))
    rows = [_outcome(figures, status, ended[status]) for status in [*known, *gone]]
    return Table("outcomes", _("How requests ended"), [_("Status"), _("Requests")], rows)


def exam_results(figures: Figures, statuses: Iterable[str]) -> Table:
    """Return the results of exams. statuses: those of a pass, a failure and an absence."""
    by_status = figures.total.by(Measure.DECIDED)
    rows = [_outcome(figures, status, by_status.get(status, 0)) for status in statuses]
    return Table("exam_results", _("Exam results"), [_("Result"), _("Requests")], rows)


def reasons(figures: Figures) -> list[Table]:
    """Return the reasons of returns and of rejections, the most frequent first."""
    titles = {
        Measure.RETURNED_FOR: (_("Reasons for returning"), Action.RETURN),
        Measure.REJECTED_FOR: (_("Reasons for rejecting"), Action.REJECT),
    }
    counted = {measure: figures.total.by(measure) for measure in titles}
    listed = dict(audit_views.reason_choices())
    named = names.reasons({key for numbers in counted.values() for key in numbers})
    found = []
    for measure, numbers in counted.items():
        ordered = sorted(numbers, key=lambda key: (-numbers[key], named[key]))
        title, action = titles[measure]
        urls = {
            key: links.reasoned(figures.period, action, key)
            for key in ordered
            if f"{action}.{key}" in listed and not figures.service
        }
        rows = [Row(named[key], [Cell(numbers[key], urls.get(key))]) for key in ordered]
        found.append(Table(measure, title, [_("Reason"), _("Times")], rows))
    return found


def present(figures: Figures) -> Table:
    """Return what is open now."""
    now = figures.now
    shown: list[tuple[Any, Measure, dict[str, str]]] = [
        (_("Open requests"), Measure.OPEN, {"status": "open"}),
        (Queue.OFFICE.label, Measure.WAITING, {"queue": Queue.OFFICE}),
        (Queue.LATE.label, Measure.LATE, {"queue": Queue.LATE}),
        (Queue.WAITING.label, Measure.APPLICANT, {"queue": Queue.WAITING}),
    ]
    rows = [
        Row(str(label), [Cell(now.all(measure), links.listed(**chosen, **figures.narrowing))])
        for label, measure, chosen in shown
    ]
    if not figures.service:
        number = Cell(now.all(Measure.UNDELIVERED), links.undelivered())
        rows.append(Row(_("Undelivered messages"), [number]))
    return Table("present", _("Now"), [_("Figure"), _("Number")], rows)


def ages(figures: Figures) -> Table:
    """Return what waits for the office by the days since it was sent."""
    waiting, chosen = figures.now.by(Measure.WAITING), {"queue": Queue.OFFICE, **figures.narrowing}
    rows = [
        Row(str(label), [Cell(waiting.get(key, 0), links.listed(**chosen, age=key))])
        for key, (label, *_days) in AGES.items()
    ]
    return Table("ages", _("Waiting for the office"), [_("Sent"), _("Requests")], rows)


def expiring(figures: Figures) -> Table:
    """Return the licences that expire by month, from the month of the figures on."""
    counted = figures.now.by(Measure.EXPIRING)
    months = standing.expiring_months(figures.day) if figures.day is not None else []
    rows = [
        Row(month.label, [Cell(counted.get(f"{month.start:%Y-%m}", 0), links.expiring(month))])
        for month in months
    ]
    return Table("expiring", _("Licences that expire"), [_("Month"), _("Licences")], rows)


def undelivered(figures: Figures) -> Table:
    """Return the undelivered messages by channel."""
    counted = figures.now.by(Measure.UNDELIVERED)
    rows = [
        Row(str(label), [Cell(counted.get(code, 0), links.undelivered(channel=code))])
        for code, label in Channel.choices()
    ]
    return Table("undelivered", _("Undelivered messages"), [_("Channel"), _("Messages")], rows)


def page_url(period: Period, service: str = "") -> str:
    """Return the address of the dashboard of a period, over all services or of one."""
    return url_for("office_dashboard.index", **query(period, service))


def query(period: Period, service: str = "") -> dict[str, Any]:
    """Return what the address of the dashboard says of a period and a service."""
    chosen = {"service": service} if service else {}
    return {"period": str(period.span), "at": period.start.isoformat(), **chosen}


def returned_url(figures: Figures, period: Period) -> str | None:
    """Return the address of the returns in the audit trail, which knows no services."""
    return None if figures.service else links.returned(period)


def _keys(figures: Figures, dimension: Dimension) -> set[str]:
    """Return the members of a dimension that were counted in the period or exist now."""
    return {*figures.about.get(dimension, {}), *figures.present.get(dimension, {})}


def _by(
    figures: Figures,
    dimension: Dimension,
    title: str,
    heads: Sequence[str],
    named: Iterable[tuple[str, str]],
    cells: Callable[[str, Sums, Sums], list[Cell]],
) -> Table:
    """Return a table with a row for each key in `named`. cells: from key, period and present."""
    about, now = figures.about.get(dimension, {}), figures.present.get(dimension, {})
    rows = [
        Row(name, cells(key, about.get(key, NOTHING), now.get(key, NOTHING))) for key, name in named
    ]
    return Table(dimension, title, heads, rows)


def _on_the_way(
    figures: Figures,
    dimension: Dimension,
    words: tuple[str, str],
    named: Iterable[tuple[str, str]],
) -> Table:
    """Return the figures of stages or teams, whose times are those in the stage.

    words: the title, and the heading of the names. Stages and teams that are gone have no links.
    """
    filtered = links.FILTERS[dimension]
    is_stage = dimension == Dimension.STAGE
    decided_ones = dict(queues.decided_stages() if is_stage else queues.team_choices())
    waiting_ones = dict(queues.stage_choices() if is_stage else queues.team_choices())

    def cells(key: str, sums: Sums, present: Sums) -> list[Cell]:
        decided = links.decided_in(figures.period, dimension, key) if key in decided_ones else None
        waits = {
            queue: links.listed(queue=queue, **{filtered: key}) if key in waiting_ones else None
            for queue in (Queue.OFFICE, Queue.LATE)
        }
        return [
            Cell(sums.all(Measure.DECIDED), decided),
            Cell(sums.all(Measure.PASSED_ON)),
            Cell(sums.all(Measure.RETURNED)),
            Cell(present.all(Measure.WAITING), waits[Queue.OFFICE]),
            Cell(present.all(Measure.LATE), waits[Queue.LATE]),
            *_speed(sums),
        ]

    title, head = words
    heads = [head, _("Decided"), _("Passed to the next stage"), _("Returned")]
    heads += [_("Waiting now"), _("Overdue now"), *_speed_heads()]
    return _by(figures, dimension, title, heads, named, cells)


def _outcome(figures: Figures, status: str, number: int) -> Row:
    label = str(registry.current().status_label(status))
    url = links.ended(figures.period, status, **figures.narrowing)
    return Row(label, [Cell(number, url)])


def _speed_heads() -> list[str]:
    return [_("In time"), _("Median working days"), _("Working days for 9 in 10")]


def _speed(sums: Sums, decided: str | None = None) -> list[Cell]:
    """Return the share in time and the working days. decided: URL of what they were made of."""
    share = Cell(sums.share_in_time, decided, is_percentage=True, is_derived=True)
    days = (Cell(number, decided, is_derived=True) for number in (sums.median, sums.ninetieth))
    return [share, *days]
