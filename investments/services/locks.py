"""The locks of this app, in the order of docs/locking.md: investment, payment, refund; a distribution, its charge."""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple
from uuid import UUID

from accounts.models import User
from campaigns.models import Campaign
from core.data import locks, sql
from investments.access import WITHOUT_TEXT
from investments.models import Distribution, DistributionCharge, Investment, Payment, Refund
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


class LockedRefunds(NamedTuple):
    """A payment with its investment and refunds, locked. Of the campaign there is the title, of the investor the id."""

    campaign: Campaign
    investment: Investment
    payment: Payment
    refunds: list[Refund]


def lock_refunds(payment_id: UUID) -> LockedRefunds:
    """The refunds of a payment and what they change, in one exchange, as they are now."""
    payments, found = sql.read(
        sql.Read(f"{_refunded()} {locks.clause('p', 'i')}", [payment_id], (Payment, Investment, TITLED)),
        sql.Read(f"{_refunds()} {locks.clause('r')}", [payment_id], (Refund, Posting)),
    )
    ((payment, investment, campaign),) = payments
    payment.investment, investment.campaign = investment, campaign
    refunds = []
    for refund, reservation in found:
        refund.reservation = reservation
        refunds.append(refund)
    locks.taken(investment, payment)
    locks.taken(*refunds)
    return LockedRefunds(campaign, investment, payment, refunds)


TITLED = (Campaign, tuple(field.name for field in Campaign._meta.concrete_fields if field.name not in ("id", "title")))


@cache
def _refunded() -> str:
    return f"""
        SELECT {sql.columns(Payment, "p")}, {sql.columns(Investment, "i")}, {sql.columns(Campaign, "c", TITLED[1])}
        FROM investments_payment p
        JOIN investments_investment i ON i.id = p.investment_id
        JOIN campaigns_campaign c ON c.id = i.campaign_id
        WHERE p.id = %s
    """


@cache
def _refunds() -> str:
    return f"""
        SELECT {sql.columns(Refund, "r")}, {sql.columns(Posting, "b")}
        FROM investments_refund r JOIN ledger_transaction b ON b.id = r.reservation_id
        WHERE r.payment_id = %s ORDER BY r.id
    """


def lock_distribution(distribution_id: UUID) -> tuple[Distribution, DistributionCharge]:
    """
    A distribution with its charge, as they are now.

    :raises Distribution.DoesNotExist:
    """
    distribution = locks.lock(Distribution.objects.select_related("campaign")).get(pk=distribution_id)
    charged = locks.lock(DistributionCharge.objects.select_related("reservation")).get(distribution=distribution)
    charged.distribution = distribution
    return distribution, charged
