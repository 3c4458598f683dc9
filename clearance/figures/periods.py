"""Periods that figures are summed up by: Kuwait days, weeks from Sunday, months and years."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from clearance.core.i18n import format_day
from clearance.models.enums import Labelled

_ONE_DAY = timedelta(days=1)
_SUNDAY = 6


class Span(Labelled):
    """Lengths of periods. NOW: what there is now, kept under the day of counting."""

    DAY = "day", _l("Day")
    WEEK = "week", _l("Week")
    MONTH = "month", _l("Month")
    YEAR = "year", _l("Year")
    NOW = "now", _l("Now")


SUMMED_FROM = {Span.WEEK: Span.DAY, Span.MONTH: Span.DAY, Span.YEAR: Span.MONTH}
"""Which shorter periods the longer ones add up."""
CHOICES = (Span.DAY, Span.WEEK, Span.MONTH, Span.YEAR)
TREND = {Span.DAY: 14, Span.WEEK: 13, Span.MONTH: 12, Span.YEAR: 5}
"""How many periods a chart over time shows."""


@dataclass(frozen=True, order=True)
class Period:
    """A day, week, month or year, by its first Kuwait day."""

    start: date
    span: Span

    @classmethod
    def of(cls, span: Span, day: date) -> Period:
        """Return the period of that length that `day` is in."""
        if span == Span.WEEK:
            day -= timedelta(days=(day.weekday() - _SUNDAY) % 7)
        elif span == Span.MONTH:
            day = day.replace(day=1)
        elif span == Span.YEAR:
            day = day.replace(month=1, day=1)
        return cls(day, span)

    @property
    def last(self) -> date:
        """Its last Kuwait day, inclusive."""
        return self.following.start - _ONE_DAY

    @property
    def following(self) -> Period:
        """The period after it."""
        longest = {Span.DAY: 1, Span.WEEK: 7, Span.MONTH: 31, Span.YEAR: 366}
        return Period.of(self.span, self.start + timedelta(days=longest[self.span]))

    @property
    def previous(self) -> Period:
        """The period before it."""
        return Period.of(self.span, self.start - _ONE_DAY)

    def trend(self) -> list[Period]:
        """Return the periods of a chart that ends with this one, oldest first."""
        found = [self]
        while len(found) < TREND[self.span]:
            found.append(found[-1].previous)
        return found[::-1]

    @property
    def label(self) -> str:
        """What it is called in the page's language."""
        if self.span == Span.WEEK:
            days = {"first": format_day(self.start), "last": format_day(self.last)}
            return str(_("%(first)s to %(last)s", **days))
        patterns = {Span.DAY: "EEEE d MMMM y", Span.MONTH: "MMMM y", Span.YEAR: "y"}
        return str(format_date(self.start, patterns[self.span], rebase=False))

    @property
    def short_label(self) -> str:
        """What it is called below a chart."""
        patterns = {Span.MONTH: "MMM", Span.YEAR: "y"}
        if self.span in patterns:
            return str(format_date(self.start, patterns[self.span], rebase=False))
        return self.start.strftime("%d/%m")
