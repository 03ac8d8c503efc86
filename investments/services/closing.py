"""
The end of a campaign's money: every captured amount is released to the owner or refunded, once (SECURITY-GOALS 15).

Each step is a commit of its own under the campaign's lock and looks first what is left to do, so the job may die
anywhere, run twice, or run beside itself. The rows say where it stands; nothing is remembered elsewhere.
"""

from collections import Counter
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db.models import F

from campaigns.errors import PaymentsUnderWay
from campaigns.models import Campaign, Status as CampaignStatus
from campaigns.services.closing import decide_campaign, settle_campaign
from campaigns.services.funding import lock_campaign
from core import events
from core.data import sql
from core.data.transactions import retrying
from core.jobs.runner import each
from investments import books
from investments.models import Investment, Payment, Refund, Status
from investments.services.locks import lock_payments
from investments.services.payments import finish
from investments.services.refunds import due_refunds, request_refunds, send_refund
from investments.services.timeline import move, record_event

BATCH = 200
"""Investments per commit: few enough that nobody else waits long for the provider's ledger account."""


def close_campaigns(*, now: datetime) -> Counter[str]:
    """
    Close every campaign whose deadline has passed and settle every one that is decided, as far as can be done now.

    :returns: how many are `settled`, and how many are `waiting` for a provider or another copy of the job; those are
        taken up next time
    """
    due = Campaign.objects.due_at(now).order_by("ends_at", "id").values_list("pk", flat=True)
    tally = each(due, partial(close_campaign, now=now), what="campaign")
    return +Counter(settled=tally.done, waiting=tally.left + tally.failed)


def close_campaign(campaign_id: UUID, *, now: datetime) -> bool:
    """
    Decide and settle one campaign. Doing it again does what is left.

    Payments under way are finished first: what the provider has taken counts, the rest is given up.

    :returns: whether it is settled
    """
    campaign = Campaign.objects.only("status", "ends_at").get(pk=campaign_id)
    if campaign.status == CampaignStatus.LIVE and now < campaign.ends_at:
        return False
    under_way = Payment.objects.filter(
        investment__campaign_id=campaign_id, status__in=[Payment.Status.PENDING, Payment.Status.REQUIRES_ACTION]
    )
    each(under_way.order_by("id").values_list("pk", flat=True), partial(finish, now=now), what="payment")
    try:
        campaign = decide_campaign(campaign_id, now=now)
    except PaymentsUnderWay:
        return False
    if campaign.status == CampaignStatus.FUNDED:
        while _release_some(campaign_id, now):
            pass
    elif campaign.status in (CampaignStatus.FAILED, CampaignStatus.CANCELLED):
        while _request_some_refunds(campaign_id, now):
            pass
    _send_refunds(campaign_id, now)
    return _settle_if_done(campaign_id, now)


@retrying
def _release_some(campaign_id: UUID, now: datetime) -> bool:
    """The investors in batches, the whole escrow with the first. Returns whether some are left."""
    committed = Payment.objects.filter(investment__campaign_id=campaign_id, investment__status=Status.COMMITTED)
    batch = lock_payments(committed.order_by("id").values_list("pk", flat=True)[:BATCH])
    campaign = lock_campaign(campaign_id)
    if campaign.status != CampaignStatus.FUNDED:
        return False
    with sql.together():
        for locked in batch:
            if locked.investment.status == Status.COMMITTED:
                move(locked.investment, Status.INVESTED, now=now)
                record_event("investment.invested", locked.investment, campaign, now=now, amount=locked.payment.held)
        books.release_escrow(campaign_id=campaign_id, owner_id=campaign.owner_id, amount=campaign.raised, now=now)
    return len(batch) == BATCH


@retrying
def _request_some_refunds(campaign_id: UUID, now: datetime) -> bool:
    """Hold the way back of a batch. Returns whether some are left."""
    status = Campaign.objects.values_list("status", flat=True).get(pk=campaign_id)
    cancelled = status == CampaignStatus.CANCELLED
    reason = Refund.Reason.CAMPAIGN_CANCELLED if cancelled else Refund.Reason.CAMPAIGN_FAILED
    holding = Payment.objects.filter(
        investment__campaign_id=campaign_id, investment__status=Status.COMMITTED, captured_minor__gt=F("refunded_minor")
    )
    batch = lock_payments(holding.order_by("id").values_list("pk", flat=True)[:BATCH])
    if to_refund := [locked for locked in batch if locked.payment.held_minor]:
        request_refunds(to_refund, reason, now=now)
    return len(batch) == BATCH


def _send_refunds(campaign_id: UUID, now: datetime) -> None:
    due = due_refunds(now).filter(payment__investment__campaign_id=campaign_id)
    each(due.order_by("id").values_list("pk", flat=True), partial(send_refund, now=now), what="refund")


@retrying
def _settle_if_done(campaign_id: UUID, now: datetime) -> bool:
    campaign = lock_campaign(campaign_id)
    if campaign.status == CampaignStatus.SETTLED:
        return True
    unsettled = Investment.objects.filter(
        campaign_id=campaign_id, status__in=[Status.PENDING, Status.REQUIRES_ACTION, Status.COMMITTED]
    )
    on_the_way = Refund.objects.filter(payment__investment__campaign_id=campaign_id, status=Refund.Status.PENDING)
    if campaign.status == CampaignStatus.LIVE or unsettled.exists() or on_the_way.exists():
        return False
    settle_campaign(campaign, now=now)
    events.record("campaign.money_settled", campaign, actor=None, now=now, raised=campaign.raised)
    return True
