"""
Paying a distribution: how long it takes to split it and credit every holder, in this process.

PostgreSQL with every commit on disk. At the end what was paid in has arrived to the cent and the books must be clean.

    .venv/bin/python -m bench.distributions [HOW MANY HOLDERS]
"""

import os
import sys
import time
from decimal import Decimal
from typing import Any
from uuid import uuid4

from bench.invest import data_servers
from bench.refunds import scene
from bench.server import cpu_seconds, keep


def approved(campaign: Any) -> Any:
    """A distribution of the settled campaign that is paid in and approved; its notices are not what is measured."""
    from accounts.testing import make_person
    from core import clock
    from core.api.idempotency import NoTicket
    from core.models import OutboxEvent
    from investments.services.closing import close_campaign
    from investments.services.distribution_review import approve_distribution, evidence_of, holders_of
    from investments.services.distributions import propose_distribution
    from investments.testing import make_card

    if not close_campaign(campaign.pk, now=campaign.ends_at):
        raise SystemExit("the campaign is not settled")
    distribution = propose_distribution(
        owner=campaign.owner,
        campaign_id=campaign.pk,
        amount=Decimal("123456.78"),
        kind="dividend",
        payment_method_id=make_card(campaign.owner).pk,
        ticket=NoTicket(),
        now=clock.now(),
    )
    staff = make_person(first_name="Staff", email=f"staff-{uuid4().hex}@example.com", role="admin")
    seen = evidence_of(distribution, distribution.charge, holders_of(campaign.pk))
    approve_distribution(staff=staff, distribution_id=distribution.pk, seen=seen, now=clock.now())
    OutboxEvent.objects.filter(delivered_at=None).update(delivered_at=clock.now())
    return distribution


def measure(distribution: Any, count: int, postgres_pid: int | None) -> dict[str, float]:
    from core import clock
    from investments.services.distributing import distribute

    pids = {"process": os.getpid()} | ({"postgres": postgres_pid} if postgres_pid else {})
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    started = time.perf_counter()
    while not distribute(distribution.pk, now=clock.now()):
        pass
    seconds = time.perf_counter() - started
    spent = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    return {
        "holders": count,
        "seconds": seconds,
        **{f"{name}_ms_per_holder": used * 1000 / count for name, used in spent.items()},
    }


def check(distribution: Any, count: int) -> None:
    """Everybody has their part, once, by our rows and the books."""
    from django.core.management import call_command

    from investments.models import Return
    from ledger.selectors import balances

    call_command("ledger_verify")
    parts = list(Return.objects.filter(distribution=distribution).exclude(credited_at=None))
    account = f"distribution:{distribution.pk}"
    left = balances([account])[account].posted.minor
    if (len(parts), sum(part.amount_minor for part in parts), left) != (count, distribution.amount_minor, 0):
        raise SystemExit(f"{len(parts)} of {count} holders are credited, and {left} is left")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")
    os.environ |= {"SANDBOX_DELAY_MS": "0", "LOG_LEVEL": "ERROR", "REDIS_PREFIX": f"bench-{uuid4().hex[:8]}"}
    with data_servers() as postgres_pid:
        campaign = scene(count)
        distribution = approved(campaign)
        figures = measure(distribution, count, postgres_pid)
        check(distribution, count)
    keep("distributions", {name: round(value, 2) for name, value in figures.items()})


if __name__ == "__main__":
    sys.exit(main())
