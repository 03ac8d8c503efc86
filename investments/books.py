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
from ledger.services.postings import Booking, Line, credit, debit, lock_accounts, post, post_new
from ledger.services.reservations import post_reserved, reserve, reserve_new


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


def dispute_account(dispute_id: UUID, currency: str) -> Nature:
    return Nature(f"dispute:{dispute_id}", "asset", currency)


def losses_account(currency: str) -> Nature:
    return Nature(f"losses:disputes:{currency}", "expense", currency)


def overdraft_account(name: str, currency: str) -> Nature:
    """What a provider took from us beyond what it held: a dispute about money that had been paid out."""
    return Nature(f"overdraft:provider:{name}:{currency}", "liability", currency)


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
    *,
    refund_id: UUID,
    investment_id: UUID,
    owner_id: UUID,
    provider: str,
    amount: Money,
    fees: Mapping[str, Money],
    now: datetime,
) -> Posting:
    """
    Reserve a refund after the release, out of what the owner is owed.

    :param fees: what goes back of the investor's fees on top, by kind; they were earned
    :raises InsufficientFunds: less than that is owed, or held by the provider
    """
    natures = provider_account(provider, amount.currency), payable_account(owner_id, amount.currency)
    with_provider, payable, *earned = open_accounts(
        *natures, *(fees_account(kind, amount.currency) for kind in fees), now=now
    )
    return reserve(
        key=f"refund:{refund_id}",
        kind="investment.refunded",
        lines=[
            debit(payable, amount),
            *(debit(account, fee) for account, fee in zip(earned, fees.values(), strict=True)),
            credit(with_provider, sum(fees.values(), amount)),
        ],
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


class Opened(NamedTuple):
    """The postings of a new dispute, and what was frozen of the account that stands for its money (minor units)."""

    opening: Posting
    freeze: Posting | None
    frozen_minor: int


def open_dispute(
    *,
    dispute_id: UUID,
    provider: str,
    amount: Money,
    source: Nature,
    most: int,
    covered: int,
    reference: str,
    now: datetime,
) -> Opened:
    """
    Book what the provider has taken because of a new dispute, and reserve what is gone for good if it is lost.

    What the provider did not hold for us, we owe it. What `source` does not have, the platform bears.

    :param source: the account that holds a part of it for others
    :param most: the most to freeze of it, minor units
    :param covered: minor units that are reserved already, by refunds that were on their way
    """
    currency = amount.currency
    natures = [
        *(dispute_account(dispute_id, currency), provider_account(provider, currency)),
        *(overdraft_account(provider, currency), source, losses_account(currency)),
    ]
    opened = open_accounts(*natures, now=now)
    locked = lock_accounts(one.pk for one in opened)
    disputed, with_provider, overdraft, holder, losses = (locked[one.pk] for one in opened)
    taken = min(amount.minor, max(0, with_provider.available.minor))
    frozen = min(most, max(0, holder.available.minor))
    opening = _moved(
        key=f"dispute:{dispute_id}",
        kind="dispute.opened",
        lines=[
            debit(disputed, amount),
            *_credits((with_provider, taken), (overdraft, amount.minor - taken)),
        ],
        reference=reference,
        now=now,
    )
    gone = amount.minor - covered
    if not gone:
        return Opened(opening, None, frozen)
    freeze = reserve(
        key=f"dispute-freeze:{dispute_id}",
        kind="dispute.lost",
        lines=[*_debits((holder, frozen), (losses, gone - frozen)), credit(disputed, Money(gone, currency))],
        reference=reference,
        now=now,
    )
    return Opened(opening, freeze, frozen)


def lock_for_dispute(dispute_id: UUID, *others: Nature, provider: str, currency: str, now: datetime) -> None:
    """Lock every account that the end of a dispute may move, at once and so in their order (docs/locking.md)."""
    natures = [
        *(dispute_account(dispute_id, currency), provider_account(provider, currency)),
        *(overdraft_account(provider, currency), losses_account(currency), *others),
    ]
    lock_accounts(one.pk for one in open_accounts(*natures, now=now))


def win_dispute(*, dispute_id: UUID, opening: Posting, now: datetime) -> Posting:
    """
    Book that the provider has given back what a dispute had taken, the other way round.

    :param opening: what `open_dispute` has reserved for it, and posted
    :returns: the reservation, which is posted
    """
    return _moved(
        key=f"dispute-won:{dispute_id}",
        kind="dispute.won",
        lines=[Line(entry.account, -entry.amount) for entry in opening.entries.select_related("account")],
        reference=opening.reference,
        now=now,
    )


def lose_covered(
    *, dispute_id: UUID, amount: Money, sources: Sequence[tuple[Nature, int]], reference: str, now: datetime
) -> Posting:
    """
    Book that a dispute that is lost has taken the money of refunds, which are void now. The platform bears the rest.

    :param amount: what refunds were to cover
    :param sources: where the money of void refunds is, and how much of it is taken, minor units
    """
    currency = amount.currency
    natures = dispute_account(dispute_id, currency), losses_account(currency), *(nature for nature, _ in sources)
    disputed, losses, *holders = open_accounts(*natures, now=now)
    taken = [minor for _, minor in sources]
    return post(
        key=f"dispute-lost:{dispute_id}",
        kind="dispute.lost",
        lines=[
            *_debits(*zip(holders, taken, strict=True), (losses, amount.minor - sum(taken))),
            credit(disputed, amount),
        ],
        reference=reference,
        now=now,
    )


def charge_back_fees(
    *, dispute_id: UUID, accounts: Mapping[str, Nature], fees: Mapping[str, Money], reference: str, now: datetime
) -> Posting:
    """
    Take the fees of a payment that is lost in a dispute from where they are, instead of from the platform.

    :param accounts: by kind of fee
    :param fees: by kind
    """
    (currency,) = {fee.currency for fee in fees.values()}
    losses, *sources = open_accounts(losses_account(currency), *(accounts[kind] for kind in fees), now=now)
    return post(
        key=f"dispute-fee:{dispute_id}",
        kind="dispute.fee_lost",
        lines=[
            *(debit(account, fee) for account, fee in zip(sources, fees.values(), strict=True)),
            credit(losses, sum(fees.values(), Money(0, currency))),
        ],
        reference=reference,
        now=now,
    )


def _debits(*parts: tuple[LedgerAccount, int]) -> list[Line]:
    return [debit(account, Money(minor, account.currency)) for account, minor in parts if minor]


def _credits(*parts: tuple[LedgerAccount, int]) -> list[Line]:
    return [credit(account, Money(minor, account.currency)) for account, minor in parts if minor]


def is_released(campaign_id: UUID) -> bool:
    """Whether a campaign's money has gone to its owner; asked under the campaign's lock."""
    return Posting.objects.filter(key=f"release:{campaign_id}").exists()


def release_late(*, campaign_id: UUID, owner_id: UUID, dispute_id: UUID, amount: Money, now: datetime) -> Posting:
    """Move money to the owner that was disputed when the campaign's money was released."""
    natures = escrow_account(campaign_id, amount.currency), payable_account(owner_id, amount.currency)
    escrow, payable = open_accounts(*natures, now=now)
    return post(
        key=f"release:{campaign_id}:{dispute_id}",
        kind="campaign.released",
        lines=[debit(escrow, amount), credit(payable, amount)],
        reference=f"campaign:{campaign_id}",
        now=now,
    )


def _moved(*, key: str, kind: str, lines: Sequence[Line], reference: str, now: datetime) -> Posting:
    """
    Something that the provider has done by itself: reserved and posted at once, so that it reads as everything that
    moves a provider's money.

    :returns: the reservation
    """
    reservation = reserve(key=key, kind=kind, lines=lines, reference=reference, now=now)
    post_reserved(reservation, now=now)
    return reservation


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
