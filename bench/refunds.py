"""
Refunds of a cancelled campaign: how fast they end, and what one costs. The provider takes 20 ms.

The platform runs as in production: the worker and its schedule, PostgreSQL with every commit on disk. At the end
everybody has their money back and the books must be clean.

    .venv/bin/python -m bench.refunds [HOW MANY]
"""

import os
import sys
import time
from decimal import Decimal
from typing import Any
from uuid import uuid4

from bench.invest import PROVIDER_DELAY_MS, background, data_servers
from bench.server import cpu_seconds, keep

PEOPLE = 50


def scene(count: int) -> Any:
    """A live campaign with so many investments, all committed."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from accounts.testing import make_person
    from campaigns.testing import make_campaign
    from core import clock
    from core.api.idempotency import NoTicket
    from core.models import OutboxEvent
    from investments.services.investing import place_investment
    from investments.testing import make_card

    def person(name: str) -> Any:
        return make_person(first_name=name, email=f"{name.lower()}-{uuid4().hex}@example.com", identity=True)

    campaign = make_campaign(person("Founder"), max_amount=None)
    backers = [(one, make_card(one)) for one in (person(f"Backer{n}") for n in range(PEOPLE))]
    for number in range(count):
        backer, card = backers[number % PEOPLE]
        place_investment(
            investor=backer,
            campaign_id=campaign.pk,
            amount=Decimal(10),
            payment_method_id=card.pk,
            ticket=NoTicket(),
            now=clock.now(),
        )
    OutboxEvent.objects.filter(delivered_at=None).update(delivered_at=clock.now())  # not what is measured
    return campaign


def measure(campaign: Any, count: int, postgres_pid: int | None) -> dict[str, float]:
    from campaigns.services.closing import cancel_campaign
    from core import clock
    from core.models import OutboxEvent
    from investments.models import Refund

    refunds = Refund.objects.filter(payment__investment__campaign=campaign)
    with background() as worker_pid:
        pids = {"worker": worker_pid} | ({"postgres": postgres_pid} if postgres_pid else {})
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        started = time.perf_counter()
        cancel_campaign(owner=campaign.owner, campaign_id=campaign.pk, now=clock.now())
        while refunds.filter(status="refunded").count() < count:
            time.sleep(0.5)
        seconds = time.perf_counter() - started
        spent = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        while OutboxEvent.objects.filter(delivered_at=None).exists():
            time.sleep(0.5)
        told = time.perf_counter() - started
        spent_in_all = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        campaign.refresh_from_db()
        while campaign.status != "settled":
            time.sleep(0.5)
            campaign.refresh_from_db()
    return {
        "refunds": count,
        "seconds": seconds,
        "refunds_per_second": count / seconds,
        **{f"{name}_ms_per_refund": used * 1000 / count for name, used in spent.items()},
        "seconds_until_everybody_knows": told,
        **{f"{name}_ms_with_notices": used * 1000 / count for name, used in spent_in_all.items()},
    }


def check(campaign: Any, count: int) -> None:
    """Everybody has their money back, once, by our rows, the provider's and the books."""
    from django.core.management import call_command
    from django.db.models import F

    from investments.models import Investment, SandboxRefund

    call_command("ledger_verify")
    kept = Investment.objects.filter(campaign=campaign)
    back = kept.filter(status="refunded", payment__captured_minor=F("payment__refunded_minor")).count()
    charges = kept.values("payment__key")
    sent = SandboxRefund.objects.filter(charge__key__in=charges).count()
    if (kept.count(), back, sent) != (count, count, count):
        raise SystemExit(f"{count} investments, and {back} came back by {sent} refunds of {kept.count()}")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")
    os.environ |= {"SANDBOX_DELAY_MS": "0", "LOG_LEVEL": "ERROR", "REDIS_PREFIX": f"bench-{uuid4().hex[:8]}"}
    with data_servers() as postgres_pid:
        campaign = scene(count)
        os.environ["SANDBOX_DELAY_MS"] = str(PROVIDER_DELAY_MS)
        figures = measure(campaign, count, postgres_pid)
        check(campaign, count)
    keep("refunds", {name: round(value, 2) for name, value in figures.items()})


if __name__ == "__main__":
    sys.exit(main())
