"""
Which ledger postings an investment's money makes (docs/money.md). Accounts:

    provider:<name>:<currency>       asset       what the provider holds for us
    escrow:campaign:<campaign id>    liability   what backers have in a campaign that is not settled
    payable:user:<user id>:<cur>     liability   what we owe an owner whose campaign was funded

All but `release_escrow` come in two steps, as provider calls do: reserve, then post or void.
"""

from datetime import datetime
from uuid import UUID

from core.money import Money
from ledger.models import LedgerAccount, Posting
from ledger.services.accounts import open_account
from ledger.services.postings import credit, debit, post
from ledger.services.reservations import reserve


def provider_account(name: str, currency: str, now: datetime) -> LedgerAccount:
    return open_account(f"provider:{name}:{currency}", kind="asset", currency=currency, now=now)


def escrow_account(campaign_id: UUID, currency: str, now: datetime) -> LedgerAccount:
    return open_account(f"escrow:campaign:{campaign_id}", kind="liability", currency=currency, now=now)


def payable_account(user_id: UUID, currency: str, now: datetime) -> LedgerAccount:
    return open_account(f"payable:user:{user_id}:{currency}", kind="liability", currency=currency, now=now)


def reserve_charge(*, investment_id: UUID, campaign_id: UUID, provider: str, amount: Money, now: datetime) -> Posting:
    """Money that may come in: into the provider's hands, owed to the campaign's backers."""
    return reserve(
        key=f"charge:{investment_id}",
        kind="investment.charged",
        lines=[
            debit(provider_account(provider, amount.currency, now), amount),
            credit(escrow_account(campaign_id, amount.currency, now), amount),
        ],
        reference=f"investment:{investment_id}",
        now=now,
    )


def reserve_refund(
    *, refund_id: UUID, investment_id: UUID, campaign_id: UUID, provider: str, amount: Money, now: datetime
) -> Posting:
    """Money on its way back. From here on nobody else can have it."""
    return reserve(
        key=f"refund:{refund_id}",
        kind="investment.refunded",
        lines=[
            debit(escrow_account(campaign_id, amount.currency, now), amount),
            credit(provider_account(provider, amount.currency, now), amount),
        ],
        reference=f"investment:{investment_id}",
        now=now,
    )


def release_escrow(*, campaign_id: UUID, owner_id: UUID, amount: Money, now: datetime) -> Posting:
    """A funded campaign's money becomes its owner's. Once per campaign, whoever asks how often."""
    return post(
        key=f"release:{campaign_id}",
        kind="campaign.released",
        lines=[
            debit(escrow_account(campaign_id, amount.currency, now), amount),
            credit(payable_account(owner_id, amount.currency, now), amount),
        ],
        reference=f"campaign:{campaign_id}",
        now=now,
    )
