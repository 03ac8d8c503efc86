"""What the outcomes of the charge of an investment mean; `services.charging` asks for it and calls these."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from campaigns.models import Status as CampaignStatus
from campaigns.services.funding import confirm_funding, lock_campaign, release_funding
from core import events
from core.data import sql
from core.jobs import outbox
from core.models import OutboxEvent
from investments.models import Investment, Payment, Refund, Status
from investments.providers.base import Charge
from investments.services.locks import Locked, lock_payment
from investments.services.outcomes import write_answer
from investments.services.refunds import request_refunds
from investments.services.timeline import move, record_event
from investments.services.waiting import offer_free_places
from ledger.services.reservations import post_reserved, void_reserved


def charges() -> QuerySet[Payment]:
    return Payment.objects.select_related("investment__method", "investment__campaign")


def outbox_row(payment_id: UUID, now: datetime, after: timedelta = timedelta(0)) -> OutboxEvent:
    return outbox.row("investments.charge", id=payment_id, now=now, after=after, payment_id=str(payment_id))


def may_wait(payment: Payment, now: datetime) -> bool:
    """While its campaign is open and its time not up; it is, once its investor has given it up."""
    campaign = payment.investment.campaign
    return campaign.status == CampaignStatus.LIVE and now < campaign.ends_at and now < payment.expires_at


def lock(payment_id: UUID) -> Payment:
    return lock_payment(payment_id).payment


def capture(payment: Payment, answer: Charge, now: datetime) -> None:
    investment, campaign = payment.investment, payment.investment.campaign
    write_answer(payment, Payment.Status.CAPTURED, answer, now, captured_minor=investment.amount_minor, action_url="")
    move(investment, Status.COMMITTED, now=now)
    record_event(
        "investment.committed",
        investment,
        campaign,
        now=now,
        owner_id=campaign.owner_id,
        backer_name=investment.investor.name,
    )
    # Last: everybody who invests in this campaign, or through this provider, waits from here to the commit.
    confirm_funding(campaign=campaign, backer_id=investment.investor_id, amount=investment.amount, now=now)
    post_reserved(payment.reservation, now=now)


def after_capture(payment: Payment, now: datetime) -> None:
    """The provider took it all the same, after its investor had given it up: it goes back."""
    if payment.withdrawn_at is None:
        return
    campaign = lock_campaign(payment.investment.campaign_id)
    if campaign.status == CampaignStatus.LIVE:
        locked = Locked(payment.investment.campaign, payment.investment, payment)
        request_refunds([locked], Refund.Reason.WITHDRAWN, now=now, locked_campaign=campaign)


def wait_for_payer(payment: Payment, answer: Charge, now: datetime) -> None:
    """One at a time may wait for a person in a campaign; a second one, begun beside it, is given up."""
    if payment.withdrawn_at:
        return
    investment, campaign = payment.investment, payment.investment.campaign
    lock_campaign(campaign.pk)
    waiting = Investment.objects.filter(
        campaign=campaign, investor_id=investment.investor_id, status=Status.REQUIRES_ACTION
    )
    if waiting.exists():
        payment.expires_at = now
        sql.update(payment, "expires_at")
        return
    write_answer(payment, Payment.Status.REQUIRES_ACTION, answer, now, action_url=answer.action_url)
    move(investment, Status.REQUIRES_ACTION, now=now)
    record_event("investment.requires_action", investment, campaign, now=now)


def give_up(payment: Payment, answer: Charge, now: datetime) -> None:
    investment, campaign = payment.investment, payment.investment.campaign
    reason = "withdrawn" if payment.withdrawn_at else (answer.reason or answer.state)[:40]
    write_answer(payment, Payment.Status.FAILED, answer, now, failure_code=reason, action_url="")
    if payment.withdrawn_at:
        move(investment, Status.CANCELLED, now=now)
        events.record("investment.cancelled", investment, actor=None, now=now, amount=investment.amount, reason=reason)
    else:
        move(investment, Status.FAILED, now=now)
        record_event("investment.failed", investment, campaign, now=now, reason=reason)
    # Last: everybody who invests in this campaign waits from here to the commit.
    campaign = lock_campaign(campaign.pk)
    release_funding(campaign=campaign, amount=investment.amount)
    offer_free_places(campaign, now=now)
    void_reserved(payment.reservation, now=now)
