"""
What the owner of a funded campaign owes its investors: an update at regular times and, where the rules ask for it, a
report after each fiscal year. Computed from the rules, what was published, and the clock; nothing is kept.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from campaigns.models import Update
from campaigns.rules import Rule, RuleSet
from campaigns.rules.calendar import Place


class Told(NamedTuple):
    """An update that is there for its readers."""

    at: datetime
    kind: str


@dataclass(frozen=True)
class DueReport:
    kind: Update.Kind
    due_at: datetime
    published_at: datetime | None
    on_time: bool | None
    """None while it is neither published nor overdue."""


@dataclass(frozen=True)
class Duties:
    """What decides when reports are due."""

    rules: RuleSet
    place: Place
    fiscal_year_end: str
    """`MM-DD`"""
    ended_at: datetime
    """The deadline of the campaign, which was funded."""

    def reports(self, told: Sequence[Told], now: datetime) -> list[DueReport]:
        """
        Every report that was or is due, and of each kind the next one, in the order of `due_at`.

        :param told: what was published after the end and until `now`, in its order
        """
        found: list[DueReport] = []
        if "update_every" in self.rules:
            found += _updates(self.rules["update_every"], self.place, self.ended_at, [one.at for one in told], now)
        if "annual_report_within" in self.rules:
            annual = [one.at for one in told if one.kind == Update.Kind.ANNUAL_REPORT]
            found += _annual_reports(self.rules["annual_report_within"], self.place, self._year_ends(), annual, now)
        return sorted(found, key=lambda report: (report.due_at, report.kind))

    def _year_ends(self) -> Iterator[datetime]:
        """The ends of the fiscal years, from the one in which the campaign ended on."""
        ended = self.ended_at.astimezone(self.place.zone).date()
        year = ended.year
        if _last_day(year, self.fiscal_year_end) < ended:
            year += 1
        while year < date.max.year:
            after = _last_day(year, self.fiscal_year_end) + timedelta(days=1)
            yield datetime.combine(after, time(), self.place.zone).astimezone(UTC)
            year += 1


def on_time_rate(reports: Iterable[DueReport]) -> float | None:
    """The share of reports that were on time among those that are decided, cut to two decimals; None without any."""
    decided = [report.on_time for report in reports if report.on_time is not None]
    return sum(decided) * 100 // len(decided) / 100 if decided else None


def _updates(
    rule: Rule, place: Place, ended_at: datetime, moments: Sequence[datetime], now: datetime
) -> Iterator[DueReport]:
    """
    One is due a period after the end, and after that a period after the last one. Of several within a period the last
    counts, so that many at once are no better than one.
    """
    kind, since = Update.Kind.UPDATE, ended_at
    while True:
        due_at = rule.after(since, place)
        first, beyond = bisect_right(moments, since), bisect_right(moments, due_at)
        if first < beyond:
            since = moments[beyond - 1]
            yield DueReport(kind, due_at, since, on_time=True)
        elif beyond < len(moments):
            since = moments[beyond]
            yield DueReport(kind, due_at, since, on_time=False)
        else:
            yield DueReport(kind, due_at, None, on_time=False if now > due_at else None)
            return


def _annual_reports(
    rule: Rule, place: Place, year_ends: Iterator[datetime], moments: Sequence[datetime], now: datetime
) -> Iterator[DueReport]:
    """Each report is for the earliest year that had ended then and had none."""
    used = 0
    for year_end in year_ends:
        due_at = rule.after(year_end, place)
        used = max(used, bisect_left(moments, year_end))
        if used < len(moments):
            published_at = moments[used]
            used += 1
            yield DueReport(Update.Kind.ANNUAL_REPORT, due_at, published_at, on_time=published_at <= due_at)
        else:
            yield DueReport(Update.Kind.ANNUAL_REPORT, due_at, None, on_time=False if now > due_at else None)
        if year_end > now:
            return


def _last_day(year: int, month_and_day: str) -> date:
    month, day = map(int, month_and_day.split("-"))
    for last in (day, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise ValueError(f"{month_and_day} is no day of a year")
