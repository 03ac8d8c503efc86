"""
Analytics: what an event costs on its way in, beside `me` and beside Express with pg (bench/peers/tracking.js); how many
come in per second on two processes, each commit on disk; how long a day's roll-up and a campaign's figures take.

    .venv/bin/python -m bench.analytics                       # ten million raw events, one day of a million
    .venv/bin/python -m bench.analytics --events 1000000      # fewer

The raw events are made once (`bench/analytics.sql`) in `var/analytics-<events>`, and their days rolled up.
"""

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

from bench.invest import web
from bench.platform import VIEWER, prepared
from bench.reads import Call, ask, candidates, figures, load, measure_round
from bench.server import ROOT, free_port, keep

DAYS = 30
CAMPAIGNS = 50
PEOPLE = 40
"""Callers; each may send 12,000 events a minute."""
BATCH = 100
SECONDS, WARM_UP = 20, 3
FOUNDER = "founder@bench.example"


def fill(events: int) -> None:
    """A day of a tenth of the events, yesterday, and the rest on the days before it; then all of them counted."""
    from django.db import connection

    from accounts.models import User
    from accounts.testing import make_person
    from analytics.models import DayCount
    from analytics.stores import partitions
    from campaigns.models import Campaign
    from campaigns.testing import make_campaign

    if not User.objects.filter(email=VIEWER).exists():
        make_person(email=VIEWER, first_name="Vera")
        founder = make_person(email=FOUNDER, identity=True)
        for number in range(CAMPAIGNS):
            make_campaign(founder, title=f"A solar roof for school {number}")
        for number in range(PEOPLE):
            make_person(email=f"sender{number}@bench.example")
    campaigns = list(Campaign.objects.values_list("pk", flat=True))
    script = (ROOT / "bench" / "analytics.sql").read_text()
    for day, number in days(events):
        if DayCount.objects.filter(day=day).exists():
            continue
        partitions.make([day])
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM analytics_rawevent_{day:%Y%m%d}")
            cursor.execute(script, {"day": str(day), "events": number, "campaigns": campaigns})
            cursor.execute(f"VACUUM ANALYZE analytics_rawevent_{day:%Y%m%d}")
        took = roll_up(day)
        sys.stdout.write(f"{day}: {number} events rolled up in {took:.1f} s\n")


def days(events: int) -> list[tuple[date, int]]:
    """The days and how many events each has; the newest last."""
    from core import clock

    last = clock.now().date() - timedelta(days=1)
    rest = (events - events // 10) // (DAYS - 1)
    before = [(last - timedelta(days=number), rest) for number in range(DAYS - 1, 0, -1)]
    return [*before, (last, events // 10)]


def roll_up(day: date) -> float:
    """Count all hours of a day and the day, as the job does. Seconds."""
    from analytics.services.rollups import count_day, count_hour
    from core import clock
    from core.times import bounds_of

    started = time.perf_counter()
    begin, _ = bounds_of(day, day)
    for hour in range(24):
        count_hour(begin + timedelta(hours=hour))
    count_day(day, now=clock.now())
    return time.perf_counter() - started


def token_of(email: str) -> str:
    from accounts.models import User
    from accounts.testing import sign_in

    return sign_in(User.objects.get(email=email))


def senders() -> list[str]:
    return [token_of(f"sender{number}@bench.example") for number in range(PEOPLE)]


def batch(number: int, campaigns: list[str], now: datetime) -> str:
    """A body with events that no batch had before."""
    kinds = ("page_view", "campaign_view", "search", "page_view")
    events = []
    for place in range(BATCH):
        kind = kinds[place % len(kinds)]
        event: dict[str, Any] = {"eventType": kind, "eventId": str(uuid4()), "at": now.isoformat()}
        if kind == "campaign_view":
            event["campaignId"] = campaigns[(number + place) % len(campaigns)]
        elif kind == "search":
            event["eventData"] = {"type": "posts", "results": place}
        else:
            event |= {"page": f"/c/solar-{place}?utm_source=newsletter", "referrer": "https://mail.example/"}
        events.append(event)
    return json.dumps({"sentAt": now.isoformat(), "events": events})


def calls(campaigns: list[str]) -> dict[str, Callable[[int], Call]]:
    from core import clock

    viewer, tokens = token_of(VIEWER), senders()
    event = json.dumps({"eventType": "search", "eventData": {"type": "posts", "results": 3}})
    bodies = [batch(number, campaigns, clock.now()) for number in range(2_000)]
    sent = iter(range(len(bodies)))
    return {
        "me": lambda number: Call("GET", "/api/auth/me", viewer),
        "single": lambda number: Call("POST", "/api/analytics/track/event", tokens[number % PEOPLE], event),
        "batch of 100": lambda number: Call(
            "POST", "/api/analytics/track/batch", tokens[number % PEOPLE], bodies[next(sent)]
        ),
    }


def forget_limits() -> None:
    """What this run's people did, as if it were a minute ago. The Redis is the measurement's own."""
    from core.redis import client

    client().flushdb()


def throughput(campaigns: list[str]) -> dict[str, float]:
    """How many events per second two processes take in batches, from eight clients. All must be stored."""
    from core import clock

    tokens, port, stored = senders(), free_port(), [0] * 8
    bodies = [batch(number, campaigns, clock.now()) for number in range(4_000)]
    taking = iter(bodies)
    measuring, stopped = threading.Event(), threading.Event()
    taken: list[float] = []

    def client(place: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        number = place
        while not stopped.is_set():
            if (body := next(taking, None)) is None:
                return
            started = time.perf_counter()
            call = Call("POST", "/api/analytics/track/batch", tokens[number % PEOPLE], body)
            answer = json.loads(ask(connection, call))
            number += 8
            if measuring.is_set():
                taken.append(time.perf_counter() - started)
                stored[place] += answer["stored"]

    with web(port, workers=2, threads=2):
        threads = [threading.Thread(target=client, args=(place,)) for place in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(WARM_UP)
        forget_limits()
        measuring.set()
        started = time.perf_counter()
        while time.perf_counter() - started < SECONDS and any(thread.is_alive() for thread in threads):
            time.sleep(1)
            forget_limits()
        elapsed = time.perf_counter() - started
        measuring.clear()
        stopped.set()
        for thread in threads:
            thread.join()
    return {
        "events_per_second": round(sum(stored) / elapsed, 1),
        "batch_p50_ms": round(statistics.median(taken) * 1000, 1),
        "batch_p99_ms": round(statistics.quantiles(taken, n=100)[98] * 1000, 1),
    }


def campaign_latencies(port: int, campaigns: list[str]) -> list[float]:
    """Milliseconds that the figures of a campaign take, each for 30 days, one after the other."""
    token = token_of(FOUNDER)
    paths = [f"/api/analytics/campaign/{key}" for key in campaigns]
    taken = load(port, lambda number: Call("GET", paths[number % len(paths)], token), 200, clients=1)
    return [seconds * 1000 for seconds in taken]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=10_000_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--requests", type=int, default=200, help="of each round")
    options.add_argument("--ours-only", action="store_true", help="leave the peer out")
    given = options.parse_args()
    results: dict[str, Any] = {}
    with prepared(f"analytics-{given.events}", durable=True) as platform:
        fill(given.events)
        from campaigns.models import Campaign

        campaigns = [str(key) for key in Campaign.objects.values_list("pk", flat=True)]
        day, number = days(given.events)[-1]
        results[f"roll_up_of_{number}_s"] = round(roll_up(day), 2)
        peers = () if given.ours_only else ("tracking",)
        with candidates(platform, peers) as found:
            asked = calls(campaigns)
            for name, call in asked.items():
                requests = given.requests // 4 if name.startswith("batch") else given.requests
                for round_ in range(given.rounds + 1):
                    for candidate in found:
                        forget_limits()
                        if round_:
                            measure_round(candidate, name, call, requests)
                        else:
                            load(candidate.port, call, requests // 4)
                for candidate in found:
                    for figure, value in figures(candidate, name).items():
                        results[f"{name} {candidate.name} {figure}"] = value
            latencies = campaign_latencies(found[0].port, campaigns)
            results["campaign_p50_ms"] = round(statistics.median(latencies), 1)
            results["campaign_p95_ms"] = round(statistics.quantiles(latencies, n=20)[18], 1)
        results |= throughput(campaigns)
    results["single_over_me"] = round(results["single ours cpu_ms"] / results["me ours cpu_ms"], 2)
    keep(f"analytics-{given.events}", results)


if __name__ == "__main__":
    sys.exit(main())
