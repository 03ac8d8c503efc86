"""
The tiles of the dashboard on the admin's home: each with its right, read by a fixed number of statements from counts,
kept balances and indexes. What a tile compares are the last 30 days and the 30 before them (docs/analytics.md).
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import Count, Min, Q
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from accounts.permissions import READ_PEOPLE
from analytics.models import PLATFORM, Activity, DayCount
from analytics.permissions import READ_FIGURES
from analytics.selectors import Days, made_by_day
from analytics.services import rollups
from chat.permissions import INSPECT
from core.data.transactions import reads_within
from core.money import Money
from core.rights import Right
from investments.models import RiskCase
from investments.permissions import READ as READ_INVESTMENTS, REVIEW_RISK
from investments.selectors import latest_reconciliations
from kyc import selectors as identity
from kyc.models import Verification
from kyc.permissions import REVIEW
from kyc.timeline import age_text
from ledger.permissions import READ
from ledger.selectors import closing_balances, totals
from social import queue as moderation
from social.models import Appeal, Case
from social.permissions import MODERATE

T = TypeVar("T")
logger = logging.getLogger(__name__)
LENGTH = 30
"""Days that are compared with as many before them."""
MAX_CURRENCIES = 6
BEHIND = timedelta(minutes=15)
"""Counts older than that are behind: they are made every five minutes."""
_ESCROW = "escrow:"
"""How the codes of campaigns' accounts begin."""
_SEEN = "campaign_view"
_FUNNEL = {
    _SEEN: gettext_lazy("Saw a campaign"),
    "investment.placed": gettext_lazy("Investments started"),
    "investment.committed": gettext_lazy("Committed"),
    "investment.invested": gettext_lazy("Settled"),
}
"""Names of counted events, from seeing to settling."""
_REGISTERED = "account.registered"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number of the last 30 days beside that of the 30 before; money in minor units."""

    now: int
    before: int

    @property
    def text(self) -> str:
        """`+12 %`, `−5 %`, `unchanged`; without a base, `new`."""
        if self.now == self.before:
            return _("unchanged")
        if not self.before:
            return _("new")
        percent = round((self.now - self.before) * 100 / self.before)
        sign = "+" if self.now > self.before else "−"
        return f"{sign}{_number(abs(percent))} %"


@dataclass(frozen=True, slots=True)
class Line:
    """One number of a tile with several."""

    label: str
    value: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Point:
    """A day, its number, and the number 30 days earlier; `texts` are what people read for them."""

    day: date
    now: str
    before: str
    texts: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Link:
    address: str
    text: str


@dataclass(frozen=True, slots=True)
class Tile:
    key: str
    title: str
    value: str = ""
    detail: str = ""
    comparison: Comparison | None = None
    compared: str = ""
    """What the comparison is of, in words."""
    lines: Sequence[Line] = ()
    links: Sequence[Link] = ()
    caption: str = ""
    """What the chart and its table show."""
    currency: str = ""
    points: Sequence[Point] = ()
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    tiles: Sequence[Tile]
    read_at: datetime
    counted_until: datetime | None
    """Up to when events are counted; None when they never were."""
    is_behind: bool
    """Whether that is so long ago that tiles made from counts are out of date."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and when."""

    person: Any
    now: datetime

    @property
    def period(self) -> Days:
        """60 days (UTC), the last one today."""
        today = self.now.date()
        return Days(today - timedelta(days=2 * LENGTH - 1), today)

    @property
    def days(self) -> list[date]:
        """Those of `period`, in their order."""
        return list(self.period)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the dashboard: for those who hold its right, one tile or several."""

    key: str
    title: Any
    right: Right
    read: Callable[[Asked], Iterator[Tile]]
    is_counted: bool = False
    """Whether it is made from counts, which may be behind."""


def dashboard(person: Any, *, now: datetime) -> Dashboard | None:
    """The tiles that this person may see; None for somebody who may see none."""
    parts = [part for part in PARTS if part.right.held_by(person)]
    if not parts:
        return None
    is_counted = any(part.is_counted for part in parts)
    counted_until = rollups.counted_until() if is_counted else None
    asked = Asked(person, now)
    return Dashboard(
        tiles=[tile for part in parts for tile in _tiles(part, asked)],
        read_at=now,
        counted_until=counted_until,
        is_behind=is_counted and (counted_until is None or now - counted_until > BEHIND),
    )


def _tiles(part: Part, asked: Asked) -> list[Tile]:
    """A part that fails says so in its place: the home page leads to everything else, the means to mend it included."""
    try:
        with reads_within(settings.DATABASE_WAIT / len(PARTS)):  # a slow one leaves the others their time
            return list(part.read(asked))
    except Exception:  # whatever it is, the other parts are shown; it is logged with its traceback
        logger.exception("a part of the dashboard failed", extra={"part": part.key})
        return [Tile(part.key, str(part.title), has_failed=True)]


# --- Parts ------------------------------------------------------------------------------------------------------------


def _escrow(asked: Asked) -> Iterator[Tile]:
    """What the books hold for campaigns, and held at the end of each day."""
    found = [(currency, held.posted) for currency, held in totals(_ESCROW).items()]
    link = Link(f"{reverse('admin:ledger_ledgeraccount_changelist')}?q=escrow", _("Open the accounts"))
    if not found:
        yield Tile("escrow", _("In escrow"), value="0", detail=_("Nothing is held for campaigns"), links=[link])
        return
    history = _held_before(asked.days)
    for currency, held in found[:MAX_CURRENCIES]:
        balances = history.get(currency)
        before = balances[-1 - LENGTH] if balances else None
        yield Tile(
            f"escrow-{currency.lower()}",
            _("In escrow, %(currency)s") % {"currency": currency},
            value=str(held),
            detail=_("held for campaigns, by the books"),
            comparison=Comparison(held.minor, before.minor) if before else None,
            compared=_("30 days ago: %(amount)s") % {"amount": before}
            if before
            else _("What was held before could not be read in time."),
            links=[link],
            caption=_("In escrow at the end of the day"),
            currency=currency,
            points=_points(asked.days, balances, lambda money: (money.text, str(money))) if balances else (),
        )
    if others := len(found[MAX_CURRENCIES:]):
        yield Tile("escrow", _("In escrow, other currencies"), value=_number(others), links=[link])


def _held_before(days: Sequence[date]) -> dict[str, list[Money]]:
    """By currency; nothing if the entries of 60 days are so many that adding them up takes too long."""
    try:
        with transaction.atomic():
            return closing_balances(_ESCROW, days)
    except OperationalError:
        logger.warning("the entries of 60 days could not be added up in time")
        return {}


def _reconciliation(asked: Asked) -> Iterator[Tile]:
    """Whether business rows, books and the payment provider's statement agree, and since when nobody has looked."""
    links = [Link(reverse("admin:investments_reconciliation_changelist"), _("Open the comparisons"))]
    title = _("Books and provider")
    found = latest_reconciliations()
    if not found:
        yield Tile("reconciliation", title, value=_("not compared yet"), links=links)
    for one in found:
        value = _("agree")
        if not one.is_clean:
            value = ngettext("%(count)d finding", "%(count)d findings", one.finding_count) % {
                "count": one.finding_count
            }
        age = age_text(asked.now - one.finished_at)
        detail = _("%(provider)s, compared %(age)s ago") % {"provider": one.provider, "age": age}
        yield Tile(f"reconciliation-{one.provider}", title, value=value, detail=detail, links=links)


def _risk(asked: Asked) -> Iterator[Tile]:
    """Cases that too many declined payments have opened."""
    open_cases = RiskCase.objects.filter(status=RiskCase.Status.OPEN)
    waiting_now = open_cases.aggregate(number=Count("pk"), oldest=Min("created_at"))
    detail = _("Nothing is waiting")
    if waiting_now["oldest"]:
        age = age_text(asked.now - waiting_now["oldest"])
        detail = _("cases to decide, the oldest for %(age)s") % {"age": age}
    links = [Link(f"{reverse('admin:investments_riskcase_changelist')}?status__exact=open", _("Open the cases"))]
    yield Tile("risk", _("Declined payments"), value=_number(waiting_now["number"]), detail=detail, links=links)


def _funnel(asked: Asked) -> Iterator[Tile]:
    """The way from seeing a campaign to settling, over all campaigns."""
    counts = _counts(_FUNNEL, asked.days)
    compared = {name: _compared(counts[name], asked.days) for name in _FUNNEL}
    yield Tile(
        "funnel",
        _("From seeing to settling"),
        lines=[Line(str(label), _number(compared[name].now), compared[name]) for name, label in _FUNNEL.items()],
        links=[Link(f"{reverse('admin:campaigns_campaign_changelist')}?queue=live", _("Open live campaigns"))],
        caption=_("Investments committed"),
        points=_counted_points(counts["investment.committed"], asked.days),
    )


def _sign_ups(asked: Asked) -> Iterator[Tile]:
    joined = _counts([_REGISTERED], asked.days)[_REGISTERED]
    links = (
        [Link(reverse("admin:accounts_user_changelist"), _("Open people"))] if READ_PEOPLE.held_by(asked.person) else []
    )
    yield _counted_tile("sign-ups", _("Sign-ups"), joined, asked.days, links)


def _messages(asked: Asked) -> Iterator[Tile]:
    sent = dict(Activity.objects.filter(day__in=asked.days).values_list("day", "messages"))
    address = reverse("admin:chat_conversation_changelist")
    links = [Link(address, _("Open conversations"))] if INSPECT.held_by(asked.person) else []
    yield _counted_tile("messages", _("Messages sent"), sent, asked.days, links)


def _identity(asked: Asked) -> Iterator[Tile]:
    waiting_now = identity.queue(asked.person).aggregate(
        number=Count("pk"), mine=Count("pk", filter=Q(assignee=asked.person.pk)), oldest=Min("submitted_at")
    )
    begun = made_by_day(Verification.objects.all(), asked.period)
    oldest, mine = waiting_now["oldest"], waiting_now["mine"]
    detail = _("Nobody is waiting")
    if oldest:
        detail = _("waiting for a decision, the oldest for %(age)s") % {"age": age_text(asked.now - oldest)}
    address = reverse("admin:kyc_verification_changelist")
    links = [Link(address, _("Open the queue"))]
    if mine:
        text = ngettext("%(count)d case is yours", "%(count)d cases are yours", mine) % {"count": mine}
        links.append(Link(f"{address}?queue=mine", text))
    yield Tile(
        "identity",
        _("Identity review"),
        value=_number(waiting_now["number"]),
        detail=detail,
        comparison=_compared(begun, asked.days),
        compared=_compared_text(begun, asked.days, _("begun")),
        links=links,
        caption=_("Cases begun"),
        points=_counted_points(begun, asked.days),
    )


def _reports(asked: Asked) -> Iterator[Tile]:
    waiting_now = moderation.queue(asked.person).aggregate(
        number=Count("pk"), held=Count("pk", filter=Q(held_at__isnull=False)), oldest=Min("created_at")
    )
    appeals = moderation.appeals(asked.person).filter(status=Appeal.Status.OPEN).count()
    reported = made_by_day(Case.objects.all(), asked.period)
    oldest, held = waiting_now["oldest"], waiting_now["held"]
    detail = _("Nothing is waiting")
    if oldest:
        detail = _("cases to decide, the oldest for %(age)s") % {"age": age_text(asked.now - oldest)}
    if held:
        hidden = ngettext("%(count)d hides something until then", "%(count)d hide something until then", held)
        detail = f"{detail}; {hidden % {'count': held}}"
    links = [Link(reverse("admin:social_case_changelist"), _("Open the queue"))]
    if appeals:
        text = ngettext("%(count)d appeal waits", "%(count)d appeals wait", appeals) % {"count": appeals}
        links.append(Link(reverse("admin:social_appeal_changelist"), text))
    yield Tile(
        "reports",
        _("Open reports"),
        value=_number(waiting_now["number"]),
        detail=detail,
        comparison=_compared(reported, asked.days),
        compared=_compared_text(reported, asked.days, _("reported")),
        links=links,
        caption=_("Cases reported"),
        points=_counted_points(reported, asked.days),
    )


PARTS = (
    Part("escrow", gettext_lazy("In escrow"), READ, _escrow),
    Part("reconciliation", gettext_lazy("Books and provider"), READ_INVESTMENTS, _reconciliation),
    Part("risk", gettext_lazy("Declined payments"), REVIEW_RISK, _risk),
    Part("identity", gettext_lazy("Identity review"), REVIEW, _identity),
    Part("reports", gettext_lazy("Open reports"), MODERATE, _reports),
    Part("funnel", gettext_lazy("From seeing to settling"), READ_FIGURES, _funnel, is_counted=True),
    Part("sign-ups", gettext_lazy("Sign-ups"), READ_FIGURES, _sign_ups, is_counted=True),
    Part("messages", gettext_lazy("Messages sent"), READ_FIGURES, _messages, is_counted=True),
)
"""In the order in which they stand on the page."""


# --- Numbers ----------------------------------------------------------------------------------------------------------


def _counts(names: Iterable[str], days: Sequence[date]) -> dict[str, dict[date, int]]:
    """How often events happened on the platform, by name and day: people who saw a campaign, otherwise events."""
    found: dict[str, dict[date, int]] = {name: {} for name in names}
    rows = DayCount.objects.filter(about_id=PLATFORM, day__range=(days[0], days[-1]), name__in=found)
    for name, day, events, people in rows.values_list("name", "day", "events", "people"):
        found[name][day] = people if name == _SEEN else events
    return found


def _compared(by_day: Mapping[date, int], days: Sequence[date]) -> Comparison:
    """The sums of the last 30 days and of the 30 before."""
    before, now = days[:LENGTH], days[LENGTH:]
    return Comparison(sum(by_day.get(day, 0) for day in now), sum(by_day.get(day, 0) for day in before))


def _compared_text(by_day: Mapping[date, int], days: Sequence[date], what: str) -> str:
    """Both sums in words, for a tile whose own number is another one."""
    compared = _compared(by_day, days)
    facts = {"now": _number(compared.now), "what": what, "before": _number(compared.before)}
    return _("%(now)s %(what)s in 30 days, %(before)s in the 30 before") % facts


def _counted_tile(
    key: str, title: str, by_day: Mapping[date, int], days: Sequence[date], links: Sequence[Link]
) -> Tile:
    compared = _compared(by_day, days)
    return Tile(
        key,
        title,
        value=_number(compared.now),
        detail=_("in the last 30 days"),
        comparison=compared,
        compared=_("%(before)s in the 30 before") % {"before": _number(compared.before)},
        links=links,
        caption=title,
        points=_counted_points(by_day, days),
    )


def _counted_points(by_day: Mapping[date, int], days: Sequence[date]) -> list[Point]:
    return _points(days, [by_day.get(day, 0) for day in days], lambda number: (str(number), _number(number)))


def _points(days: Sequence[date], values: Sequence[T], written: Callable[[T], tuple[str, str]]) -> list[Point]:
    """
    The last 30 days, each with its value and the one 30 days earlier.

    :param written: a value for the chart, and for people
    """
    pairs = zip(days[LENGTH:], map(written, values[LENGTH:]), map(written, values[:LENGTH]), strict=True)
    return [Point(day, now, before, (now_text, before_text)) for day, (now, now_text), (before, before_text) in pairs]


def _number(number: int) -> str:
    return f"{number:,}"
