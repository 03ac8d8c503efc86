"""
Placing an investment. Three parts (SECURITY-GOALS 10): one commit that sets the room, the money and the question to the
provider aside; the question, outside of any transaction; one commit with the answer (`services.payments`).
"""

import logging
import secrets
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError

from accounts.errors import EmailNotVerified, KYCRequired
from accounts.models import User
from campaigns.access import access_campaign
from campaigns.services.funding import reserve_funding
from core.api.errors import OutcomeUnknown, Unauthenticated
from core.api.requests import Ticket
from core.data.ids import uuid7
from core.data.transactions import retrying
from core.events import audit
from core.jobs import outbox
from core.money import Money
from investments import books
from investments.access import access_investment, access_payment_method
from investments.errors import ConfirmationPending, PaymentDeclined, PaymentMethodExpired, TooManyOpenPayments
from investments.models import UNDER_WAY, Investment, InvestmentEvent, Payment, Status
from investments.services import payments
from investments.services.locks import lock_person
from investments.services.timeline import note

logger = logging.getLogger("vectragrow.payments")

FIRST_TRY = timedelta(seconds=30)
"""The request itself asks the provider at once; the outbox asks after this should it have died."""
OPEN_PAYMENTS = 5
"""Payments of one person that may be under way at once, over all campaigns."""


def place_investment(
    *,
    investor: User,
    campaign_id: UUID,
    amount: Decimal,
    payment_method_id: UUID,
    ticket: Ticket,
    now: datetime,
    currency: str = "",
) -> Investment:
    """
    Invest `amount` (major units of the campaign's currency, or of `currency`, which must be the same).

    Comes back `committed`, `requires_action`, or `pending` when the outcome is not known yet, whatever hindered us
    after the first commit; the finisher then finds out. A repeat goes on with what `ticket.result_id` names.

    :raises NotFound: a campaign that is not to be seen
    :raises PaymentMethodNotFound: :raises PaymentMethodExpired:
    :raises OwnCampaign: :raises CampaignClosed: :raises CampaignNotOpen: :raises CurrencyMismatch:
    :raises BelowMinimum: :raises OverCap: see `campaigns.services.funding.reserve_funding`
    :raises TooManyOpenPayments: :raises ConfirmationPending: nothing was begun
    :raises PaymentDeclined: nothing was taken
    :raises OutcomeUnknown: a repeat that could not even look
    """
    begun = None
    if ticket.result_id is None:
        begun = _begin(investor, campaign_id, amount, currency, payment_method_id, ticket, now)
    investment = _go_on(investor, ticket.result_id or begun.pk, begun, now)  # type: ignore[union-attr]
    if investment.status == Status.PENDING:
        ticket.leave_open()
    if investment.status == Status.FAILED:
        raise PaymentDeclined(reason=investment.payment.failure_code, investment_id=investment.pk)
    return investment


def _go_on(investor: User, investment_id: UUID, begun: Investment | None, now: datetime) -> Investment:
    """After the first commit nothing is refused any more: what cannot be found out now is pending."""
    try:
        payments.charge(Payment.objects.values_list("pk", flat=True).get(investment_id=investment_id), now=now)
    except Exception:
        logger.exception("a charge is not recorded yet", extra={"investmentId": investment_id})
    try:
        return access_investment(investor, investment_id)
    except DatabaseError as error:
        if begun is None:
            raise OutcomeUnknown() from error
        return begun


@retrying
def _begin(
    investor: User,
    campaign_id: UUID,
    amount: Decimal,
    currency: str,
    payment_method_id: UUID,
    ticket: Ticket,
    now: datetime,
) -> Investment:
    campaign = access_campaign(investor, campaign_id)
    money = Money.of(amount, currency or campaign.currency)
    investor = lock_person(investor.pk)
    _refuse_lost_standing(investor)
    _refuse_too_many(investor, campaign_id)
    method = access_payment_method(investor, payment_method_id)
    if method.is_expired_on(now.date()):
        raise PaymentMethodExpired()
    reserve_funding(campaign_id=campaign_id, backer=investor, amount=money, now=now)
    investment = Investment(
        campaign=campaign,
        investor=investor,
        method=method,
        amount_minor=money.minor,
        currency=money.currency,
        reference=_reference(),
        cancellable_until=campaign.ends_at - settings.CANCEL_WINDOW,
        created_at=now,
        updated_at=now,
    )
    investment.save(force_insert=True)
    payment_id = uuid7()
    note(investment, InvestmentEvent.Kind.PLACED, now=now)
    outbox.emit("investments.charge", now=now, after=FIRST_TRY, payment_id=str(payment_id))
    audit.record(investor, "investment.placed", investment, amount=money.text, currency=money.currency)
    ticket.bind(investment.pk)
    Payment.objects.create(
        id=payment_id,
        investment=investment,
        provider=method.provider,
        key=f"payment-{payment_id}",
        # Last: everybody who pays in by this provider waits from here to the commit (docs/ledger.md, locks).
        reservation=books.reserve_charge(
            investment_id=investment.pk, campaign_id=campaign_id, provider=method.provider, amount=money, now=now
        ),
        expires_at=now + settings.PAYMENT_WINDOW,
        created_at=now,
        updated_at=now,
    )
    return access_investment(investor, investment.pk)


def _refuse_too_many(investor: User, campaign_id: UUID) -> None:
    """Under the person's lock: what waits for them takes room from everybody else."""
    under_way = Investment.objects.filter(investor=investor, status__in=UNDER_WAY)
    waiting = under_way.filter(campaign_id=campaign_id, status=Status.REQUIRES_ACTION).first()
    if waiting is not None:
        raise ConfirmationPending(investment_id=waiting.pk)
    if under_way.count() >= OPEN_PAYMENTS:
        raise TooManyOpenPayments(most=OPEN_PAYMENTS)


def _refuse_lost_standing(investor: User) -> None:
    """The gates looked before the lock; this looks after it (SECURITY-GOALS 49)."""
    if not investor.is_active:
        raise Unauthenticated()
    if not investor.email_verified:
        raise EmailNotVerified()
    if not investor.kyc_verified:
        raise KYCRequired()


def _reference() -> str:
    letters = "".join(secrets.choice("23456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(8))
    return f"VG-{letters[:4]}-{letters[4:]}"
