"""
What the hot reads cost PostgreSQL with ten thousand and with a million rows in each table: pages touched, milliseconds.

By EXPLAIN, so with the plan for the values that are asked. What belongs to the person who asks is the same in both, so
the cost may not grow by more than a quarter.
"""

import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bench.platform import VIEWER, running
from bench.server import keep

TRIES = 15


def measured(rows: int) -> dict[str, tuple[float, float]]:
    """Pages and milliseconds (median) of each read, with so many rows."""
    with running(rows):
        return {name: costs(read) for name, read in reads().items()}


def costs(read: Callable[[], Any]) -> tuple[float, float]:
    """Pages and milliseconds (median) of all that a read asks PostgreSQL for."""
    figures = []
    for _ in range(TRIES):
        with explaining() as plans:
            read()
        figures.append((sum(map(pages, plans)), sum(map(milliseconds, plans))))
    touched, took = zip(*figures, strict=True)
    return statistics.median(touched), statistics.median(took)


@contextmanager
def explaining() -> Iterator[list[str]]:
    """The plans of all that this process reads meanwhile, prepared or not. Each is run once more for it."""
    from django.db import connection

    plans: list[str] = []

    def explain(execute: Any, statement: Any, values: Any, many: bool, context: Any) -> Any:
        if str(statement).lstrip().startswith(("SELECT", "WITH")):
            execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {statement}", values, many, context)
            plans.append("\n".join(line for (line,) in context["cursor"].fetchall()))
        return execute(statement, values, many, context)

    with connection.execute_wrapper(explain):
        yield plans


def reads() -> dict[str, Callable[[], Any]]:
    from django.utils import timezone

    from accounts.models import User
    from campaigns import selectors as campaigns
    from chat import reads as chat
    from chat.models import Conversation
    from investments import selectors as investments
    from investments.access import access_investment
    from notifications import selectors as notifications

    me, now = User.objects.get(email=VIEWER), timezone.now()
    listed = campaigns.campaign_rows(me, now=now, limit=11)
    invested = investments.investment_rows(me, limit=11)[3]
    group = Conversation.objects.get(type="group").pk
    return {
        "campaign list": lambda: campaigns.campaign_rows(me, now=now, limit=11),
        "campaign list, most funded": lambda: campaigns.campaign_rows(me, now=now, sort="most_funded", limit=11),
        "campaign list of a category": lambda: campaigns.campaign_rows(me, now=now, category="energy", limit=11),
        "campaign list, trending": lambda: campaigns.campaign_rows(me, now=now, sort="trending", limit=11),
        "campaign page": lambda: campaigns.campaign_page(me, listed[5].id, now),
        "campaign updates": lambda: campaigns.update_rows(me, listed[5].id, now, limit=11),
        "message page": lambda: chat.message_rows(me, group, part={"limit": 51}),
        "conversation list": lambda: chat.conversation_rows(me, limit=11),
        "notifications": lambda: notifications.inbox_rows(me.pk, limit=11),
        "investment list": lambda: investments.investment_cards(investments.investment_rows(me, limit=11), now),
        "investment page": lambda: investments.investment_page(access_investment(me, invested.id), now),
    }


def pages(plan: str) -> int:
    """Shared pages that the whole statement touched, whether or not they were in memory."""
    first = next((line for line in plan.splitlines() if "Buffers: shared" in line), "")
    return sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", first))


def milliseconds(plan: str) -> float:
    found = re.search(r"Execution Time: ([0-9.]+) ms", plan)
    return float(found[1]) if found else 0.0


def main() -> None:
    match sys.argv[1:]:
        case [rows]:
            for name, (touched, took) in measured(int(rows)).items():
                sys.stdout.write(f"{name}\t{touched}\t{took}\n")
        case _:  # Django is set up once per process
            few, many = (_of(rows) for rows in ("10000", "1000000"))
            keep("growth-pages", {name: many[name][0] / few[name][0] for name in few})
            keep("growth-milliseconds", {name: many[name][1] / few[name][1] for name in few})


def _of(rows: str) -> dict[str, tuple[float, float]]:
    told = subprocess.run(
        [sys.executable, "-m", "bench.growth", rows], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split("\t") for line in told.splitlines() if line.count("\t") == 2]
    return {name: (float(touched), float(took)) for name, touched, took in lines}


if __name__ == "__main__":
    sys.exit(main())
