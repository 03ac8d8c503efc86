"""
What investors and owners of campaigns pay beside the investments themselves (docs/fees.md).

Lines of a payment change under its lock; those of an owner are written once, under the campaign's.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import F, Sum

from campaigns.fees import Due, RefundedWhen
from campaigns.models import Campaign
from campaigns.rules import Rules
from core.data import sql
from core.money import Money
from investments import books
from investments.models import FeeLine, Payment, Refund

Lines = Mapping[UUID, Sequence[FeeLine]]
"""By payment."""


def total_of(due: Iterable[Due], currency: str) -> Money:
    return sum((one.amount for one in due), Money(0, currency))


def lines_of(
    due: Iterable[Due], *, of: Money, campaign: Campaign, payment: Payment | None, now: datetime
) -> list[FeeLine]:
    """
    New rows for what is due; a fee that comes to nothing has none.

    :param of: what the fees are paid for
    :param payment: with which an investor pays them; None for the owner
    """
    return [
        FeeLine(
            campaign=campaign,
            payment=payment,
            fee=fee.id,
            kind=fee.kind,
            currency=amount.currency,
            amount_minor=amount.minor,
            of_minor=of.minor,
            created_at=now,
        )
        for fee, amount in due
        if amount.minor
    ]


def paid_with(payments: Iterable[Payment]) -> Lines:
    """What was paid with locked payments. Most have no fees: then nobody asks."""
    found: defaultdict[UUID, list[FeeLine]] = defaultdict(list)
    if with_fees := [payment.pk for payment in payments if payment.fee_minor]:
        for line in FeeLine.objects.filter(payment__in=with_fees).order_by("id"):
            found[line.payment_id].append(line)  # type: ignore[index]
    return found


def give_back(refund: Refund, campaign: Campaign, lines: Lines) -> dict[str, Money]:
    """
    Write what a new refund gives back of the fees, as the schedule of the campaign says for its reason.

    :param lines: of `paid_with`, of payments that are locked
    :returns: by kind
    """
    back: dict[str, Money] = {}
    for line in lines.get(refund.payment_id, ()):
        if not _is_given_back(refund, campaign, line):
            continue
        minor = refund.fee_parts[line.fee] = line.give_back(refund.amount_minor)
        sql.update(line, "refunded_of_minor", "refunded_minor")
        if minor:
            refund.fee_minor += minor
            back[line.kind] = back.get(line.kind, Money(0, line.currency)) + Money(minor, line.currency)
    return back


def _is_given_back(refund: Refund, campaign: Campaign, line: FeeLine) -> bool:
    if refund.payment.withdrawn_at is not None:
        return True  # given up before it was paid: nothing is owed for it
    reason: str = refund.reason
    if reason == Refund.Reason.WITHDRAWN and campaign.rules != Rules.NONE:
        reason = RefundedWhen.WITHDRAWN_BY_RIGHT
    return campaign.fees[line.fee].is_refunded(reason)


def keep(refund: Refund) -> None:
    """A refund of a locked payment is void: what it was going to give back of the fees stays paid."""
    if not refund.fee_parts:
        return
    for line in FeeLine.objects.filter(payment=refund.payment_id, fee__in=refund.fee_parts).order_by("id"):
        line.refunded_of_minor -= refund.amount_minor
        line.refunded_minor -= refund.fee_parts[line.fee]
        sql.update(line, "refunded_of_minor", "refunded_minor")


def charge_back(payment: Payment, campaign: Campaign, *, most: int) -> dict[str, Money]:
    """
    A bank has taken a locked payment back for good: its fees go with it, if the schedule of the campaign says so.

    :param most: minor units that were taken for them; if that is less than what is left of them, they stay
    :returns: by kind
    """
    paid = paid_with([payment]).get(payment.pk, ())
    lines = [line for line in paid if campaign.fees[line.fee].is_refunded(RefundedWhen.DISPUTED)]
    if sum(line.amount_minor - line.refunded_minor for line in lines) > most:
        return {}
    back: Counter[str] = Counter()
    for line in lines:
        back[line.kind] += line.amount_minor - line.refunded_minor
        line.refunded_minor = line.amount_minor
        sql.update(line, "refunded_minor")
    return {kind: Money(minor, campaign.currency) for kind, minor in back.items() if minor}


def take_from_owner(campaign: Campaign, *, now: datetime) -> dict[str, Money]:
    """
    Write what the owner of a locked campaign pays out of what is released now. Repeating it changes nothing.

    :returns: by kind
    """
    due = campaign.fees.on_release(campaign.raised)
    if lines := lines_of(due, of=campaign.raised, campaign=campaign, payment=None, now=now):
        sql.insert_missing(*lines)
    return by_kind(lines)


def earn_what_is_left(campaign: Campaign, *, now: datetime) -> None:
    """Of a locked campaign whose refunds are all done: what its investors paid and did not get back is earned."""
    lines = FeeLine.objects.filter(campaign=campaign, payment__status=Payment.Status.CAPTURED)
    left = lines.values_list("kind").annotate(left=Sum(F("amount_minor") - F("refunded_minor"))).order_by("kind")
    fees = {kind: Money(int(minor), campaign.currency) for kind, minor in left if minor}
    if fees:
        books.earn_fees(campaign_id=campaign.pk, currency=campaign.currency, fees=fees, now=now)


def by_kind(lines: Iterable[FeeLine]) -> dict[str, Money]:
    """Sums of lines of one currency."""
    sums: Counter[str] = Counter()
    currency = ""
    for line in lines:
        sums[line.kind] += line.amount_minor
        currency = line.currency
    return {kind: Money(sums[kind], currency) for kind in sorted(sums)}
