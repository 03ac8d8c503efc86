"""
Which postings investments and their returns make (docs/ledger.md, how the money of a campaign flows). Reserve here,
then post or void.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from campaigns.fees import FeeKind
from core.money import Money
from ledger.models import LedgerAccount, Posting
from ledger.selectors import balances
from ledger.services.accounts import Nature, open_accounts
from ledger.services.postings import Booking, credit, debit, lock_accounts, post, post_new
from ledger.services.reservations import reserve, reserve_new


def provider_account(name: str, currency: str) -> Nature:
    return Nature(f"provider:{name}:{currency}", "asset", currency)


def escrow_account(campaign_id: UUID, currency: str) -> Nature:
    return Nature(f"escrow:campaign:{campaign_id}", "liability", currency)


def payable_account(user_id: UUID, currency: str) -> Nature:
    return Nature(f"payable:user:{user_id}:{currency}", "liability", currency)


def distribution_account(distribution_id: UUID, currency: str) -> Nature:
    return Nature(f"distribution:{distribution_id}", "liability", currency)


def held_fees_account(campaign_id: UUID, currency: str) -> Nature:
    """What investors have paid on top of their investments, while it may have to go back."""
    return Nature(f"fees:held:campaign:{campaign_id}", "liability", currency)


def fees_account(kind: str, currency: str) -> Nature:
    """Earned fees of a kind; a tax is owed to the state."""
    return Nature(f"fees:{kind}:{currency}", "liability" if kind == FeeKind.TAX else "income", currency)


def expenses_account(provider: str, currency: str) -> Nature:
    """What a provider has taken for itself; below zero when it has given back more."""
    return Nature(f"expenses:provider:{provider}:{currency}", "expense", currency, may_go_negative=True)


def returns_account(user_id: UUID, currency: str) -> Nature:
    return Nature(f"returns:user:{user_id}:{currency}", "liability", currency)


def reserve_charge(
    *, investment_id: UUID, campaign_id: UUID, provider: str, amount: Money, fee: Money, now: datetime
) -> Posting:
    """
    Reserve the expected money of a new investment: held by the provider, owed to the campaign's backers.

    :param fee: what is charged on top
    """
    accounts = _of_backers(provider, campaign_id, amount.currency, now, with_fees=bool(fee.minor))
    return reserve(
        key=f"charge:{investment_id}",
        kind="investment.charged",
        lines=[
            debit(accounts.with_provider, amount + fee),
            credit(accounts.escrow, amount),
            *(credit(account, fee) for account in accounts.held_fees),
        ],
        reference=f"investment:{investment_id}",
        now=now,
        is_new=True,
    )


class Returned(NamedTuple):
    """A new refund of an investment: what leaves the campaign, and what of the fee goes back with it."""

    refund_id: UUID
    investment_id: UUID
    amount: Money
    fee: Money


def reserve_refunds(
    *, campaign_id: UUID, provider: str, currency: str, refunds: Sequence[Returned], now: datetime
) -> list[Posting]:
    """Reserve money for refunds, so that nothing else can use it."""
    with_fees = any(one.fee.minor for one in refunds)
    accounts = _of_backers(provider, campaign_id, currency, now, with_fees=with_fees)
    holds = [
        Booking(
            key=f"refund:{one.refund_id}",
            lines=[
                debit(accounts.escrow, one.amount),
                *(debit(account, one.fee) for account in accounts.held_fees if one.fee.minor),
                credit(accounts.with_provider, one.amount + one.fee),
            ],
            reference=f"investment:{one.investment_id}",
        )
        for one in refunds
    ]
    return reserve_new(holds, kind="investment.refunded", now=now)


def reserve_refund_by_owner(
    *, refund_id: UUID, investment_id: UUID, owner_id: UUID, provider: str, amount: Money, now: datetime
) -> Posting:
    """
    Reserve a refund after the release, out of what the owner is owed.

    :raises InsufficientFunds: less than that is owed, or held by the provider
    """
    with_provider, payable = _opened(provider, payable_account(owner_id, amount.currency), now)
    return reserve(
        key=f"refund:{refund_id}",
        kind="investment.refunded",
        lines=[debit(payable, amount), credit(with_provider, amount)],
        reference=f"investment:{investment_id}",
        now=now,
        is_new=True,
    )


def release_escrow(
    *, campaign_id: UUID, owner_id: UUID, amount: Money, fees: Mapping[str, Money], now: datetime
) -> Posting:
    """
    Move a funded campaign's money to its owner. Happens once per campaign, however often it is called.

    :param amount: what was raised
    :param fees: what the owner pays of it, by kind
    """
    natures = escrow_account(campaign_id, amount.currency), payable_account(owner_id, amount.currency)
    escrow, payable, *earned = open_accounts(*natures, *(fees_account(kind, amount.currency) for kind in fees), now=now)
    net = amount - sum(fees.values(), Money(0, amount.currency))
    return post(
        key=f"release:{campaign_id}",
        kind="campaign.released",
        lines=[
            debit(escrow, amount),
            *([credit(payable, net)] if net.minor else []),
            *(credit(account, fee) for account, fee in zip(earned, fees.values(), strict=True)),
        ],
        reference=f"campaign:{campaign_id}",
        now=now,
    )


def earn_fees(*, campaign_id: UUID, currency: str, fees: Mapping[str, Money], now: datetime) -> Posting:
    """
    Move what is left of the investors' fees of a campaign to the accounts of earned ones, once nothing goes back any
    more. Happens once per campaign, however often it is called.

    :param fees: by kind
    """
    natures = held_fees_account(campaign_id, currency), *(fees_account(kind, currency) for kind in fees)
    held, *earned = open_accounts(*natures, now=now)
    return post(
        key=f"fees:{campaign_id}",
        kind="campaign.fees_earned",
        lines=[
            debit(held, sum(fees.values(), Money(0, currency))),
            *(credit(account, fee) for account, fee in zip(earned, fees.values(), strict=True)),
        ],
        reference=f"campaign:{campaign_id}",
        now=now,
    )


def owed_to(owner_id: UUID, currency: str) -> tuple[Money, Money]:
    """What is owed to an owner, and what of it is on its way out or frozen, as it was read."""
    nature = payable_account(owner_id, currency)
    found = balances([nature.code]).get(nature.code)
    return (found.posted, found.pending_out) if found else (Money(0, currency), Money(0, currency))


def lock_owed(owner_id: UUID, currency: str, provider: str, now: datetime) -> tuple[LedgerAccount, LedgerAccount]:
    """The account of what is owed to an owner and that of a provider, as they are until the transaction ends."""
    opened = open_accounts(payable_account(owner_id, currency), provider_account(provider, currency), now=now)
    locked = lock_accounts(account.pk for account in opened)
    payable, with_provider = (locked[account.pk] for account in opened)
    return payable, with_provider


def reserve_settlement(
    *, key: str, campaign_id: UUID, owner_id: UUID, provider: str, amount: Money, now: datetime
) -> Posting:
    """
    Reserve what a payment takes to the owner of a campaign.

    :raises InsufficientFunds: less than that is owed, or held by the provider
    """
    with_provider, payable = _opened(provider, payable_account(owner_id, amount.currency), now)
    return reserve(
        key=key,
        kind="settlement.paid_out",
        lines=[debit(payable, amount), credit(with_provider, amount)],
        reference=f"campaign:{campaign_id}",
        now=now,
    )


def reserve_distribution_charge(*, distribution_id: UUID, provider: str, amount: Money, now: datetime) -> Posting:
    """Reserve the expected money of a new distribution: held by the provider, owed to the campaign's holders."""
    with_provider, for_holders = _opened(provider, distribution_account(distribution_id, amount.currency), now)
    return reserve(
        key=f"distribution-charge:{distribution_id}",
        kind="distribution.charged",
        lines=[debit(with_provider, amount), credit(for_holders, amount)],
        reference=f"distribution:{distribution_id}",
        now=now,
        is_new=True,
    )


def reserve_distribution_refund(*, distribution_id: UUID, provider: str, amount: Money, now: datetime) -> Posting:
    """Reserve the way back of a rejected distribution. Happens once per distribution, however often it is called."""
    with_provider, for_holders = _opened(provider, distribution_account(distribution_id, amount.currency), now)
    return reserve(
        key=f"distribution-refund:{distribution_id}",
        kind="distribution.refunded",
        lines=[debit(for_holders, amount), credit(with_provider, amount)],
        reference=f"distribution:{distribution_id}",
        now=now,
    )


class Credited(NamedTuple):
    """What a holder gets of a distribution: the ids of the return, of its investment and of the holder."""

    return_id: UUID
    investment_id: UUID
    investor_id: UUID
    amount: Money


def credit_returns(
    *, distribution_id: UUID, currency: str, credits: Sequence[Credited], now: datetime
) -> list[Posting]:
    """
    Move parts of a distribution to their holders, a posting for each. The books refuse more than was paid in, and a
    return that was credited before.
    """
    investors = list(dict.fromkeys(one.investor_id for one in credits))
    natures = [returns_account(investor_id, currency) for investor_id in investors]
    source, *opened = open_accounts(distribution_account(distribution_id, currency), *natures, now=now)
    accounts = dict(zip(investors, opened, strict=True))
    bookings = [
        Booking(
            key=f"return:{one.return_id}",
            lines=[debit(source, one.amount), credit(accounts[one.investor_id], one.amount)],
            reference=f"investment:{one.investment_id}",
        )
        for one in credits
    ]
    return post_new(bookings, kind="investment.returned", now=now)


def reserve_payout(
    *, payout_id: UUID, investment_id: UUID, investor_id: UUID, provider: str, amount: Money, now: datetime
) -> Posting:
    """
    Reserve returned money that a new payout takes to its owner.

    :raises InsufficientFunds: the provider holds less than that for us
    """
    with_provider, returned = _opened(provider, returns_account(investor_id, amount.currency), now)
    return reserve(
        key=f"payout:{payout_id}",
        kind="investment.paid_out",
        lines=[debit(returned, amount), credit(with_provider, amount)],
        reference=f"investment:{investment_id}",
        now=now,
        is_new=True,
    )


class _OfBackers(NamedTuple):
    """Where the money of investments is: at the provider, and owed to backers."""

    with_provider: LedgerAccount
    escrow: LedgerAccount
    held_fees: list[LedgerAccount]
    """The one of the campaign, if there are fees."""


def _of_backers(provider: str, campaign_id: UUID, currency: str, now: datetime, *, with_fees: bool) -> _OfBackers:
    natures = [provider_account(provider, currency), escrow_account(campaign_id, currency)]
    if with_fees:
        natures.append(held_fees_account(campaign_id, currency))
    with_provider, escrow, *held_fees = open_accounts(*natures, now=now)
    return _OfBackers(with_provider, escrow, held_fees)


def post_provider_fees(
    *, provider: str, currency: str, fees: Iterable[tuple[UUID, Money]], now: datetime
) -> list[Posting]:
    """
    Book what a provider has taken for itself out of what it holds for us, a posting for each.

    :param fees: id of each new row, and its amount; below zero for what the provider has given back
    :raises InsufficientFunds: the books do not have that much at the provider
    """
    expenses, with_provider = open_accounts(
        expenses_account(provider, currency), provider_account(provider, currency), now=now
    )
    bookings = [
        Booking(
            key=f"provider-fee:{fee_id}",
            lines=[debit(expenses, amount), credit(with_provider, amount)]
            if amount.minor > 0
            else [debit(with_provider, -amount), credit(expenses, -amount)],
            reference=f"provider:{provider}",
        )
        for fee_id, amount in fees
    ]
    return post_new(bookings, kind="provider.fee_taken", now=now)


def _opened(provider: str, other: Nature, now: datetime) -> list[LedgerAccount]:
    """The provider's account and another one of the same currency."""
    return open_accounts(provider_account(provider, other.currency), other, now=now)
