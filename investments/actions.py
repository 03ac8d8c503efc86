"""
What somebody may do with a campaign as an investor, and with an investment, at a moment: the checks of the calls
themselves, asked beforehand (docs/investor-rights.md).

What is known is read once. Each answer is a function of that and of a moment, so that it can also be asked for the
moments at which something ends: the first one with another answer is `until`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from campaigns.actions import add_source, email_verified, identity_proven
from campaigns.errors import OverCap
from campaigns.models import available_minor, rules_of
from campaigns.outputs import Action
from campaigns.rules import Rules
from campaigns.services.funding import open_verdict
from campaigns.verdicts import ALLOWED, Verdict, first_refusal
from core.money import MAX_MINOR, minor_text
from investments.eligibility import Facts, may_invest
from investments.errors import (
    AlreadyWaiting,
    DistributionUnderWay,
    NoOffer,
    NothingToDistributeTo,
    NotWaiting,
    OfferExpired,
    PaymentDisputed,
    PayoutsNotSupported,
    RoomAvailable,
    WithdrawalTooLarge,
)
from investments.facts import investor_facts
from investments.models import IN_LIST, Investment, Payment, Status, WaitingEntry, WaitingStatus
from investments.outputs import AllowedInvestmentAction, InvestmentAction
from investments.services.distributions import can_distribute, open_charges_of
from investments.services.investing import UnderWay, too_many_verdict
from investments.services.payouts import available_returns, can_receive_somewhere
from investments.services.reconfirming import amendments_of, answer_verdict
from investments.services.waiting import AT_ONCE, line_of, plan_offers
from investments.services.withdrawals import window_verdict
from investments.suspensions import suspension_verdict


@dataclass(frozen=True, slots=True)
class Position:
    """Where somebody stands with a campaign."""

    person: Any
    campaign: Any
    """A row of the campaign's page."""
    under_way: Sequence[UnderWay]
    facts: Facts | None
    """None under rules that ask nothing of an investor."""
    entry: WaitingEntry | None
    """The person's last one in the waiting list."""
    suspended: str
    """What every payment method of theirs is under; empty if one can be used, or if there is none."""
    line: Sequence[WaitingEntry] = field(default=())
    """Those that wait or have an offer, in their order."""

    @property
    def smallest(self) -> int:
        return self.campaign.min_investment_minor or 1


@add_source(beside="investments/sql/investor_position.part.sql")
def on_campaign(person: Any, campaign: Any, now: datetime) -> Iterator[tuple[Action, Verdict]]:
    """What an investor may do with the campaign whose page is a row, and its owner once it is settled."""
    if campaign.owner_id == person.pk:
        yield "propose_distribution", first_refusal([lambda: identity_proven(person), lambda: _distribution(campaign)])
        return
    position = _position(person, campaign, now)
    answers: dict[Action, Callable[[Position, datetime], Verdict]] = {
        "invest": _invest,
        "join_waitlist": _join,
        "accept_offer": _accept,
        "leave_waitlist": _leave,
    }
    shown: dict[Action, Callable[[Position, datetime], Verdict]] = (
        answers if _has_list(position) else {"invest": _invest}
    )
    for action, answer in shown.items():
        yield action, until_it_changes(partial(answer, position), now, _ends(position))


def until_it_changes(
    answer: Callable[[datetime], Verdict], now: datetime, moments: Sequence[datetime | None]
) -> Verdict:
    """
    The answer at `now` with the first of `moments` at which it is another one.

    :param moments: at which something ends or begins
    """
    present = answer(now)
    code = present.refusal.code if present.refusal else None
    for moment in sorted({one for one in (*moments, present.changes_at) if one is not None and one > now}):
        then = answer(moment).refusal
        if (then.code if then else None) != code:
            return present._replace(changes_at=moment)
    return present._replace(changes_at=None)


def _distribution(campaign: Any) -> Verdict:
    if not can_distribute(campaign):
        return Verdict(NothingToDistributeTo())
    return Verdict(DistributionUnderWay()) if open_charges_of(campaign.id).exists() else ALLOWED


def investment_actions(investment: Investment, now: datetime, *, is_disputed: bool) -> list[AllowedInvestmentAction]:
    """
    What its investor may do with an investment.

    :param investment: with its campaign, payment and investor
    :param is_disputed: whether a dispute about its payment is open
    """
    campaign = investment.campaign
    amendments = amendments_of(campaign.pk) if campaign.reconfirm_until is not None else []

    def answers(decline: bool) -> Verdict:
        return first_refusal(
            [
                lambda: email_verified(investment.investor),
                lambda: answer_verdict(investment, amendments, now, decline=decline),
            ]
        )

    found: list[tuple[InvestmentAction, Verdict]] = [("withdraw", _withdraw(investment, now, is_disputed))]
    if amendments:
        found += [("reconfirm", answers(decline=False)), ("decline_terms", answers(decline=True))]
    return [AllowedInvestmentAction.of(*one) for one in found]


def _withdraw(investment: Investment, now: datetime, is_disputed: bool) -> Verdict:
    """Of some amount; a payment that waits for its investor is given up as a whole. What has returned is paid out."""
    payment = investment.payment

    def is_left() -> Verdict:
        if is_disputed:
            return Verdict(PaymentDisputed())
        if payment.status == Payment.Status.REQUIRES_ACTION:
            return ALLOWED
        if investment.status == Status.INVESTED and available_returns(investment):
            somewhere = can_receive_somewhere(investment.investor)
            return ALLOWED if somewhere else Verdict(PayoutsNotSupported())
        if investment.status != Status.COMMITTED or not payment.held_minor:
            return Verdict(WithdrawalTooLarge(available=investment.text(0), currency=investment.currency))
        return window_verdict(investment.reflection_ends_at, investment.campaign, now)

    return first_refusal([lambda: email_verified(investment.investor), is_left])


def _position(person: Any, campaign: Any, now: datetime) -> Position:
    columns = campaign.under_way_ids, campaign.under_way_campaigns, campaign.under_way_statuses
    under_way = [UnderWay(*one) for one in zip(*(column or () for column in columns), strict=True)]
    entry, line = None, []
    if campaign.has_waited or campaign.offered_minor or campaign.waiting_count:
        entries = WaitingEntry.objects.filter(campaign=campaign.id, investor=person.pk)
        entry = entries.order_by("-position").first()
        line = list(line_of(campaign.id)[:AT_ONCE])
    facts = None
    if campaign.rules != Rules.NONE or campaign.has_documents:
        facts = investor_facts(person, rules_of(campaign), now=now, campaign_id=campaign.id)
    return Position(person, campaign, under_way, facts, entry, campaign.suspended or "", line)


def _has_list(position: Position) -> bool:
    """Whether its waiting list concerns the person."""
    campaign = position.campaign
    is_full = available_minor(campaign) < position.smallest
    return bool(is_full or position.entry or campaign.waiting_count)


def _ends(position: Position) -> list[datetime | None]:
    campaign = position.campaign
    return [campaign.starts_at, campaign.ends_at, campaign.first_ends_at, *(one.offer_ends_at for one in position.line)]


# --- In the order in which the calls check --------------------------------------------------------------------------


def _invest(position: Position, at: datetime) -> Verdict:
    room = _room(position, at)
    smallest = min(position.smallest, room) if room > 0 else position.smallest
    return first_refusal([*_before(position, smallest, at), lambda: _has_room(position, room)])


def _join(position: Position, at: datetime) -> Verdict:
    def list_takes_them() -> Verdict:
        entry = _entry_at(position, at)
        if entry in IN_LIST:
            return Verdict(AlreadyWaiting())
        campaign, room = position.campaign, _room(position, at)
        if position.smallest > (campaign.max_minor or MAX_MINOR):
            return Verdict(OverCap(available="", currency=campaign.currency))
        if room >= position.smallest:
            return Verdict(RoomAvailable(available=_text(campaign, room), currency=campaign.currency))
        return ALLOWED

    return first_refusal([*_before(position, position.smallest, at), list_takes_them])


def _accept(position: Position, at: datetime) -> Verdict:
    amount = _offered_at(position, at)

    def has_offer() -> Verdict:
        match _entry_at(position, at):
            case WaitingStatus.OFFERED:
                return Verdict(rule="waiting_list_offer")
            case WaitingStatus.EXPIRED:
                return Verdict(OfferExpired(), "waiting_list_offer")
            case WaitingStatus.WAITING:
                return Verdict(NoOffer())
        return Verdict(NotWaiting())

    before = [*_before(position, amount, at, is_eligible=False), has_offer]
    return first_refusal([*before, lambda: _eligible(position, amount, at)])


def _leave(position: Position, at: datetime) -> Verdict:
    def is_in_list() -> Verdict:
        is_open = open_verdict(position.campaign, position.person.pk, at).refusal is None
        return ALLOWED if is_open and _entry_at(position, at) in IN_LIST else Verdict(NotWaiting())

    return first_refusal([lambda: email_verified(position.person), is_in_list])


def _before(position: Position, minor: int, at: datetime, *, is_eligible: bool = True) -> list[Callable[[], Verdict]]:
    """What is checked before room, for `minor` units."""
    campaign, person = position.campaign, position.person
    checks: list[Callable[[], Verdict]] = [
        lambda: identity_proven(person),
        lambda: too_many_verdict(position.under_way, campaign.id),
        lambda: suspension_verdict(position.suspended),
        lambda: open_verdict(campaign, person.pk, at),
    ]
    if is_eligible:
        checks.append(lambda: _eligible(position, minor, at))
    return checks


def _eligible(position: Position, minor: int, at: datetime) -> Verdict:
    if position.facts is None:
        return ALLOWED
    return may_invest(position.facts, rules_of(position.campaign), minor=minor, now=at)


def _room(position: Position, at: datetime) -> int:
    """What is free once the waiting list has been served, in minor units."""
    room = available_minor(position.campaign)
    return plan_offers(position.line, available=room, smallest=position.smallest, now=at).left


def _has_room(position: Position, room: int) -> Verdict:
    campaign = position.campaign
    if room > 0:
        return ALLOWED
    return Verdict(OverCap(available=_text(campaign, 0), currency=campaign.currency))


def _entry_at(position: Position, at: datetime) -> WaitingStatus | None:
    """How the person stands in the list once it has been served."""
    entry = position.entry
    if entry is None:
        return None
    if entry.status not in IN_LIST:
        return WaitingStatus(entry.status)
    part = _step_of(position, at)
    if part is None:
        return WaitingStatus(entry.status)
    return WaitingStatus.OFFERED if part else WaitingStatus.EXPIRED


def _offered_at(position: Position, at: datetime) -> int:
    """What the person is offered then, in minor units."""
    return (position.entry.offered_minor if position.entry else 0) + (_step_of(position, at) or 0)


def _step_of(position: Position, at: datetime) -> int | None:
    """What the person is offered (more) when the list is served; zero when their offer has run out."""
    available = available_minor(position.campaign)
    plan = plan_offers(position.line, available=available, smallest=position.smallest, now=at)
    return next((part for entry, part in plan.steps if position.entry and entry.pk == position.entry.pk), None)


def _text(campaign: Any, minor: int) -> str:
    return minor_text(minor, campaign.currency)
