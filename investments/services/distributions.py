"""
Proposing a distribution and paying it in: three parts as for an investment (docs/money.md).

One commit stores the proposal and reserves its money in the books; then `services.charging` asks the provider and
writes its answer down.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.access import lock_person
from accounts.errors import KYCRequired
from accounts.models import User
from campaigns.access import access_own_campaign
from campaigns.models import Status as CampaignStatus
from core import events
from core.api.errors import Unauthenticated
from core.api.requests import Ticket
from core.data import sql
from core.data.ids import uuid7
from core.data.transactions import retrying
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
from investments.services.charging import charge, read_charge
from investments.services.declines import origin_of
from investments.services.distribution_charges import outbox_row
from investments.services.outcomes import go_on
from investments.suspensions import suspension_of, suspension_verdict

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
    :raises PaymentMethodNotFound: :raises PaymentMethodExpired: :raises PaymentMethodSuspended: :raises PaymentsHeld:
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
        act=lambda: charge(read_charge(DistributionCharge, _charge_of(distribution_id)), now=now),
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
    suspension_verdict(suspension_of(method)).require()
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
        sql.insert(distribution, charged, outbox_row(charge_id, now, FIRST_TRY), *origin_of(charge_id, now))
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
