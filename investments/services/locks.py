"""The locks of this app, in the order of docs/locking.md: investment and payment, then refund."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple
from uuid import UUID

from accounts.models import User
from campaigns.models import Campaign
from core.data import locks, sql
from investments.access import WITHOUT_TEXT
from investments.models import Investment, Payment, Refund
from ledger.models import Posting


class Locked(NamedTuple):
    """A payment and its investment, locked, and their campaign as it was read; lock that to decide by its status."""

    campaign: Campaign
    investment: Investment
    payment: Payment


def lock_payment(payment_id: UUID) -> Locked:
    """The payment with its investment, as they are now."""
    (locked,) = lock_payments([payment_id])
    return locked


def lock_payments(payment_ids: Iterable[UUID]) -> list[Locked]:
    """Payments with their investments, in the order of their ids."""
    statement = f"{_payments()} {locks.clause('p', 'i')}"
    chosen: list[sql.Chosen] = [Payment, Investment, User, (Campaign, WITHOUT_TEXT), Posting]
    found = []
    for payment, investment, investor, campaign, reservation in sql.every(statement, [list(payment_ids)], *chosen):
        investment.investor, investment.campaign, investment.payment = investor, campaign, payment
        payment.reservation = reservation
        found.append(Locked(campaign, investment, payment))
    locks.taken(*(row for one in found for row in (one.investment, one.payment)))
    return found


@cache
def _payments() -> str:
    return f"""
        SELECT {sql.columns(Payment, "p")}, {sql.columns(Investment, "i")}, {sql.columns(User, "u")},
            {sql.columns(Campaign, "c", WITHOUT_TEXT)}, {sql.columns(Posting, "r")}
        FROM investments_payment p
        JOIN investments_investment i ON i.id = p.investment_id
        JOIN accounts_user u ON u.id = i.investor_id
        JOIN campaigns_campaign c ON c.id = i.campaign_id
        JOIN ledger_transaction r ON r.id = p.reservation_id
        WHERE p.id = ANY(%s) ORDER BY p.id
    """


def lock_refunds(refund_id: UUID, payment_id: UUID) -> list[Refund]:
    """The refunds of a locked payment, the one that is asked for first."""
    found = []
    for refund, reservation in sql.every(f"{_refunds()} {locks.clause('r')}", [payment_id], Refund, Posting):
        refund.reservation = reservation
        found.append(refund)
    locks.taken(*found)
    return sorted(found, key=lambda refund: refund.pk != refund_id)


@cache
def _refunds() -> str:
    return f"""
        SELECT {sql.columns(Refund, "r")}, {sql.columns(Posting, "b")}
        FROM investments_refund r JOIN ledger_transaction b ON b.id = r.reservation_id
        WHERE r.payment_id = %s ORDER BY r.id
    """
