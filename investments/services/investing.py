"""
Placing an investment. Three parts (SECURITY-GOALS 10): one commit that reserves the amount in the campaign and
the books and stores the request; the provider call, outside of any transaction; one commit with its answer
(`services.charging`).
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from accounts.access import person_read
from accounts.errors import EmailNotVerified, KYCRequired
from accounts.models import User
from campaigns.access import access_campaign
from campaigns.errors import CurrencyMismatch
from campaigns.fees import Due
from campaigns.models import PUBLIC, Campaign
from campaigns.rules import Rules
from campaigns.services.early_close import lock_by_clock
from campaigns.services.funding import open_verdict, require_room, reserve_funding
from campaigns.verdicts import ALLOWED, Verdict
from core import events
from core.api.errors import NotFound, Unauthenticated
from core.api.requests import Ticket
from core.data import locks, sql
from core.data.ids import uuid7
from core.data.transactions import retrying
from core.jobs import outbox
from core.money import Money
from investments import books
from investments.access import CARD, CARD_MODELS, access_investment, as_card, is_protected
from investments.eligibility import may_invest
from investments.errors import (
    ConfirmationPending,
    FeeChanged,
    PaymentDeclined,
    PaymentMethodExpired,
    PaymentMethodNotFound,
    TooManyOpenPayments,
)
from investments.facts import investor_facts
from investments.models import UNDER_WAY, Investment, Payment, PaymentMethod, Status, WaitingEntry
from investments.services import charging, fees, waiting
from investments.services.declines import origin_of
from investments.services.outcomes import go_on
from investments.services.profiles import acknowledge, text_named
from investments.suspensions import suspension, suspension_verdict
from investments.texts import Text

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
    total: Decimal | None = None,
    accepted_warnings: Sequence[Mapping[str, str]] = (),
) -> Investment:
    """
    Invest `amount` (major units of the campaign's currency, or of `currency`, which must be the same).

    Comes back `committed`, `requires_action`, or `pending` when the outcome is not known yet, whatever hindered us
    after the first commit; the finisher then finds out. A repeat goes on with what `ticket.result_id` names.

    :param total: what the investor was shown as the whole charge, fees included, in major units
    :raises NotFound: a campaign that is not to be seen
    :raises PaymentMethodNotFound: :raises PaymentMethodExpired: :raises PaymentMethodSuspended: :raises PaymentsHeld:
    :raises OwnCampaign: :raises CampaignClosed: :raises CampaignNotOpen: :raises CurrencyMismatch:
    :raises BelowMinimum: :raises OverCap: see `campaigns.services.funding.reserve_funding`
    :raises TooManyOpenPayments: :raises ConfirmationPending: :raises FeeChanged: nothing was begun
    :raises Refusal: the campaign's rule set does not allow it: see `investments.eligibility.may_invest`
    :raises PaymentDeclined: nothing was taken
    :raises OutcomeUnknown: a repeat that could not even look
    """

    def begin() -> Investment:
        warnings = _texts_of(accepted_warnings)
        return _begin(investor, campaign_id, amount, currency, total, payment_method_id, warnings, ticket, now)

    return _place(investor, ticket, now, begin=begin)


def accept_offer(
    *,
    investor: User,
    campaign_id: UUID,
    ticket: Ticket,
    now: datetime,
    payment_method_id: UUID | None = None,
    total: Decimal | None = None,
    accepted_warnings: Sequence[Mapping[str, str]] = (),
) -> Investment:
    """
    Invest what the waiting list offers somebody, in the same way.

    :param payment_method_id: in place of the one that the entry names
    :raises NotWaiting: :raises NoOffer: :raises OfferExpired: see `waiting.lock_offer`
    :raises NotFound: and the others of `place_investment`, without BelowMinimum and OverCap
    """

    def begin() -> Investment:
        warnings = _texts_of(accepted_warnings)
        return _begin_accepted(investor, campaign_id, total, payment_method_id, warnings, ticket, now)

    return _place(investor, ticket, now, begin=begin)


def _texts_of(accepted: Sequence[Mapping[str, str]]) -> list[Text]:
    return [text_named(one["id"], one["version"], field="acceptedWarnings") for one in accepted]


def _place(investor: User, ticket: Ticket, now: datetime, *, begin: Callable[[], Investment]) -> Investment:
    """:param begin: the first commit, unless `ticket` says that there was one"""
    begun = begin() if ticket.result_id is None else None
    investment_id: UUID = begun.pk if begun is not None else ticket.result_id  # type: ignore[assignment]
    investment = go_on(
        investment_id,
        act=lambda: charging.charge(begun.payment if begun else _payment_of(investment_id), now=now),
        look=lambda: access_investment(investor, investment_id),
        begun=begun,
    )
    if investment.status == Status.PENDING:
        ticket.leave_open()
    if investment.status == Status.FAILED:
        raise PaymentDeclined(reason=investment.payment.failure_code, investment_id=investment.pk)
    return investment


def _payment_of(investment_id: UUID) -> Payment:
    return Payment.objects.select_related("investment__method").get(investment_id=investment_id)


def preview_investment(
    *, investor: Any, campaign_id: UUID, amount: Decimal, now: datetime, currency: str = ""
) -> tuple[Money, list[Due]]:
    """
    What an investment would cost now, with the refusals of one as far as the campaign gives them.

    :param amount: in major units
    :returns: the amount, and the fees on top of it
    :raises NotFound: a campaign that is not to be seen
    :raises OwnCampaign: :raises CampaignClosed: :raises CampaignNotOpen: :raises CurrencyMismatch:
    :raises BelowMinimum: :raises OverCap: see `campaigns.services.funding.require_room`
    """
    campaign = access_campaign(investor, campaign_id)
    money = Money.of(amount, currency or campaign.currency)
    require_room(campaign, investor, money, now)
    return money, campaign.fees.on_investment(money)


@retrying
def _begin(
    investor: User,
    campaign_id: UUID,
    amount: Decimal,
    currency: str,
    total: Decimal | None,
    payment_method_id: UUID,
    warnings: Sequence[Text],
    ticket: Ticket,
    now: datetime,
) -> Investment:
    investor, campaign, method = _require_investor(investor.pk, campaign_id, payment_method_id, now)
    money = Money.of(amount, currency or campaign.currency)

    def reserve(investment: Investment) -> None:
        locked = lock_by_clock(campaign_id, now=now)
        waiting.offer_free_places(locked, now=now)
        reserve_funding(campaign=locked, backer=investor, amount=money, now=now)

    return _open(campaign, investor, method, money, total, warnings, ticket, now, reserve=reserve)


@retrying
def _begin_accepted(
    investor: User,
    campaign_id: UUID,
    total: Decimal | None,
    payment_method_id: UUID | None,
    warnings: Sequence[Text],
    ticket: Ticket,
    now: datetime,
) -> Investment:
    method_id = payment_method_id or waiting.latest_entry(investor, campaign_id).method_id
    investor, campaign, method = _require_investor(investor.pk, campaign_id, method_id, now)
    locked, entry = waiting.lock_offer(investor=investor, campaign_id=campaign_id, now=now)

    def reserve(investment: Investment) -> None:
        waiting.accept(locked, entry, investment, now)

    return _open(campaign, investor, method, entry.offered, total, warnings, ticket, now, reserve=reserve)


@retrying
def join_waiting_list(
    *,
    investor: User,
    campaign_id: UUID,
    amount: Decimal,
    payment_method_id: UUID,
    now: datetime,
    currency: str = "",
    accepted_warnings: Sequence[Mapping[str, str]] = (),
) -> WaitingEntry:
    """
    Wait for room for `amount` in a campaign that is full. Who may invest may wait; nothing is charged, and what is
    accepted here is accepted again with the offer.

    :raises NotFound: a campaign that is not to be seen
    :raises PaymentMethodNotFound: :raises PaymentMethodExpired: :raises TooManyOpenPayments:
    :raises PaymentMethodSuspended: :raises PaymentsHeld: :raises ConfirmationPending: see `place_investment`
    :raises OwnCampaign: and the others of `waiting.join`
    """
    investor, campaign, method = _require_investor(investor.pk, campaign_id, payment_method_id, now)
    money = Money.of(amount, currency or campaign.currency)
    _refuse_unless_eligible(investor, campaign, money, _texts_of(accepted_warnings), now)
    return waiting.join(campaign=campaign, investor=investor, method=method, amount=money, now=now)


def _require_investor(
    investor_id: UUID, campaign_id: UUID, method_id: UUID, now: datetime
) -> tuple[User, Campaign, PaymentMethod]:
    """
    Who wants to invest, locked, with the campaign and the payment method as they are read: whoever places an
    investment, waits for a place or accepts one.

    :raises NotFound: :raises PaymentMethodNotFound: :raises PaymentMethodExpired: :raises TooManyOpenPayments:
    :raises PaymentMethodSuspended: :raises PaymentsHeld: :raises ConfirmationPending: see `place_investment`
    """
    investor, campaign, method, suspended, under_way = _lock_investor(investor_id, campaign_id, method_id)
    if campaign is None:
        raise NotFound()
    _require_current_permissions(investor)
    too_many_verdict(under_way, campaign_id).require()
    if method is None:
        raise PaymentMethodNotFound()
    if method.is_expired_on(now.date()):
        raise PaymentMethodExpired()
    suspension_verdict(suspended).require()
    open_verdict(campaign, investor.pk, now).require()  # the same again under the campaign's lock
    return investor, campaign, method


def _open(
    campaign: Campaign,
    investor: User,
    method: PaymentMethod,
    money: Money,
    total: Decimal | None,
    warnings: Sequence[Text],
    ticket: Ticket,
    now: datetime,
    *,
    reserve: Callable[[Investment], None],
) -> Investment:
    """
    Write a new investment and the request of its charge.

    :param total: what the investor was shown as the whole charge, in major units
    :param reserve: sets the amount aside in the campaign; the last of its transaction
    :raises Refusal: the campaign's rule set does not allow it: see `investments.eligibility.may_invest`
    :raises FeeChanged: something else would be charged
    """
    _refuse_unless_eligible(investor, campaign, money, warnings, now)
    investment = Investment(
        campaign=campaign,
        investor=investor,
        method=method,
        amount_minor=money.minor,
        currency=money.currency,
        reference=_reference(),
        reflection_ends_at=_reflection_end(campaign, investor, now),
        terms_version=campaign.terms_version,
        created_at=now,
        updated_at=now,
    )
    due = campaign.fees.on_investment(money)
    fee = fees.total_of(due, money.currency)
    if total is not None and Money.of(total, money.currency, "total") != money + fee:
        raise FeeChanged(total=(money + fee).text, currency=money.currency)
    payment_id = uuid7()
    with sql.together():
        payment = Payment(
            id=payment_id,
            investment=investment,
            provider=method.provider,
            key=f"payment-{payment_id}",
            fee_minor=fee.minor,
            reservation=books.reserve_charge(
                investment_id=investment.pk,
                campaign_id=campaign.pk,
                provider=method.provider,
                amount=money,
                fee=fee,
                now=now,
            ),
            expires_at=now + settings.PAYMENT_WINDOW,
            created_at=now,
            updated_at=now,
        )
        charge = outbox.row("investments.charge", id=payment_id, now=now, after=FIRST_TRY, payment_id=str(payment_id))
        lines = fees.lines_of(due, of=money, campaign=campaign, payment=payment, now=now)
        sql.insert(investment, payment, charge, *lines, *origin_of(payment_id, now))
        events.record("investment.placed", investment, actor=investor, now=now, amount=money, campaign_id=campaign.pk)
        for warning in warnings:
            acknowledge(investor, warning, now=now, investment=investment)
        ticket.bind(investment.pk)
        # Last: everybody who invests in this campaign waits from here to the commit.
        reserve(investment)
    return investment


def _reflection_end(campaign: Campaign, investor: User, now: datetime) -> datetime | None:
    """When the reflection period ends; None where the rules count from the deadline instead."""
    if "reflection" not in campaign.rule_set:
        return None
    return campaign.rule_set.cancellation_end(
        invested_at=now, ends_at=campaign.ends_at, place=campaign.place, protected=is_protected(investor)
    )


class UnderWay(NamedTuple):
    """A payment of the investor that is not done yet."""

    investment_id: UUID
    campaign_id: UUID
    status: str


def _lock_investor(
    investor_id: UUID, campaign_id: UUID, method_id: UUID
) -> tuple[User, Campaign | None, PaymentMethod | None, str, list[UnderWay]]:
    """
    The investor, locked, and what goes with them, in one exchange: a campaign they see, a method of theirs, what that
    is under (`suspensions.suspension`), what is under way.
    """
    ((investor,),), methods, under_way, campaigns = sql.read(
        person_read(investor_id),
        sql.Read(_METHOD, [method_id, investor_id], (PaymentMethod,)),
        sql.Read(_UNDER_WAY, [investor_id, list(UNDER_WAY)]),
        sql.Read(_CAMPAIGN, [campaign_id, list(PUBLIC), investor_id], CARD_MODELS),
    )
    locks.taken(investor)
    campaign = None
    if campaigns:
        *card, has_documents = campaigns[0]
        campaign = as_card(*card)
        campaign.has_documents = has_documents  # type: ignore[attr-defined]
    method, suspended = methods[0] if methods else (None, None)
    return investor, campaign, method, suspended or "", [UnderWay(*row) for row in under_way]


_METHOD = (
    f"SELECT {sql.columns(PaymentMethod, 'm')}, {suspension('m')} FROM investments_paymentmethod m "
    "WHERE m.id = %s AND m.owner_id = %s AND m.removed_at IS NULL"
)
_UNDER_WAY = "SELECT id, campaign_id, status FROM investments_investment WHERE investor_id = %s AND status = ANY(%s)"
_CAMPAIGN = f"""
    SELECT {CARD}, EXISTS (SELECT FROM campaigns_campaigndocument d WHERE d.campaign_id = c.id)
    FROM campaigns_campaign c
    JOIN accounts_user u ON u.id = c.owner_id JOIN campaigns_category g ON g.id = c.category_id
    WHERE c.id = %s AND (c.status = ANY(%s) OR c.owner_id = %s)
"""


def too_many_verdict(under_way: Sequence[UnderWay], campaign_id: UUID) -> Verdict:
    """Open payments reserve amounts that nobody else can invest; whoever writes asks this under the person's lock."""
    for one in under_way:
        if one.campaign_id == campaign_id and one.status == Status.REQUIRES_ACTION:
            return Verdict(ConfirmationPending(investment_id=one.investment_id))
    return Verdict(TooManyOpenPayments(most=OPEN_PAYMENTS)) if len(under_way) >= OPEN_PAYMENTS else ALLOWED


def _refuse_unless_eligible(
    investor: User, campaign: Campaign, amount: Money, warnings: Sequence[Text], now: datetime
) -> None:
    """Under the person's lock, so that of two investments at once the second one sees the first."""
    has_documents: bool = campaign.has_documents  # type: ignore[attr-defined]
    if campaign.owner_id == investor.pk or (campaign.rules == Rules.NONE and not has_documents):
        return
    if amount.currency != campaign.currency:
        raise CurrencyMismatch(currency=campaign.currency)
    facts = investor_facts(investor, campaign.rule_set, now=now, campaign_id=campaign.pk)
    accepted = [(one.id, one.version) for one in warnings]
    may_invest(facts, campaign.rule_set, minor=amount.minor, now=now, accepted=accepted).require()


def _require_current_permissions(investor: User) -> None:
    """The permissions were checked before the lock; this checks after it (SECURITY-GOALS 49)."""
    if not investor.is_active:
        raise Unauthenticated()
    if not investor.email_verified:
        raise EmailNotVerified()
    if not investor.kyc_verified:
        raise KYCRequired()


def _reference() -> str:
    letters = "".join(secrets.choice("23456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(8))
    return f"VG-{letters[:4]}-{letters[4:]}"
