"""
What the outcomes of the charge that pays a distribution in mean; `services.charging` asks for it and calls these.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from core import events
from core.data import sql
from core.jobs import outbox
from core.models import OutboxEvent
from investments.models import Distribution, DistributionCharge
from investments.providers.base import Charge
from investments.services.locks import lock_distribution
from investments.services.outcomes import write_answer
from ledger.services.reservations import post_reserved, void_reserved

Status = DistributionCharge.Status


def charges() -> QuerySet[DistributionCharge]:
    return DistributionCharge.objects.select_related("distribution", "method")


def outbox_row(charge_id: UUID, now: datetime, after: timedelta = timedelta(0)) -> OutboxEvent:
    return outbox.row("investments.pay_in", id=charge_id, now=now, after=after, charge_id=str(charge_id))


def may_wait(charge: DistributionCharge, now: datetime) -> bool:
    return now < charge.expires_at


def lock(charge_id: UUID) -> DistributionCharge:
    distribution_id = DistributionCharge.objects.values_list("distribution_id", flat=True).get(pk=charge_id)
    _, charge = lock_distribution(distribution_id)
    return charge


def capture(charge: DistributionCharge, answer: Charge, now: datetime) -> None:
    write_answer(charge, Status.CAPTURED, answer, now, action_url="")
    _record("distribution.paid_in", charge.distribution, now)
    post_reserved(charge.reservation, now=now)


def after_capture(charge: DistributionCharge, now: datetime) -> None:
    """Staff decide on it."""


def wait_for_payer(charge: DistributionCharge, answer: Charge, now: datetime) -> None:
    write_answer(charge, Status.REQUIRES_ACTION, answer, now, action_url=answer.action_url)


def give_up(charge: DistributionCharge, answer: Charge, now: datetime) -> None:
    """The distribution ends with it."""
    distribution, reason = charge.distribution, (answer.reason or answer.state)[:40]
    write_answer(charge, Status.FAILED, answer, now, failure_code=reason, action_url="")
    distribution.status = Distribution.Status.REJECTED
    distribution.decided_at = distribution.updated_at = now
    sql.update(distribution, "status", "decided_at", "updated_at")
    _record("distribution.payment_failed", distribution, now, reason=reason)
    void_reserved(charge.reservation, now=now)


def _record(kind: str, distribution: Distribution, now: datetime, **facts: object) -> None:
    campaign = distribution.campaign
    events.record(
        kind,
        distribution,
        actor=None,
        now=now,
        amount=distribution.amount,
        campaign_id=campaign.pk,
        campaign_title=campaign.title,
        owner_id=distribution.proposed_by_id,
        **facts,
    )
