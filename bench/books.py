"""
A campaign of many investments at its end: how long the books take to compare with the provider's statement, to verify,
and to close it, in this process.

PostgreSQL with every commit on disk. Each investment has four entries in the ledger, so 25,000 of them make 100,000.
At the end every investor must hold what was paid, and the books must be clean.

    .venv/bin/python -m bench.books [HOW MANY INVESTMENTS]
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from bench.invest import data_servers
from bench.refunds import scene
from bench.server import keep


def seconds_of(work: Callable[[], Any]) -> float:
    """:raises SystemExit: it did not succeed"""
    started = time.perf_counter()
    if not work():
        raise SystemExit(f"{work.__name__} did not succeed")
    return time.perf_counter() - started


def measure(campaign: Any) -> dict[str, float]:
    from core import clock
    from investments.reconciliation import reconcile
    from investments.services.closing import close_campaign
    from ledger.faults import find_faults
    from ledger.models import Entry

    def compare() -> bool:
        return reconcile("sandbox", now=clock.now()).is_clean

    def verify() -> bool:
        return not list(find_faults())

    def close() -> bool:
        return close_campaign(campaign.pk, now=campaign.ends_at)

    figures = {"entries": float(Entry.objects.count()), "reconcile_seconds": seconds_of(compare)}
    figures |= {"verify_seconds": seconds_of(verify), "close_seconds": seconds_of(close)}
    return figures | {"reconcile_after_closing_seconds": seconds_of(compare)}


def check(campaign: Any, count: int) -> None:
    """Everybody's investment is held, and the owner is owed all of it."""
    from investments.models import Investment

    held = Investment.objects.filter(campaign=campaign, status="invested").count()
    campaign.refresh_from_db()
    found = held, campaign.status, campaign.settled_minor
    if found != (count, "settled", count * 10_00):
        raise SystemExit(f"{count} investments, and there are {found}")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 25_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")
    os.environ |= {"SANDBOX_DELAY_MS": "0", "LOG_LEVEL": "ERROR", "REDIS_PREFIX": f"bench-{uuid4().hex[:8]}"}
    os.environ |= {"DATABASE_STATEMENT_WAIT": "600"}
    with data_servers():
        campaign = scene(count)
        figures = measure(campaign)
        check(campaign, count)
    keep("books", {"investments": count} | {name: round(value, 2) for name, value in figures.items()})


if __name__ == "__main__":
    sys.exit(main())
