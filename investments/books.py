"""
Which postings an investment makes (docs/ledger.md, how the money of a campaign flows). Reserve here, then post or void.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from core.money import Money
from ledger.models import LedgerAccount, Posting
from ledger.services.accounts import Nature, open_accounts
from ledger.services.postings import credit, debit, post
from ledger.services.reservations import Hold, reserve, reserve_new


def provider_account(name: str, currency: str) -> Nature:
    return Nature(f"provider:{name}:{currency}", "asset", currency)


def escrow_account(campaign_id: UUID, currency: str) -> Nature:
    return Nature(f"escrow:campaign:{campaign_id}", "liability", currency)


def payable_account(user_id: UUID, currency: str) -> Nature:
    return Nature(f"payable:user:{user_id}:{currency}", "liability", currency)


def reserve_charge(*, investment_id: UUID, campaign_id: UUID, provider: str, amount: Money, now: datetime) -> Posting:
    """Reserve the expected money of a new investment: held by the provider, owed to the campaign's backers."""
    with_provider, escrow = _opened(provider, campaign_id, amount.currency, now)
    return reserve(
        key=f"charge:{investment_id}",
        kind="investment.charged",
        lines=[debit(with_provider, amount), credit(escrow, amount)],
        reference=f"investment:{investment_id}",
        now=now,
        is_new=True,
    )


def reserve_refunds(
    *, campaign_id: UUID, provider: str, currency: str, refunds: Iterable[tuple[UUID, UUID, Money]], now: datetime
) -> list[Posting]:
    """
    Reserve money for refunds, so that nothing else can use it.

    :param refunds: id of each new refund, id of its investment, amount
    """
    with_provider, escrow = _opened(provider, campaign_id, currency, now)
    holds = [
        Hold(
            key=f"refund:{refund_id}",
            lines=[debit(escrow, amount), credit(with_provider, amount)],
            reference=f"investment:{investment_id}",
        )
        for refund_id, investment_id, amount in refunds
    ]
    return reserve_new(holds, kind="investment.refunded", now=now)


def release_escrow(*, campaign_id: UUID, owner_id: UUID, amount: Money, now: datetime) -> Posting:
    """Move a funded campaign's money to its owner. Happens once per campaign, however often it is called."""
    natures = escrow_account(campaign_id, amount.currency), payable_account(owner_id, amount.currency)
    escrow, payable = open_accounts(*natures, now=now)
    return post(
        key=f"release:{campaign_id}",
        kind="campaign.released",
        lines=[debit(escrow, amount), credit(payable, amount)],
        reference=f"campaign:{campaign_id}",
        now=now,
    )


def _opened(provider: str, campaign_id: UUID, currency: str, now: datetime) -> list[LedgerAccount]:
    return open_accounts(provider_account(provider, currency), escrow_account(campaign_id, currency), now=now)
