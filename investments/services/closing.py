"""
The end of a campaign's money: every captured amount is released to the owner or refunded, once (SECURITY-GOALS 15).

Each step is a commit of its own under the campaign's lock and looks first what is left to do, so the job may die
anywhere, run twice, or run beside itself. The rows say where it stands; nothing is remembered elsewhere. Nothing here
talks to a provider: the outbox does.
"""

import logging
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.errors import PaymentsUnderWay
from campaigns.models import Campaign, Status as CampaignStatus
from campaigns.services.closing import decide_campaign, settle_campaign
from campaigns.services.funding import lock_campaign, settle_funding
from core import clock, events
from core.data import sql
from core.data.transactions import retrying
from core.jobs import outbox
from core.money import Money
from investments import books
from investments.access import open_dispute
from investments.errors import CancellationsOpen, ReconfirmationsOpen
from investments.models import HELD, HELD_OF_PAYMENT, UNDER_WAY, Investment, Payment, Refund, Status
from investments.services import fees, settlements, waiting
from investments.services.charging import end_payment
from investments.services.locks import lock_payments
from investments.services.reconfirming import waits_for_answers
from investments.services.refunds import ask_for_sending, refunds_of_ended, request_refunds
from investments.services.timeline import move, record_event

logger = logging.getLogger("vectragrow.payments")

BATCH = 200
"""Investments per commit: few enough that nobody else waits long for the provider's ledger account."""


def campaigns_to_close(now: datetime) -> QuerySet[Campaign, UUID]:
    """
    Ids of campaigns whose deadline has passed, and of those that are decided and not settled; without those that only
    wait for the end of reflection periods.
    """
    only_reflecting = Q(
        Exists(_reflecting(now).filter(campaign=OuterRef("pk"))), status=CampaignStatus.LIVE, reserved_minor=0
    )
    return Campaign.objects.due_at(now).exclude(only_reflecting).order_by("ends_at", "id").values_list("pk", flat=True)


def _reflecting(now: datetime) -> QuerySet[Investment]:
    """Commitments whose reflection period is running."""
    committed = Investment.objects.filter(status=Status.COMMITTED, reflection_ends_at__gt=now)
    return committed.alias(left=HELD_OF_PAYMENT).filter(left__gt=0)


def _refuse_undecided(campaign: Campaign, now: datetime) -> None:
    """
    Under the campaign's lock.

    :raises CancellationsOpen: somebody may still take a commitment back, which would change what decides the campaign
    :raises ReconfirmationsOpen: somebody has not yet answered to new terms, or is not refunded yet
    """
    if _reflecting(now).filter(campaign=campaign).exists():
        raise CancellationsOpen()
    if waits_for_answers(campaign):
        raise ReconfirmationsOpen()


def close_campaign(campaign_id: UUID, *, now: datetime) -> bool:
    """
    Decide and settle one campaign, as far as can be done now. Doing it again does what is left.

    Payments under way come first: what the provider has taken counts, the rest is given up. The outbox asks about them,
    and sends refunds.

    :returns: whether it is settled
    """
    campaign = Campaign.objects.only("status", "ends_at").get(pk=campaign_id)
    if campaign.status == CampaignStatus.LIVE and now < campaign.ends_at:
        return False
    _end_payments(campaign_id, now)
    try:
        campaign = decide_campaign(campaign_id, now=now, check=_refuse_undecided)
    except (PaymentsUnderWay, CancellationsOpen, ReconfirmationsOpen):
        return False
    if campaign.status == CampaignStatus.FUNDED:
        while _release_some(campaign_id, now):
            pass
    elif campaign.status in (CampaignStatus.FAILED, CampaignStatus.CANCELLED):
        while _request_some_refunds(campaign_id, now):
            pass
    while waiting.end_some(campaign_id, now=now):
        pass
    if refunds_of_ended(campaign_id, now).exists():
        ask_for_sending(campaign_id, now=now)
    return _settle_if_done(campaign_id, now)


def _end_payments(campaign_id: UUID, now: datetime) -> None:
    """By the present clock, as the outbox goes by it: `now` may run ahead (`close_campaigns --at`)."""
    moment = min(now, clock.now())
    under_way = Payment.objects.filter(
        investment__campaign_id=campaign_id, status__in=[Payment.Status.PENDING, Payment.Status.REQUIRES_ACTION]
    )
    for payment_id in under_way.order_by("id").values_list("pk", flat=True):
        end_payment(payment_id, now=moment)


@retrying
def _release_some(campaign_id: UUID, now: datetime) -> bool:
    """
    The investors in batches, the whole escrow with the first. What is disputed is in neither; it follows if we win.
    Returns whether some are left.
    """
    batch = lock_payments(_holding(campaign_id).order_by("id").values_list("pk", flat=True)[:BATCH])
    campaign = lock_campaign(campaign_id)
    if campaign.status != CampaignStatus.FUNDED:
        return False
    to_release = campaign.raised_minor and not books.is_released(campaign_id)
    owner_fees = fees.take_from_owner(campaign, now=now) if to_release else {}
    with outbox.in_bulk(len(batch) == BATCH), sql.together():
        for locked in batch:
            if locked.investment.status == Status.COMMITTED and locked.payment.held_minor:
                move(locked.investment, Status.INVESTED, now=now)
                record_event("investment.invested", locked.investment, campaign, now=now, amount=locked.payment.held)
        if to_release:
            settle_funding(campaign_id)
            total_fees = Money(sum(fee.minor for fee in owner_fees.values()), campaign.currency)
            settlements.open_settlement(campaign, gross=campaign.raised, fees=total_fees, now=now)
            books.release_escrow(
                campaign_id=campaign_id, owner_id=campaign.owner_id, amount=campaign.raised, fees=owner_fees, now=now
            )
    return len(batch) == BATCH


@retrying
def _request_some_refunds(campaign_id: UUID, now: datetime) -> bool:
    """Hold the way back of a batch. Returns whether some are left."""
    status = Campaign.objects.values_list("status", flat=True).get(pk=campaign_id)
    cancelled = status == CampaignStatus.CANCELLED
    reason = Refund.Reason.CAMPAIGN_CANCELLED if cancelled else Refund.Reason.CAMPAIGN_FAILED
    batch = lock_payments(_holding(campaign_id).order_by("id").values_list("pk", flat=True)[:BATCH])
    if to_refund := [locked for locked in batch if locked.payment.held_minor]:
        request_refunds(to_refund, reason, now=now)
    return len(batch) == BATCH


def _holding(campaign_id: UUID) -> QuerySet[Payment]:
    """Payments of commitments that hold something which is neither on its way back nor disputed."""
    committed = Payment.objects.filter(investment__campaign_id=campaign_id, investment__status=Status.COMMITTED)
    return committed.alias(left=HELD).filter(left__gt=0)


@retrying
def _settle_if_done(campaign_id: UUID, now: datetime) -> bool:
    """An open dispute does not hold it up: what is frozen is released or refunded when the dispute is won."""
    campaign = lock_campaign(campaign_id)
    if campaign.status == CampaignStatus.SETTLED:
        return True
    under_way = Investment.objects.filter(campaign_id=campaign_id, status__in=UNDER_WAY)
    on_the_way = Refund.objects.filter(payment__investment__campaign_id=campaign_id, status=Refund.Status.PENDING)
    unsettled = [under_way, _holding(campaign_id), on_the_way.exclude(open_dispute("payment"), fee_minor=0)]
    if campaign.status != CampaignStatus.FUNDED:  # a fee goes back with its refund, before the others are earned
        payments = Payment.objects.filter(investment__campaign_id=campaign_id, fee_minor__gt=0)
        unsettled.append(payments.filter(open_dispute("pk")))
    if campaign.status == CampaignStatus.LIVE or any(rows.exists() for rows in unsettled):
        if on_the_way.exclude(Refund.NOT_HELD).exists():
            logger.info("refunds of this campaign wait for people", extra={"campaignId": campaign_id})
        return False
    settle_campaign(campaign, now=now)
    events.record("campaign.money_settled", campaign, actor=None, now=now, raised=campaign.raised)
    fees.earn_what_is_left(campaign, now=now)
    if campaign.outcome == CampaignStatus.FUNDED:
        settlements.advance_soon(campaign_id, now=now)
    return True
