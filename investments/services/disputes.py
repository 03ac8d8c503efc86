"""
Disputes (chargebacks): the provider takes the money of a charge back at once, and returns it if we win (docs/money.md).

`ask_about_dispute` asks the provider what a dispute is now; `record_dispute` writes it down in one commit, in any order
and number: opened, won or lost. While a dispute is open its money is frozen: it is not
raised, cannot be withdrawn or released, and is no base of a distribution. Refunds of the payment wait for its end.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from accounts.selectors import people_with
from campaigns.fees import FeeKind
from campaigns.models import Campaign, Outcome, Status as CampaignStatus
from campaigns.services.funding import lock_backing, lock_campaign, restore_funding, return_funding
from core import events
from core.data import locks, sql
from core.data.ids import uuid7
from core.data.transactions import retrying
from core.jobs import outbox
from core.money import Money
from investments import books
from investments.models import HOLDING, Dispute, Distribution, DistributionCharge, Payment, Refund, Status
from investments.permissions import READ
from investments.providers import asking
from investments.providers.base import Dispute as Told, DisputeState
from investments.services import distribution_review, fees, settlements
from investments.services.charging import charge_called, record_charge
from investments.services.locks import Locked, lock_distribution, lock_payment
from investments.services.outcomes import Charged
from investments.services.refunds import ask_or_raise, new_refund, request_refunds, resume_refunds
from investments.services.timeline import move, record_event
from investments.services.waiting import offer_free_places
from ledger.services.accounts import Nature
from ledger.services.reservations import post_reserved, void_reserved

logger = logging.getLogger("vectragrow.payments")

State = Dispute.Status


class UnexpectedDispute(Exception):
    """The provider says something of a dispute that cannot be; nothing is changed."""


def ask_about_dispute(provider: str, dispute_id: str, *, now: datetime) -> tuple[Charged, Told] | None:
    """
    Ask the provider about a dispute, and about what has to be known of its charge before it is recorded.

    :param dispute_id: the provider's
    :returns: for `record_dispute`; None if the bank only asks and has taken nothing
    :raises OutcomeUnknown: the provider did not answer; ask again
    :raises UnexpectedDispute: :raises UnexpectedCharge: it contradicts what is settled, or is about no charge of ours
    """
    with asking(provider) as gateway:
        told = gateway.find_dispute(dispute_id=dispute_id)
    if told is None:
        raise UnexpectedDispute("the provider does not know this dispute")
    if told.state == DisputeState.INQUIRY:
        return None
    charged = charge_called(provider, told.charge_key)
    if charged is None:
        raise UnexpectedDispute("a dispute about no charge of ours")
    if charged.is_open:  # we have not heard yet that it was taken
        with asking(provider) as gateway:
            answer = gateway.find(key=charged.key)
        if answer is not None:
            record_charge(charged, answer, now=now)
    if told.state == DisputeState.LOST:
        _ask_about_refunds(charged, now)
    return charged, told


def _ask_about_refunds(charged: Charged, now: datetime) -> None:
    """
    Those under way were done before the dispute, or are refused for good; it has to be known before their money counts
    as what the dispute has taken.

    :raises OutcomeUnknown: the provider did not answer
    """
    if isinstance(charged, DistributionCharge):
        distribution_review.ask_or_raise(charged.pk, now=now)
        return
    sent = Refund.objects.filter(Refund.NOT_HELD, payment=charged, status=Refund.Status.PENDING)
    for refund in sent.select_related("payment"):
        ask_or_raise(refund, now=now)


@retrying
def record_dispute(charged: Charged, told: Told, *, now: datetime) -> Dispute:
    """
    Record what the provider says of a dispute: its money, sums, statuses and notices, in one commit. Repeating it
    changes nothing, and what was closed stays closed.

    :param charged: only its table and id count; it is read again under its lock
    :raises UnexpectedDispute: it contradicts what is settled; nothing is changed
    """
    case: _OfPayment | _OfDistribution
    case = _OfDistribution(charged, now) if isinstance(charged, DistributionCharge) else _OfPayment(charged, now)
    dispute = Dispute.objects.filter(provider=charged.provider, provider_id=told.id).first()
    if dispute is None:
        _refuse_unexpected(case.charged, told)
        dispute = case.open(told)
    if dispute.status == State.OPEN and told.state != DisputeState.OPEN:
        if told.state == DisputeState.WON:
            case.win(dispute)
        else:
            case.lose(dispute)
    elif dispute.status != State.OPEN and told.state not in (DisputeState.OPEN, dispute.status):
        raise UnexpectedDispute(f"{told.id}: {told.state} after it was {dispute.status}")
    return dispute


def _refuse_unexpected(charged: Charged, told: Told) -> None:
    if charged.is_open or charged.status == charged.Status.FAILED:
        raise UnexpectedDispute(f"{told.id}: about {charged.key}, which is {charged.status}")
    taken = charged.amount
    if told.amount.currency != taken.currency or not 0 < told.amount.minor <= taken.minor:
        raise UnexpectedDispute(f"{told.id}: {told.amount} of {taken}")


def _new(charged: Charged, told: Told, now: datetime, **parts: Any) -> Dispute:
    return Dispute(
        provider=charged.provider,
        provider_id=told.id,
        amount_minor=told.amount.minor,
        currency=told.amount.currency,
        reason=told.reason[:40],
        opened_at=told.opened_at,
        created_at=now,
        **parts,
    )


def _close(dispute: Dispute, status: str, now: datetime) -> None:
    """The other columns of its end are set already."""
    dispute.status, dispute.closed_at = status, now
    sql.update(dispute, "status", "closed_at", "restored_minor", "voided_minor", "fee_minor", "reversal")


class _OfPayment:
    """A disputed payment of an investment, with all that its disputes change, locked."""

    def __init__(self, payment: Payment, now: datetime) -> None:
        self.now = now
        self.locked = lock_payment(payment.pk)
        _, self.investment, self.charged = self.locked
        settlements.lock_settlement(self.investment.campaign_id)
        pending = Refund.objects.filter(payment=payment.pk, status=Refund.Status.PENDING)
        self.refunds: list[Refund] = list(locks.lock(pending.select_related("reservation")).order_by("pk"))
        lock_backing(self.investment.campaign_id, self.investment.investor_id, now)  # before the campaign
        self.campaign: Campaign = lock_campaign(self.investment.campaign_id)
        self.locked = Locked(self.campaign, self.investment, self.charged)
        self.reference = f"investment:{self.investment.pk}"
        self.escrow = books.escrow_account(self.campaign.pk, self.campaign.currency)
        self.payable = books.payable_account(self.campaign.owner_id, self.campaign.currency)

    def _lock_accounts(self, dispute: Dispute) -> None:
        """Before any of them moves."""
        about = {"provider": dispute.provider, "currency": dispute.currency}
        fee_accounts = self._fees_accounts().values() if self.charged.fee_minor else ()
        books.lock_for_dispute(dispute.pk, self.escrow, self.payable, *fee_accounts, **about, now=self.now)

    def _fees_accounts(self) -> dict[str, Nature]:
        """Where the fees of its payment are, by kind: held until the campaign is settled, then earned."""
        campaign = self.campaign
        if campaign.status == CampaignStatus.SETTLED:
            return {kind: books.fees_account(kind, campaign.currency) for kind in FeeKind}
        return dict.fromkeys(FeeKind, books.held_fees_account(campaign.pk, campaign.currency))

    def open(self, told: Told) -> Dispute:
        payment, campaign, amount = self.charged, self.campaign, told.amount
        held = min(amount.minor, payment.held_minor)
        covered = min(amount.minor - held, self._on_their_way())
        is_released = books.is_released(campaign.pk)
        payment.disputed_minor += held
        payment.updated_at = self.now
        sql.update(payment, "disputed_minor", "updated_at")
        if held:
            taken = {self.investment.investor_id: held}
            return_funding(campaign=campaign, amounts=taken, now=self.now, is_released=is_released)
            if campaign.status == CampaignStatus.LIVE:
                offer_free_places(campaign, now=self.now)
        dispute_id = uuid7()
        opening, freeze, frozen = books.open_dispute(
            dispute_id=dispute_id,
            provider=payment.provider,
            amount=amount,
            source=self.payable if is_released else self.escrow,
            most=held,
            covered=covered,
            reference=self.reference,
            now=self.now,
        )
        dispute = _new(
            *(payment, told, self.now),
            id=dispute_id,
            payment=payment,
            held_minor=held,
            is_released=is_released,
            payable_minor=frozen if is_released else 0,
            refund_minor=covered,
            opening=opening,
            freeze=freeze,
        )
        sql.insert(dispute)
        self._record("disputed", dispute)
        return dispute

    def _on_their_way(self) -> int:
        """What refunds under way will send back and no other dispute counts on, minor units."""
        others = Dispute.objects.filter(payment=self.charged, status=State.OPEN)
        counted = sum(others.values_list("refund_minor", flat=True))
        return max(0, sum(refund.amount_minor for refund in self.refunds) - counted)

    def win(self, dispute: Dispute) -> None:
        """
        Its money is there again: it counts in the campaign as far as there is room, or goes back to the investor if the
        campaign has ended without it.
        """
        self._lock_accounts(dispute)
        if dispute.freeze is not None:
            void_reserved(dispute.freeze, now=self.now)
        dispute.reversal = books.win_dispute(dispute_id=dispute.pk, opening=dispute.opening, now=self.now)
        self.charged.disputed_minor -= dispute.held_minor
        self.charged.updated_at = self.now
        sql.update(self.charged, "disputed_minor", "updated_at")
        dispute.restored_minor = self._restore(dispute)
        _close(dispute, State.WON, self.now)
        if left := dispute.held_minor - dispute.restored_minor:
            self._refund(left, self._reason_to_refund())
        self._record("dispute_won", dispute)
        self._go_on()

    def _restore(self, dispute: Dispute) -> int:
        """Returns what came back into the campaign, minor units."""
        campaign, investment = self.campaign, self.investment
        if not dispute.held_minor or campaign.status in (CampaignStatus.FAILED, CampaignStatus.CANCELLED):
            return 0
        if campaign.status == CampaignStatus.SETTLED and campaign.outcome != Outcome.FUNDED:
            return 0
        restored = min(dispute.held_minor, self._room(dispute))
        if not restored:
            return 0
        amount = Money(restored, dispute.currency)
        is_released = books.is_released(campaign.pk) or campaign.status == CampaignStatus.SETTLED
        backing = lock_backing(campaign.pk, investment.investor_id, self.now)  # as it is since it was opened
        restore_funding(campaign=campaign, backing=backing, amount=amount, is_released=is_released, now=self.now)
        if is_released and not dispute.is_released:
            books.release_late(
                campaign_id=campaign.pk,
                owner_id=campaign.owner_id,
                dispute_id=dispute.pk,
                amount=amount,
                now=self.now,
            )
            settlements.release_more(campaign, amount, now=self.now)
        if is_released and investment.status == Status.COMMITTED:
            move(investment, Status.INVESTED, now=self.now)
            record_event("investment.invested", investment, campaign, now=self.now, amount=amount)
        return restored

    def _room(self, dispute: Dispute) -> int:
        """Places that were released to the owner stay kept for those whose disputes are open."""
        kept = Dispute.objects.filter(payment__investment__campaign=self.campaign, status=State.OPEN, is_released=True)
        held = sum(kept.exclude(pk=dispute.pk).values_list("held_minor", flat=True))
        return dispute.held_minor if dispute.is_released else max(0, self.campaign.available_minor - held)

    def _reason_to_refund(self) -> str:
        if self.campaign.status == CampaignStatus.CANCELLED or self.campaign.outcome == Outcome.CANCELLED:
            return Refund.Reason.CAMPAIGN_CANCELLED
        if self.campaign.status == CampaignStatus.FAILED or self.campaign.outcome == Outcome.FAILED:
            return Refund.Reason.CAMPAIGN_FAILED
        return Refund.Reason.NO_ROOM

    def _refund(self, minor: int, reason: str) -> None:
        amount = Money(minor, self.investment.currency)
        self.refunds += request_refunds([self.locked], reason, now=self.now, amount=amount, is_counted=False)

    def lose(self, dispute: Dispute) -> None:
        """
        Its money stays gone: what is frozen is booked, and refunds that the provider refuses for want of it are void.
        """
        self._lock_accounts(dispute)
        voided = self._void_refunds(dispute.refund_minor)
        taken = min(sum(refund.amount_minor for refund in voided), dispute.refund_minor)
        left = sum(refund.amount_minor for refund in voided) - taken
        payment = self.charged
        payment.refunded_minor -= taken + left
        payment.disputed_minor += taken
        payment.updated_at = self.now
        sql.update(payment, "refunded_minor", "disputed_minor", "updated_at")
        dispute.voided_minor = taken
        # What was taken beyond the investment and its refunds was its fee.
        most = dispute.amount_minor - dispute.held_minor - dispute.refund_minor
        given_back = fees.charge_back(payment, self.campaign, most=most)
        dispute.fee_minor = sum(fee.minor for fee in given_back.values())
        _close(dispute, State.LOST, self.now)
        if dispute.freeze is not None:
            post_reserved(dispute.freeze, now=self.now)
        if given_back:
            books.charge_back_fees(
                dispute_id=dispute.pk,
                accounts=self._fees_accounts(),
                fees=given_back,
                reference=self.reference,
                now=self.now,
            )
        if dispute.payable_minor:
            settlements.withhold(self.campaign.pk, dispute.payable_minor, now=self.now)
        if dispute.refund_minor:
            from_owner = min(taken, sum(refund.amount_minor for refund in voided if self._is_by_owner(refund)))
            books.lose_covered(
                dispute_id=dispute.pk,
                amount=Money(dispute.refund_minor, dispute.currency),
                sources=[(self.escrow, taken - from_owner), (self.payable, from_owner)],
                reference=self.reference,
                now=self.now,
            )
        if left:
            self._refund_rest(voided[-1], left)
        if self.investment.status in HOLDING and not payment.held_minor and not self.refunds:
            move(self.investment, Status.REFUNDED, now=self.now)
        self._record("dispute_lost", dispute)
        self._go_on()

    def _is_by_owner(self, refund: Refund) -> bool:
        """Whether it was taken out of what the owner is owed: one of staff, after the release."""
        return refund.reservation.entries.filter(account__code=self.payable.code).exists()

    def _refund_rest(self, voided: Refund, minor: int) -> None:
        """What a void refund was going to send back beyond what the dispute has taken."""
        if not self._is_by_owner(voided):
            self._refund(minor, voided.reason)
            return
        refund = new_refund(self.locked, voided.reason, Money(minor, voided.currency), self.now)
        self.charged.refunded_minor += minor
        sql.update(self.charged, "refunded_minor")
        refund.reservation = books.reserve_refund_by_owner(
            refund_id=refund.pk,
            investment_id=self.investment.pk,
            owner_id=self.campaign.owner_id,
            provider=self.charged.provider,
            amount=refund.amount,
            fees={},
            now=self.now,
        )
        sql.insert(refund)
        self.refunds.append(refund)

    def _void_refunds(self, minor: int) -> Sequence[Refund]:
        """As many of the oldest as make up `minor` units."""
        voided: list[Refund] = []
        while self.refunds and sum(refund.amount_minor for refund in voided) < minor:
            refund = self.refunds.pop(0)
            refund.status, refund.updated_at = Refund.Status.VOIDED, self.now
            sql.update(refund, "status", "updated_at")
            outbox.done(refund.pk, now=self.now)
            void_reserved(refund.reservation, now=self.now)
            fees.keep(refund)
            voided.append(refund)
        return voided

    def _go_on(self) -> None:
        """What has waited for it: the refunds, if there is no other dispute, and a campaign that ends."""
        if not Dispute.objects.filter(payment=self.charged, status=State.OPEN).exists():
            resume_refunds(self.refunds, now=self.now)
        if self.campaign.status in (CampaignStatus.FUNDED, CampaignStatus.FAILED, CampaignStatus.CANCELLED):
            outbox.emit("investments.close_campaign", campaign_id=str(self.campaign.pk))

    def _record(self, step: str, dispute: Dispute) -> None:
        record_event(
            f"investment.{step}",
            self.investment,
            self.campaign,
            now=self.now,
            amount=dispute.amount,
            reason=dispute.reason,
            dispute_id=dispute.pk,
            owner_id=self.campaign.owner_id,
            staff_ids=people_with(READ),
        )


class _OfDistribution:
    """
    A disputed charge that paid a distribution in, locked.

    Until the distribution is split, its own account holds the money and nothing is decided. After that holders keep
    what they are promised: its owner answers with what they are owed, then the platform.
    """

    def __init__(self, charge: DistributionCharge, now: datetime) -> None:
        self.now = now
        self.distribution, self.charged = lock_distribution(charge.distribution_id)
        self.reference = f"distribution:{self.distribution.pk}"
        self.account = books.distribution_account(self.distribution.pk, self.distribution.currency)
        self.payable = books.payable_account(self.distribution.campaign.owner_id, self.distribution.currency)

    def _lock_accounts(self, dispute: Dispute) -> None:
        """Before any of them moves."""
        about = {"provider": dispute.provider, "currency": dispute.currency}
        books.lock_for_dispute(dispute.pk, self.account, self.payable, **about, now=self.now)

    def open(self, told: Told) -> Dispute:
        charge, distribution, amount = self.charged, self.distribution, told.amount
        is_whole = amount == charge.amount
        is_held = is_whole and charge.status == charge.Status.CAPTURED and distribution.split_at is None
        covered = amount.minor if is_whole and charge.status == charge.Status.REFUNDING else 0
        dispute_id = uuid7()
        opening, freeze, frozen = books.open_dispute(
            dispute_id=dispute_id,
            provider=charge.provider,
            amount=amount,
            source=self.account if is_held else self.payable,
            most=amount.minor - covered,
            covered=covered,
            reference=self.reference,
            now=self.now,
        )
        dispute = _new(
            *(charge, told, self.now),
            id=dispute_id,
            distribution_charge=charge,
            held_minor=frozen if is_held else 0,
            is_released=not is_held,
            payable_minor=0 if is_held else frozen,
            refund_minor=covered,
            opening=opening,
            freeze=freeze,
        )
        sql.insert(dispute)
        self._record("disputed", dispute)
        return dispute

    def win(self, dispute: Dispute) -> None:
        self._lock_accounts(dispute)
        if dispute.freeze is not None:
            void_reserved(dispute.freeze, now=self.now)
        dispute.reversal = books.win_dispute(dispute_id=dispute.pk, opening=dispute.opening, now=self.now)
        dispute.restored_minor = dispute.held_minor
        _close(dispute, State.WON, self.now)
        self._record("dispute_won", dispute)
        if self.charged.status == DistributionCharge.Status.REFUNDING:
            distribution_review.resume_refund(self.charged, now=self.now)
        elif self.distribution.status == Distribution.Status.APPROVED:
            outbox.emit("investments.distribute", now=self.now, distribution_id=str(self.distribution.pk))

    def lose(self, dispute: Dispute) -> None:
        self._lock_accounts(dispute)
        charge = self.charged
        is_void = bool(dispute.refund_minor) and charge.status == DistributionCharge.Status.REFUNDING
        dispute.voided_minor = dispute.refund_minor if is_void else 0
        _close(dispute, State.LOST, self.now)
        if dispute.freeze is not None:
            post_reserved(dispute.freeze, now=self.now)
        if is_void:
            assert charge.refund_reservation is not None
            void_reserved(charge.refund_reservation, now=self.now)
            distribution_review.drop_refund(charge, now=self.now)
        if dispute.refund_minor:
            books.lose_covered(
                dispute_id=dispute.pk,
                amount=Money(dispute.refund_minor, dispute.currency),
                sources=[(self.account, dispute.voided_minor)],
                reference=self.reference,
                now=self.now,
            )
        if dispute.held_minor:
            self._reject()
        if is_void or dispute.held_minor:
            charge.status, charge.refund_reservation, charge.updated_at = charge.Status.DISPUTED, None, self.now
            sql.update(charge, "status", "refund_reservation", "updated_at")
        self._record("dispute_lost", dispute)

    def _reject(self) -> None:
        """There is nothing left to distribute."""
        distribution = self.distribution
        distribution.status = Distribution.Status.REJECTED
        distribution.decided_at = distribution.decided_at or self.now
        distribution.updated_at = self.now
        sql.update(distribution, "status", "decided_at", "updated_at")

    def _record(self, step: str, dispute: Dispute) -> None:
        distribution = self.distribution
        events.record(
            f"distribution.{step}",
            distribution,
            actor=None,
            now=self.now,
            amount=dispute.amount,
            campaign_id=distribution.campaign_id,
            campaign_title=distribution.campaign.title,
            owner_id=distribution.proposed_by_id,
            reason=dispute.reason,
            dispute_id=dispute.pk,
            staff_ids=people_with(READ),
        )
