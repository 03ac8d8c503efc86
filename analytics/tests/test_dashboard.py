"""The dashboard on the admin's home: who sees which tile, its numbers, and what happens when a part of it fails."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session as CookieSession
from django.db import DatabaseError, OperationalError, connection
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from analytics import dashboard as module
from analytics.dashboard import LENGTH, Comparison, Tile, dashboard
from analytics.jobs import ROLL_UP
from analytics.models import PLATFORM, Activity, DayCount, Progress
from analytics.services import rollups
from campaigns.testing import make_campaign
from core.data.postgres import waiting
from core.jobs.runner import run
from core.testing import Api
from investments.testing import invest
from kyc.testing import submitted_case
from ledger.models import Entry
from ledger.selectors import closing_balances
from social.testing import case_about, make_post

pytestmark = pytest.mark.django_db
TILES = "/admin/dashboard/"


def tiles(person: User) -> dict[str, Tile]:
    shown = dashboard(person, now=timezone.now())
    return {tile.key: tile for tile in shown.tiles} if shown else {}


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("reviewer", {"identity"}),
        ("moderator", {"reports", "funnel", "sign-ups", "messages"}),
        ("admin", {"escrow", "reconciliation", "risk", "identity", "reports", "funnel", "sign-ups", "messages"}),
        ("user", set()),
    ],
)
def test_each_tile_is_for_those_who_hold_its_right(person: Callable[..., User], role: str, seen: set[str]) -> None:
    staff = person("staff", role=role)
    assert set(tiles(staff)) == seen
    page = signed_in(staff).get(TILES)
    if role == "user":
        assert page.status_code == 302
        return
    text = page.content.decode()
    assert {
        key
        for key in ("escrow", "reconciliation", "risk", "identity", "reports", "funnel", "sign-ups", "messages")
        if f"tile-{key}" in text
    } == seen
    assert "no-store" in page["Cache-Control"]


def test_what_escrow_held_on_each_day_is_what_the_books_say(api: Api, person: Callable[..., User]) -> None:
    now = timezone.now()
    with time_machine.travel(now - timedelta(days=40), tick=True):
        founder, backer = person("founder", identity=True), person("backer", identity=True)
        terms: dict[str, Any] = {"min_investment": None, "ends_at": now + timedelta(days=20)}
        dollars = make_campaign(founder, **terms)
        yen = make_campaign(founder, title="Another one", currency="JPY", goal_amount="50000", **terms)
        invest(api, backer, dollars, "100.50")
    with time_machine.travel(now - timedelta(days=12), tick=True):
        invest(api, backer, dollars, "20.25")
        invest(api, backer, yen, "700")
    days = [now.date() - timedelta(days=age) for age in range(59, -1, -1)]
    found = closing_balances("escrow:", days)
    for currency, balances in found.items():
        assert [money.minor for money in balances] == [held(currency, day) for day in days]
    admin = person("staff", role="admin")
    shown = tiles(admin)
    assert (shown["escrow-usd"].value, shown["escrow-usd"].comparison) == ("$120.75", Comparison(12075, 10050))
    assert (shown["escrow-jpy"].value, shown["escrow-jpy"].points[-1].now) == ("¥700", "700")
    assert shown["escrow-usd"].points[-14].now == "100.50"


def held(currency: str, day: date) -> int:
    """What all escrow accounts held at the end of a day, added up from every posting."""
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    entries = Entry.objects.filter(
        account__code__startswith="escrow:", posting__phase="posted", currency=currency, posting__created_at__lt=end
    )
    return -sum(entry.amount for entry in entries)


def test_counts_of_30_days_beside_those_before(person: Callable[..., User]) -> None:
    today = timezone.now().date()
    for age, number in ((0, 7), (29, 3), (30, 4), (59, 1), (60, 100)):
        day = today - timedelta(days=age)
        for name in ("campaign_view", "investment.placed", "investment.committed", "account.registered"):
            DayCount.objects.create(day=day, name=name, about_id=PLATFORM, events=number, people=number + 1)
        Activity.objects.create(day=day, daily=0, weekly=0, monthly=0, posts=0, messages=number)
    shown = tiles(person("staff", role="moderator"))
    assert shown["sign-ups"].comparison == shown["messages"].comparison == Comparison(10, 5)
    assert [(line.value, line.comparison) for line in shown["funnel"].lines] == [
        ("12", Comparison(12, 7)),
        ("10", Comparison(10, 5)),
        ("10", Comparison(10, 5)),
        ("0", Comparison(0, 0)),
    ]
    points = shown["messages"].points
    assert [(point.now, point.before) for point in (points[0], points[-1])] == [("3", "1"), ("7", "4")]
    assert (len(points), points[-1].day) == (LENGTH, today)


@pytest.mark.parametrize(
    ("comparison", "text"),
    [
        (Comparison(10, 5), "+100 %"),
        (Comparison(5, 10), "−50 %"),
        (Comparison(0, 10), "−100 %"),
        (Comparison(3, 0), "new"),
        (Comparison(0, 0), "unchanged"),
        (Comparison(123_456, 100), "+123,356 %"),
    ],
)
def test_comparisons_in_words(comparison: Comparison, text: str) -> None:
    assert comparison.text == text


def test_queues_with_their_age(person: Callable[..., User]) -> None:
    now = timezone.now()
    with time_machine.travel(now - timedelta(days=3, minutes=5), tick=True):
        submitted_case(person("applicant"))
        case_about(make_post(person("author")), person("reporter"))
    admin = person("staff", role="admin")
    shown = tiles(admin)
    for key in ("identity", "reports"):
        assert shown[key].value == "1"
        assert "3 days" in shown[key].detail
        assert shown[key].points[-4].now == "1"
    own = submitted_case(admin, number="OWN123456")
    assert own is not None and tiles(admin)["identity"].value == "1", "nobody reviews themselves"


def test_a_part_that_fails_leaves_the_others(person: Callable[..., User], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> Any:
        raise DatabaseError("no such table")

    monkeypatch.setattr(module, "totals", fail)
    admin = person("staff", role="admin")
    page = signed_in(admin).get("/admin/")
    assert page.status_code == 200
    text = page.content.decode()
    assert text.count("This could not be read") == 1
    assert "tile-messages" in text and "no such table" not in text


def test_a_statement_that_fails_leaves_the_others(person: Callable[..., User], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM no_such_table")

    monkeypatch.setattr(module, "_counts", fail)
    shown = tiles(person("staff", role="admin"))
    assert {key for key, tile in shown.items() if tile.has_failed} == {"funnel", "sign-ups"}
    assert shown["reports"].value == "0"


def test_a_slow_statement_is_ended_and_leaves_the_others(
    person: Callable[..., User], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def sleep(*args: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(600)")

    admin = person("staff", role="admin")
    monkeypatch.setattr(module, "totals", sleep)
    settings.DATABASE_WAIT = 18.0
    shown = tiles(admin)
    assert {key for key, tile in shown.items() if tile.has_failed} == {"escrow"}
    assert not waiting.is_unresponsive()


def test_what_escrow_holds_is_told_when_its_course_takes_too_long(
    api: Api, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(*args: Any) -> Any:
        raise OperationalError("canceling statement due to statement timeout")

    founder, backer = person("founder", identity=True), person("backer", identity=True)
    invest(api, backer, make_campaign(founder, min_investment=None), "100.50")
    monkeypatch.setattr(module, "closing_balances", too_long)
    admin = person("staff", role="admin")
    tile = tiles(admin)["escrow-usd"]
    assert (tile.value, tile.comparison, tile.points) == ("$100.50", None, ())
    assert "could not be read in time" in signed_in(admin).get(TILES).content.decode()


@pytest.mark.usefixtures("each_store")
def test_a_roll_up_of_either_store_makes_counts_fresh(person: Callable[..., User]) -> None:
    now, moderator = timezone.now(), person("moderator", role="moderator")
    shown = dashboard(moderator, now=now)
    assert shown is not None and shown.is_behind
    assert run(ROLL_UP, now=now).failed == 0
    shown = dashboard(moderator, now=now + timedelta(minutes=6))
    assert shown is not None and (shown.is_behind, shown.counted_until) == (False, now)


def test_counts_that_are_behind_are_told(person: Callable[..., User]) -> None:
    moderator = signed_in(person("staff", role="moderator"))
    assert "have not been counted yet" in moderator.get(TILES).content.decode()
    Progress.objects.create(pk=rollups.JOB, at=timezone.now() - timedelta(minutes=16))
    assert "are behind" in moderator.get(TILES).content.decode()
    Progress.objects.update(at=timezone.now() - timedelta(minutes=6))
    assert 'class="notice">' not in moderator.get(TILES).content.decode()
    Progress.objects.all().delete()
    reviewer = signed_in(person("reviewer", role="reviewer"))
    assert "counted" not in reviewer.get(TILES).content.decode(), "the tiles of a reviewer are not made from counts"


def test_the_number_of_statements_is_fixed(person: Callable[..., User], django_assert_max_num_queries: Any) -> None:
    admin = person("staff", role="admin")
    for number in range(3):
        case_about(make_post(person(f"author{number}")), person(f"reporter{number}"))
        submitted_case(person(f"applicant{number}"), number=f"C01X00T4{number}")
    with django_assert_max_num_queries(
        36
    ):  # twelve with a savepoint of its own, a savepoint's two and a limit for each of seven parts
        dashboard(admin, now=timezone.now())


def test_a_page_that_renews_itself_does_not_keep_the_session_alive(person: Callable[..., User]) -> None:
    admin = person("staff", role="admin")
    begun = timezone.now()
    client = signed_in(admin)

    def ends() -> tuple[datetime, datetime]:
        cookie = CookieSession.objects.get(pk=client.cookies[settings.SESSION_COOKIE_NAME].value)
        return cookie.expire_date, Session.objects.get(user=admin).expires_at

    at_first = ends()
    with time_machine.travel(begun + timedelta(minutes=10), tick=True):
        assert client.get(TILES, headers={"X-Unattended": "1"}).status_code == 200
        assert ends() == at_first
    with time_machine.travel(begun + timedelta(minutes=17), tick=True):
        assert client.get(TILES, headers={"X-Unattended": "1"}).status_code == 302
    with time_machine.travel(begun + timedelta(minutes=10), tick=True):
        assert client.get(TILES).status_code == 200
        assert all(later > first for later, first in zip(ends(), at_first, strict=True))


def test_the_dashboard_is_read_only(person: Callable[..., User]) -> None:
    client = signed_in(person("staff", role="admin"))
    assert client.post(TILES).status_code == 405
    assert Client().get(TILES).status_code == 302
