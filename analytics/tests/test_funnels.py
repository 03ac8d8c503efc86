"""Funnels equal a search of all attempts by hand, on random events; and what is asked wrongly is told."""

import contextlib
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from analytics.models import Audience
from analytics.stores import Funnel, Incoming, Order, postgres, store
from analytics.testing.stores import ship
from campaigns.testing import make_campaign
from core.data.ids import uuid7
from core.testing import Api

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_store")]
NAMES = ("page_view", "campaign_view", "search", "investment.placed", "post_view")
FUNNEL = "/api/analytics/funnel"


def events_at_random(seed: int) -> list[Incoming]:
    """Few names, close together, so that attempts overlap, repeat and happen at the same moment."""
    choose, now = random.Random(seed), timezone.now().replace(microsecond=0)
    people, campaigns = [uuid4() for _ in range(12)], [uuid4(), uuid4()]
    found = []
    for _ in range(250):
        audience = choose.choice([Audience.PERSON] * 4 + [Audience.VISITOR] * 4 + [Audience.TEAM, Audience.BOT])
        who = choose.choice(people)
        found.append(
            Incoming(
                id=uuid7(),
                name=choose.choice(NAMES),
                occurred_at=now - timedelta(minutes=choose.randrange(240)),
                received_at=now,
                audience=audience,
                is_known=choose.random() < 0.95,
                user_id=None if audience == Audience.VISITOR else who,
                visitor_id=who if audience == Audience.VISITOR else None,
                campaign_id=choose.choice([None, *campaigns]),
            )
        )
    choose.shuffle(found)
    return found


def reached(events: list[Incoming], funnel: Funnel) -> int:
    """How many steps one person has reached, by trying every event as the first one."""
    if funnel.order is Order.ANY:
        within = [
            {
                other.name
                for other in events
                if event.occurred_at <= other.occurred_at <= event.occurred_at + funnel.window
            }
            for event in events
        ]
        return max((len(names & set(funnel.steps)) for names in within), default=0)

    def furthest(at: int, step: int, begin: Any) -> int:
        """How far an attempt gets that is at the event `at` with the step `step` (from 0)."""
        if events[at].name != funnel.steps[step] or events[at].occurred_at > begin + funnel.window:
            return step
        if step + 1 == len(funnel.steps):
            return step + 1
        last = at + 2 if funnel.order is Order.STRICT else len(events)
        return max(
            (furthest(later, step + 1, begin) for later in range(at + 1, min(last, len(events)))), default=step + 1
        )

    return max((furthest(first, 0, event.occurred_at) for first, event in enumerate(events)), default=0)


def by_hand(given: list[Incoming], funnel: Funnel) -> list[int]:
    of: dict[UUID | None, list[Incoming]] = defaultdict(list)
    for event in sorted(given, key=lambda event: (event.occurred_at, event.id)):
        is_counted = event.is_known and event.audience in (Audience.PERSON, Audience.VISITOR)
        is_in = funnel.since <= event.occurred_at < funnel.until and funnel.campaign_id in (None, event.campaign_id)
        if is_counted and is_in:
            of[event.user_id or event.visitor_id].append(event)
    furthest = [reached(events, funnel) for events in of.values()]
    return [sum(number >= step for number in furthest) for step in range(1, len(funnel.steps) + 1)]


@pytest.mark.parametrize("seed", range(3))
def test_funnels_equal_a_search_by_hand(seed: int) -> None:
    given, choose = events_at_random(seed), random.Random(seed)
    store().append(given)
    now = timezone.now()
    ship(now)
    seen = set()
    for order in Order:
        for _ in range(8):
            asked = Funnel(
                steps=choose.sample(NAMES, choose.randint(2, 5)),
                window=timedelta(minutes=choose.choice([1, 15, 60, 300])),
                order=order,
                since=now - timedelta(hours=choose.choice([2, 5])),
                until=now - timedelta(minutes=choose.choice([-1, 30])),
                campaign_id=choose.choice([None, given[0].campaign_id]),
            )
            people = store().funnel(asked)
            assert people == by_hand(given, asked), asked
            seen.add(tuple(people))
    assert len(seen) > 10


@pytest.fixture
def staff(person: Callable[..., User]) -> User:
    return person("staff", role="moderator")


def test_a_funnel_over_http(api: Api, person: Callable[..., User], staff: User) -> None:
    founder, readers = person("founder", identity=True), [person(f"reader{number}") for number in range(4)]
    campaign = make_campaign(founder)
    view = {"eventType": "campaign_view", "campaignId": str(campaign.pk)}
    for number, reader in enumerate(readers):
        events = [{"eventType": "page_view", "page": "/"}, *([view] if number else []), {"eventType": "search"}]
        answer = api.as_user(reader).post("/api/analytics/track/batch", {"events": events}).json()
        assert answer["stored"] == len(events)
    ship(timezone.now() + timedelta(seconds=1))
    shown = api.as_user(staff).get(FUNNEL, {"steps": "page_view,campaign_view,search", "windowSeconds": "3600"}).json()
    assert [(each["name"], each["people"], each["share"]) for each in shown["steps"]] == [
        ("page_view", 4, 1.0),
        ("campaign_view", 3, 0.75),
        ("search", 3, 0.75),
    ]
    query = {"steps": "page_view,search", "windowSeconds": "3600", "order": "strict"}
    assert [each["people"] for each in api.as_user(staff).get(FUNNEL, query).json()["steps"]] == [4, 1]
    query = {"steps": "campaign_view,search", "windowSeconds": "60", "campaignId": str(campaign.pk)}
    assert [each["people"] for each in api.as_user(staff).get(FUNNEL, query).json()["steps"]] == [3, 0]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"steps": "page_view"}, "steps_invalid"),
        ({"steps": "page_view,page_view"}, "steps_invalid"),
        ({"steps": ",".join(f"n{number}" for number in range(9))}, "steps_invalid"),
        ({"steps": "page_view,nobody_knows_it"}, "event_name_unknown"),
        ({"steps": "page_view,'; DROP TABLE x --"}, "event_name_unknown"),
        ({"windowSeconds": "0"}, "invalid_input"),
        ({"windowSeconds": "1e9"}, "invalid_input"),
        ({"windowSeconds": "7776001"}, "invalid_input"),
        ({"order": "sideways"}, "invalid_input"),
        ({"campaignId": "x"}, "invalid_input"),
        ({"from": "2026-01-01", "to": "2026-06-01"}, "period_too_long"),
    ],
)
def test_what_cannot_be_asked(api: Api, staff: User, query: dict[str, str], code: str) -> None:
    refused = api.as_user(staff).get(FUNNEL, {"steps": "page_view,search", "windowSeconds": "60", **query})
    assert (refused.status_code, refused.json()["code"]) == (400, code)


def test_a_window_is_asked_for_explicitly(api: Api, staff: User) -> None:
    refused = api.as_user(staff).get(FUNNEL, {"steps": "page_view,search"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_input")


def test_a_store_that_does_not_answer_in_time(
    api: Api, staff: User, each_store: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"steps": "page_view,search", "windowSeconds": "60"}
    with contextlib.ExitStack() as stack:
        if each_store == "clickhouse":
            stack.enter_context(request.getfixturevalue("clickhouse").broken_by("refuse"))
        else:
            slow = postgres._FUNNEL_EVENTS.replace("is_known", "pg_sleep(5) IS NOT NULL")
            monkeypatch.setattr(postgres, "_FUNNEL_EVENTS", slow)
            monkeypatch.setattr(postgres, "FUNNEL_SECONDS", 0.1)
            store().append(events_at_random(9))
        refused = api.as_user(staff).get(FUNNEL, asked)
        assert (refused.status_code, refused.json()["code"]) == (503, "events_unavailable")
    assert api.as_user(staff).get("/api/auth/me").status_code == 200
