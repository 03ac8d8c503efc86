"""
Paying an approved distribution to the holders of its campaign.

The amount is split once, in a commit of its own, in proportion to what each investment holds; then holders are credited
in batches, each with a posting whose key is made of the id of their `Return`. The rows say what is left, so it may die
anywhere, run twice, or run beside itself. Nothing here talks to a provider.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from core import events
from core.data import locks, sql
from core.data.ids import derived_id
from core.data.transactions import retrying
from core.jobs import outbox
from investments import books
from investments.access import holdings_in, is_disputed
from investments.models import HELD_OF_PAYMENT, Distribution, Return
from investments.services.locks import lock_distribution

BATCH = 200
"""Holders per commit: few enough that nobody waits long for a ledger account of theirs."""
BATCHES = 50
"""In one run, so that it ends well before a task's time limit; the rest is left for the next."""
PROMPT = 100
"""To how many holders in one go the notice is sent at once; to the others a little later."""


def distributions_to_pay(now: datetime) -> QuerySet[Distribution, UUID]:
    """Ids of those that are approved and not paid to every holder."""
    approved = Distribution.objects.filter(status=Distribution.Status.APPROVED)
    return approved.order_by("id").values_list("pk", flat=True)


def distribute(distribution_id: UUID, *, now: datetime) -> bool:
    """
    Credit the holders. Doing it again does what is left.

    :returns: whether all of them are credited
    """
    _split(distribution_id, now)
    for _ in range(BATCHES):
        if not _credit_some(distribution_id, now):
            return _end_if_done(distribution_id, now)
    return False


@retrying
def _split(distribution_id: UUID, now: datetime) -> None:
    """
    Write each holder's part, by largest remainder and with ties to the earliest; who would get nothing has none. While
    the payment of its owner is disputed, it waits.
    """
    distribution, charge = lock_distribution(distribution_id)
    if distribution.status != Distribution.Status.APPROVED or distribution.split_at is not None:
        return
    if is_disputed(charge):
        return
    holdings = list(
        holdings_in(distribution.campaign_id)
        .order_by("created_at", "id")
        .annotate(held=HELD_OF_PAYMENT)
        .values_list("pk", "investor_id", "held")
    )
    parts = distribution.amount.split([held for _, _, held in holdings])
    returns = [
        Return(
            id=derived_id(distribution.pk, str(investment_id)),
            distribution=distribution,
            investment_id=investment_id,
            investor_id=investor_id,
            amount_minor=part.minor,
            currency=part.currency,
            created_at=now,
        )
        for (investment_id, investor_id, _), part in zip(holdings, parts, strict=True)
        if part.minor
    ]
    Return.objects.bulk_create(returns, batch_size=1000)
    distribution.split_at = distribution.updated_at = now
    distribution.holder_count = len(returns)
    sql.update(distribution, "split_at", "holder_count", "updated_at")


@retrying
def _credit_some(distribution_id: UUID, now: datetime) -> bool:
    """Returns whether there was anybody to credit."""
    waiting = Return.objects.filter(distribution_id=distribution_id, credited_at=None)
    batch = list(locks.lock(waiting).select_related("investment", "distribution__campaign").order_by("id")[:BATCH])
    if not batch:
        return False
    distribution = batch[0].distribution
    campaign = distribution.campaign
    with outbox.in_bulk(distribution.holder_count > PROMPT), sql.together():
        for one in batch:
            events.record(
                "investment.returned",
                one.investment,
                actor=None,
                now=now,
                amount=one.amount,
                reason=distribution.kind,
                campaign_id=campaign.pk,
                campaign_title=campaign.title,
                investor_id=one.investor_id,
            )
        sql.change(_CREDITED, [now, [one.pk for one in batch]])
        books.credit_returns(
            distribution_id=distribution_id,
            currency=distribution.currency,
            credits=[books.Credited(one.pk, one.investment_id, one.investor_id, one.amount) for one in batch],
            now=now,
        )
    return True


_CREDITED = "UPDATE investments_return SET credited_at = %s WHERE id = ANY(%s)"


@retrying
def _end_if_done(distribution_id: UUID, now: datetime) -> bool:
    distribution, _ = lock_distribution(distribution_id)
    if distribution.status != Distribution.Status.APPROVED:
        return True
    if distribution.split_at is None or distribution.returns.filter(credited_at=None).exists():
        return False
    distribution.status = Distribution.Status.PAID
    distribution.paid_at = distribution.updated_at = now
    sql.update(distribution, "status", "paid_at", "updated_at")
    events.record(
        "distribution.paid",
        distribution,
        actor=None,
        now=now,
        amount=distribution.amount,
        campaign_id=distribution.campaign_id,
        campaign_title=distribution.campaign.title,
        owner_id=distribution.proposed_by_id,
        holders=distribution.holder_count,
    )
    return True
