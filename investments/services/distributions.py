"""
Proposing a distribution and paying it in: three parts as for an investment (docs/money.md).

One commit stores the proposal and reserves its money in the books; the provider is asked outside of any transaction;
`record_charge` writes its answer down, in any order and number.
"""

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.access import lock_person
from accounts.errors import KYCRequired
from accounts.models import User
from campaigns.access import access_own_campaign
from campaigns.models import Status as CampaignStatus
from core import events
from core.api.errors import Unauthenticated
from core.api.requests import Ticket
from core.data import locks, sql
from core.data.ids import uuid7
from core.data.transactions import retrying
from core.jobs import outbox
from core.models import OutboxEvent
from core.money import Money
from investments import books
from investments.access import access_payment_method
from investments.errors import (
    DistributionDeclined,
    DistributionUnderWay,
    NothingToDistributeTo,
    PaymentMethodExpired,
)
from investments.models import Distribution, DistributionCharge
from investments.providers import asking
from investments.providers.base import Charge, OutcomeUnknown, State
from investments.services.outcomes import go_on
from investments.services.payments import FINISH_AFTER, UnexpectedCharge
from ledger.services.reservations import post_reserved, void_reserved

logger = logging.getLogger("vectragrow.payments")

FIRST_TRY = timedelta(seconds=30)
"""The request itself asks the provider at once; the outbox asks after this should it have died."""
ChargeStatus = DistributionCharge.Status


def propose_distribution(
    *,
    owner: User,
    campaign_id: UUID,
    amount: Decimal,
    kind: str,
    payment_method_id: UUID,
    ticket: Ticket,
    now: datetime,
    note: str = "",
) -> Distribution:
    """
    Propose to distribute `amount` (major units of the campaign's currency) and pay it in.

    Comes back `proposed`; its charge is captured, waits for its owner, or is pending when the outcome is not known yet.
    A repeat goes on with what `ticket.result_id` names.

    :raises NotFound: :raises NotTheOwner: a campaign that is not one's own
    :raises NothingToDistributeTo: it is not settled, or was not funded
    :raises PaymentMethodNotFound: :raises PaymentMethodExpired:
    :raises DistributionUnderWay: the payment of another one is not done yet
    :raises DistributionDeclined: nothing was taken
    :raises OutcomeUnknown: a repeat that could not even look
    """
    begun = None
    if ticket.result_id is None:
        begun = _begin(owner, campaign_id, amount, kind, note, payment_method_id, ticket, now)
    distribution_id: UUID = begun.pk if begun is not None else ticket.result_id  # type: ignore[assignment]
    distribution = go_on(
        distribution_id,
        act=lambda: charge(_charge_of(distribution_id), now=now),
        look=lambda: Distribution.objects.select_related("charge").get(pk=distribution_id),
        begun=begun,
    )
    if distribution.charge.status == ChargeStatus.PENDING:
        ticket.leave_open()
    if distribution.charge.status == ChargeStatus.FAILED:
        raise DistributionDeclined(reason=distribution.charge.failure_code, distribution_id=distribution.pk)
    return distribution


def _charge_of(distribution_id: UUID) -> UUID:
    return DistributionCharge.objects.values_list("pk", flat=True).get(distribution_id=distribution_id)


def open_charges_of(campaign_id: UUID) -> QuerySet[DistributionCharge]:
    """Payments for distributions of a campaign that are not done yet."""
    under_way = [ChargeStatus.PENDING, ChargeStatus.REQUIRES_ACTION]
    return DistributionCharge.objects.filter(distribution__campaign=campaign_id, status__in=under_way)


@retrying
def _begin(
    owner: User,
    campaign_id: UUID,
    amount: Decimal,
    kind: str,
    note: str,
    payment_method_id: UUID,
    ticket: Ticket,
    now: datetime,
) -> Distribution:
    owner = lock_person(owner.pk)
    campaign = access_own_campaign(owner, campaign_id)
    money = Money.of(amount, campaign.currency)
    if not owner.is_active:
        raise Unauthenticated()
    if not owner.kyc_verified:
        raise KYCRequired()
    if not can_distribute(campaign):
        raise NothingToDistributeTo()
    method = access_payment_method(owner, payment_method_id)
    if method.is_expired_on(now.date()):
        raise PaymentMethodExpired()
    if open_charges_of(campaign.pk).exists():
        raise DistributionUnderWay()
    distribution = Distribution(
        campaign=campaign,
        proposed_by=owner,
        kind=kind,
        note=note,
        amount_minor=money.minor,
        currency=money.currency,
        created_at=now,
        updated_at=now,
    )
    charge_id = uuid7()
    with sql.together():
        charged = DistributionCharge(
            id=charge_id,
            distribution=distribution,
            method=method,
            provider=method.provider,
            key=f"distribution-{charge_id}",
            reservation=books.reserve_distribution_charge(
                distribution_id=distribution.pk, provider=method.provider, amount=money, now=now
            ),
            expires_at=now + settings.PAYMENT_WINDOW,
            created_at=now,
            updated_at=now,
        )
        sql.insert(distribution, charged, _own_event(charge_id, now, FIRST_TRY))
        events.record(
            "distribution.proposed",
            distribution,
            actor=owner,
            now=now,
            campaign_id=campaign.pk,
            amount=money,
            distribution_kind=kind,
        )
        ticket.bind(distribution.pk)
    return distribution


def can_distribute(campaign: Any) -> bool:
    """
    Whether it has holders: it was funded, and its money is settled.

    :param campaign: a `Campaign`, or a row with its columns
    """
    is_funded = campaign.status == CampaignStatus.SETTLED and campaign.outcome == CampaignStatus.FUNDED
    return bool(is_funded and campaign.settled_minor > 0)


def charge(charge_id: UUID, *, now: datetime) -> bool:
    """
    Ask the provider for the money of a pending charge and record what it says.

    :returns: False if the provider did not answer; ask again
    """
    asked = DistributionCharge.objects.select_related("distribution", "method").get(pk=charge_id)
    if asked.status != ChargeStatus.PENDING:
        return True
    try:
        with asking(asked.provider) as provider:
            answer = provider.charge(
                key=asked.key,
                payer_id=asked.distribution.proposed_by_id,
                token=asked.method.token,
                amount=asked.amount,
                now=now,
            )
    except OutcomeUnknown:
        logger.warning("the provider did not answer a charge", extra={"chargeId": charge_id}, exc_info=True)
        return False
    record_charge(charge_id, answer, now=now)
    return True


def finish(charge_id: UUID, *, now: datetime) -> bool:
    """
    Bring a charge that is under way to its end, as far as that can be known now. Once its time is up it is cancelled at
    the provider: what was captured by then counts, the rest is given up.

    :returns: False if the provider did not answer
    """
    asked = DistributionCharge.objects.get(pk=charge_id)
    if not asked.is_open:
        return True
    DistributionCharge.objects.filter(pk=charge_id).update(updated_at=now)  # looked after: not again for a minute
    is_open = now < asked.expires_at
    if is_open and asked.status == ChargeStatus.PENDING:
        return charge(charge_id, now=now)
    try:
        with asking(asked.provider) as provider:
            answer = provider.find(key=asked.key) if is_open else provider.cancel(key=asked.key, now=now)
    except OutcomeUnknown:
        logger.warning("the provider did not answer about a charge", extra={"chargeId": charge_id}, exc_info=True)
        return False
    if answer is not None:
        record_charge(charge_id, answer, now=now)
    return True


def quiet_charges(now: datetime) -> QuerySet[DistributionCharge, UUID]:
    """Ids of charges under way that nobody has asked about for a minute, or whose time is up."""
    waiting = DistributionCharge.objects.filter(status__in=[ChargeStatus.PENDING, ChargeStatus.REQUIRES_ACTION])
    quiet = Q(updated_at__lte=now - FINISH_AFTER) | Q(expires_at__lte=now)
    due = waiting.filter(quiet).exclude(outbox.is_waiting(now))
    return due.order_by("updated_at", "id").values_list("pk", flat=True)


@retrying
def ask_about(charge_id: UUID, *, now: datetime) -> None:
    """Put a charge back into the outbox, which calls `finish`."""
    outbox.put_back(_own_event(charge_id, now))


def _own_event(charge_id: UUID, now: datetime, after: timedelta = timedelta(0)) -> OutboxEvent:
    return outbox.row("investments.pay_in", id=charge_id, now=now, after=after, charge_id=str(charge_id))


def lock_distribution(distribution_id: UUID) -> tuple[Distribution, DistributionCharge]:
    """
    A distribution with its charge, as they are now.

    :raises Distribution.DoesNotExist:
    """
    distribution = locks.lock(Distribution.objects.select_related("campaign")).get(pk=distribution_id)
    charged = locks.lock(DistributionCharge.objects.select_related("reservation")).get(distribution=distribution)
    charged.distribution = distribution
    return distribution, charged


@retrying
def record_charge(charge_id: UUID, answer: Charge, *, now: datetime) -> DistributionCharge:
    """
    Record the provider's answer about a charge, in one commit. Repeating it changes nothing.

    :raises UnexpectedCharge: it contradicts what is settled; nothing is changed
    """
    distribution_id = DistributionCharge.objects.values_list("distribution_id", flat=True).get(pk=charge_id)
    distribution, charged = lock_distribution(distribution_id)
    was_open = charged.is_open
    with sql.together():
        if answer.state == State.CAPTURED:
            if answer.amount != charged.amount:
                raise UnexpectedCharge(f"{charged.key}: {answer.amount} instead of {charged.amount}")
            if charged.status == ChargeStatus.FAILED:
                raise UnexpectedCharge(f"{charged.key}: captured after it was given up")
            if was_open:
                _write(charged, ChargeStatus.CAPTURED, answer, now, action_url="")
                _record("distribution.paid_in", distribution, now)
                post_reserved(charged.reservation, now=now)
        elif answer.state == State.REQUIRES_ACTION:
            if charged.status == ChargeStatus.PENDING:
                _write(charged, ChargeStatus.REQUIRES_ACTION, answer, now, action_url=answer.action_url)
        elif was_open:
            _give_up(distribution, charged, answer, now)
        if was_open and not charged.is_open:
            outbox.done(charged.pk, now=now)
    return charged


def _give_up(distribution: Distribution, charged: DistributionCharge, answer: Charge, now: datetime) -> None:
    reason = (answer.reason or answer.state)[:40]
    _write(charged, ChargeStatus.FAILED, answer, now, failure_code=reason, action_url="")
    distribution.status = Distribution.Status.REJECTED
    distribution.decided_at = distribution.updated_at = now
    sql.update(distribution, "status", "decided_at", "updated_at")
    _record("distribution.payment_failed", distribution, now, reason=reason)
    void_reserved(charged.reservation, now=now)


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


def _write(charged: DistributionCharge, status: str, answer: Charge, now: datetime, **changes: object) -> None:
    changes = {"status": status, "provider_id": answer.provider_id, "updated_at": now, **changes}
    for name, value in changes.items():
        setattr(charged, name, value)
    sql.update(charged, *changes)
