"""
Events of a payment provider on their way in: RATE a second for SECONDS, each in a request of its own.

The platform runs as in production (granian, the worker, PostgreSQL with every commit on disk), and the provider takes
20 ms. Half of the events tell what is known, the other half contradict it, so that the worker has to ask the provider.
At the end each is stored once, and none is left to be worked on.

    .venv/bin/python -m bench.webhooks
"""

import json
import os
import statistics
import sys
import threading
import time
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

from bench.invest import PROVIDER_DELAY_MS, background, data_servers, web
from bench.refunds import scene
from bench.server import cpu_seconds, free_port, keep

RATE, SECONDS = 100, 20
CLIENTS = 20
CHARGES = 200


def events(campaign: Any) -> list[tuple[bytes, dict[str, str]]]:
    """Body and headers of each event, all with ids of their own, signed now."""
    from core import clock
    from investments.models import SandboxCharge
    from investments.providers.sandbox import SIGNATURE_HEADER, event_about, sign

    keys = campaign.investments.values("payment__key")
    charges = list(SandboxCharge.objects.filter(key__in=keys))
    made = []
    for number in range(RATE * SECONDS):
        body, headers = event_about(charges[number % len(charges)], now=clock.now())
        if number % 2:
            told = json.loads(body)
            told["type"], told["data"]["state"] = "charge.failed", "declined"
            body = json.dumps(told).encode()
            headers = {SIGNATURE_HEADER: sign(body, clock.now())}
        made.append((body, headers | {"Content-Type": "application/json"}))
    return made


def send(port: int, made: list[tuple[bytes, dict[str, str]]]) -> list[float]:
    """Seconds from the moment that each was due until it was answered."""
    taken: list[float] = []
    refused: list[int] = []
    began = time.perf_counter() + 1

    def client(first: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        for number in range(first, len(made), CLIENTS):
            due = began + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            body, headers = made[number]
            connection.request("POST", "/api/investments/webhooks/sandbox", body, headers)
            response = connection.getresponse()
            response.read()
            taken.append(time.perf_counter() - due)
            if response.status != 200:
                refused.append(response.status)

    threads = [threading.Thread(target=client, args=(first,)) for first in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if refused or len(taken) != len(made):
        raise SystemExit(f"{len(taken)} of {len(made)} were answered, refused: {sorted(set(refused))}")
    return taken


def measure(campaign: Any) -> dict[str, float]:
    from investments.models import ProviderEvent

    known = ProviderEvent.objects.count()
    port = free_port()
    with background(), web(port, workers=2, threads=4) as web_pid:
        made = events(campaign)
        before = cpu_seconds(web_pid)
        started = time.perf_counter()
        taken = send(port, made)
        spent = cpu_seconds(web_pid) - before
        while ProviderEvent.objects.filter(outcome="received").exists():
            time.sleep(0.5)
        worked = time.perf_counter() - started
    if ProviderEvent.objects.count() - known != len(made):
        raise SystemExit("not every event is stored once")
    return {
        "events": float(len(made)),
        "events_per_second": RATE,
        "p50_ms": statistics.median(taken) * 1000,
        "p99_ms": statistics.quantiles(taken, n=100)[98] * 1000,
        "web_ms_per_event": spent * 1000 / len(made),
        "seconds_until_all_are_applied": worked,
    }


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")
    os.environ |= {"SANDBOX_DELAY_MS": "0", "REDIS_PREFIX": f"bench-{uuid4().hex[:8]}", "LOG_LEVEL": "CRITICAL"}
    with data_servers():
        campaign = scene(CHARGES)
        os.environ["SANDBOX_DELAY_MS"] = str(PROVIDER_DELAY_MS)
        figures = measure(campaign)
    keep("webhooks", {name: round(value, 2) for name, value in figures.items()})


if __name__ == "__main__":
    sys.exit(main())
