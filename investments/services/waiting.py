"""
The waiting list of a campaign that is full (docs/waiting-list.md): first come, first served, and nobody is charged.

All of it happens under the campaign's lock. Whoever frees a place calls `offer_free_places` in the same transaction;
whoever wants a place calls it first, so that offers that have run out are passed on without a job.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from campaigns.access import access_campaign
from campaigns.errors import BelowMinimum, OverCap
from campaigns.models import Campaign, Phase, Status as CampaignStatus
from campaigns.services.early_close import lock_by_clock
from campaigns.services.funding import lock_campaign, require_open, write_offers
from core import events
from core.data import sql
from core.data.transactions import retrying
from core.money import MAX_MINOR, Money
from investments.errors import AlreadyWaiting, NoOffer, NotWaiting, OfferExpired, RoomAvailable
from investments.models import IN_LIST, Investment, PaymentMethod, WaitingEntry, WaitingStatus

AT_ONCE = 200
"""How many entries one transaction looks at; the job goes on with the rest."""


def join(*, campaign: Campaign, investor: User, method: PaymentMethod, amount: Money, now: datetime) -> WaitingEntry:
    """
    Put somebody at the end of the list, in the transaction that has checked and locked them.

    :param campaign: as it was read
    :raises OwnCampaign: :raises CampaignNotOpen: :raises CampaignClosed: :raises CurrencyMismatch: nobody can invest
    :raises BelowMinimum: less than the smallest investment
    :raises OverCap: more than the campaign takes at all
    :raises AlreadyWaiting: the person has an entry
    :raises RoomAvailable: there is room to invest
    """
    campaign = lock_by_clock(campaign.pk, now=now)
    require_open(campaign, investor, amount, now)
    offer_free_places(campaign, now=now)
    if WaitingEntry.objects.in_list().filter(campaign=campaign, investor=investor).exists():
        raise AlreadyWaiting()
    smallest = smallest_place(campaign)
    if amount.minor < smallest:
        raise BelowMinimum(minimum=campaign.text(smallest), currency=campaign.currency)
    if amount.minor > (campaign.max_minor or MAX_MINOR):
        raise OverCap(available=campaign.text(campaign.max_minor or MAX_MINOR), currency=campaign.currency)
    if campaign.available_minor >= smallest:
        raise RoomAvailable(available=campaign.text(campaign.available_minor), currency=campaign.currency)
    last = WaitingEntry.objects.filter(campaign=campaign).aggregate(last=Max("position"))["last"] or 0
    entry = WaitingEntry.objects.create(
        campaign=campaign,
        investor=investor,
        method=method,
        amount_minor=amount.minor,
        currency=amount.currency,
        position=last + 1,
        created_at=now,
        updated_at=now,
    )
    campaign.waiting_count += 1
    write_offers(campaign)
    events.record("waiting_list.joined", entry, actor=investor, now=now, amount=amount, campaign_id=campaign.pk)
    return entry


@retrying
def leave_waiting_list(*, investor: User, campaign_id: UUID, now: datetime) -> WaitingEntry:
    """
    Give a place in the list up, and an offer with it, which goes to the next.

    :raises NotFound: a campaign that is not to be seen
    :raises NotWaiting: the person has no entry
    """
    access_campaign(investor, campaign_id)
    campaign = lock_by_clock(campaign_id, now=now)
    entry = latest_entry(investor, campaign_id)
    if entry.status_at(now, campaign) not in IN_LIST:
        raise NotWaiting()
    with sql.together():
        _end(campaign, entry, WaitingStatus.LEFT, now)
        write_offers(campaign)
        events.record("waiting_list.left", entry, actor=investor, now=now, campaign_id=campaign.pk)
    offer_free_places(campaign, now=now)
    return entry


def lock_offer(*, investor: User, campaign_id: UUID, now: datetime) -> tuple[Campaign, WaitingEntry]:
    """
    The offer that somebody has, with the campaign, locked.

    :raises CampaignClosed: it takes no investments
    :raises NotWaiting: the person has no entry, or has left the list or accepted
    :raises NoOffer: their turn has not come
    :raises OfferExpired: it has run out
    """
    campaign = lock_by_clock(campaign_id, now=now)
    entry = latest_entry(investor, campaign_id)
    require_open(campaign, investor, entry.amount, now)
    offer_free_places(campaign, now=now)
    entry.refresh_from_db()
    if entry.status == WaitingStatus.EXPIRED:
        raise OfferExpired()
    if entry.status == WaitingStatus.WAITING:
        raise NoOffer()
    if entry.status != WaitingStatus.OFFERED:
        raise NotWaiting()
    return campaign, entry


def accept(campaign: Campaign, entry: WaitingEntry, investment: Investment, now: datetime) -> None:
    """The offer turns into the reservation of an investment, in the transaction that locked it and makes that."""
    offered = entry.offered_minor
    entry.status, entry.offered_minor, entry.investment, entry.updated_at = (
        WaitingStatus.ACCEPTED,
        0,
        investment,
        now,
    )
    sql.update(entry, "status", "offered_minor", "investment", "updated_at")
    write_offers(campaign, accepted_minor=offered)


def offer_free_places(campaign: Campaign, *, now: datetime) -> None:
    """
    Pass on what is free in a campaign to those who wait, in their order.

    An offer that has run out is free again. Then whoever comes first is offered what there is room for, up to the
    amount wanted: at least the smallest investment, or what an offer of a part still lacks. A rest below that stays
    free.

    :param campaign: locked, with its sums as they are at the end of the caller's transaction
    """
    if not (campaign.waiting_count or campaign.offered_minor) or not campaign.is_open_at(now):
        return
    unfinished = Q(status=WaitingStatus.WAITING) | Q(
        Q(offer_ends_at__lte=now) | Q(offered_minor__lt=F("amount_minor")), status=WaitingStatus.OFFERED
    )
    entries = list(line_of(campaign.pk).filter(unfinished)[:AT_ONCE])
    plan = plan_offers(entries, available=campaign.available_minor, smallest=smallest_place(campaign), now=now)
    with sql.together():
        for entry, part in plan.steps:
            if part:
                _offer(campaign, entry, part, now)
            else:
                _expire(campaign, entry, now)
        if plan.steps:
            write_offers(campaign)


class Step(NamedTuple):
    entry: WaitingEntry
    part: int
    """Minor units that are offered (more); zero: its offer has run out."""


class Plan(NamedTuple):
    steps: list[Step]
    left: int
    """What is free after them, in minor units."""


def plan_offers(entries: Sequence[WaitingEntry], *, available: int, smallest: int, now: datetime) -> Plan:
    """
    What becomes of the free places of a campaign at a moment. Changes nothing.

    :param entries: those that wait or have an offer, in their order
    :param available: what is free, in minor units
    :param smallest: below which nothing is offered
    """
    ended = [Step(entry, 0) for entry in entries if entry.is_expired_at(now)]
    available += sum(step.entry.offered_minor for step in ended)
    steps = []
    for entry in entries:
        if entry.is_expired_at(now) or not entry.missing_minor:
            continue
        part = min(available, entry.missing_minor)
        if part <= 0 or entry.offered_minor + part < min(smallest, entry.amount_minor):
            break
        available -= part
        steps.append(Step(entry, part))
    return Plan([*ended, *steps], available)


def line_of(campaign_id: UUID) -> QuerySet[WaitingEntry]:
    """Those that wait or have an offer, in their order."""
    return WaitingEntry.objects.in_list().filter(campaign=campaign_id).order_by("position")


def smallest_place(campaign: Campaign) -> int:
    """Minor units below which nothing is offered."""
    return campaign.min_investment_minor or 1


def _offer(campaign: Campaign, entry: WaitingEntry, part: int, now: datetime) -> None:
    """A part that is added to an offer renews its time."""
    campaign.waiting_count -= entry.status == WaitingStatus.WAITING
    campaign.offered_minor += part
    entry.status = WaitingStatus.OFFERED
    entry.offered_minor += part
    entry.offer_ends_at = campaign.rule_set["waiting_list_offer"].after(now, campaign.place)
    entry.updated_at = now
    sql.update(entry, "status", "offered_minor", "offer_ends_at", "updated_at")
    _tell("waiting_list.offered", campaign, entry, entry.offered, now)


def _expire(campaign: Campaign, entry: WaitingEntry, now: datetime) -> None:
    _end(campaign, entry, WaitingStatus.EXPIRED, now)
    _tell("waiting_list.expired", campaign, entry, entry.amount, now)


def _end(campaign: Campaign, entry: WaitingEntry, status: WaitingStatus, now: datetime) -> None:
    campaign.waiting_count -= entry.status == WaitingStatus.WAITING
    campaign.offered_minor -= entry.offered_minor
    entry.status, entry.offered_minor, entry.updated_at = status, 0, now
    sql.update(entry, "status", "offered_minor", "updated_at")


def _tell(kind: str, campaign: Campaign, entry: WaitingEntry, amount: Money, now: datetime) -> None:
    events.record(
        kind,
        entry,
        actor=None,
        now=now,
        amount=amount,
        campaign_id=campaign.pk,
        campaign_title=campaign.title,
        investor_id=entry.investor_id,
    )


def latest_entry(investor: User, campaign_id: UUID) -> WaitingEntry:
    """
    Somebody's last entry in the list of a campaign, whatever became of it.

    :raises NotWaiting: there is none
    """
    entries = WaitingEntry.objects.filter(campaign_id=campaign_id, investor=investor).select_related("campaign")
    entry = entries.order_by("-position").first()
    if entry is None:
        raise NotWaiting()
    return entry


# --- By the clock ---------------------------------------------------------------------------------------------------


def lists_to_move(now: datetime) -> QuerySet[Campaign, UUID]:
    """Ids of open campaigns with an offer that has run out, or with a free place that nobody was offered."""
    ended = WaitingEntry.objects.filter(campaign=OuterRef("pk"), status=WaitingStatus.OFFERED, offer_ends_at__lte=now)
    free = F("max_minor") - F("raised_minor") - F("reserved_minor") - F("offered_minor")
    has_place = Q(waiting_count__gt=0, free__gte=Coalesce("min_investment_minor", Value(1)))
    listed = Campaign.objects.in_phase(Phase.OPEN, now).annotate(free=free).filter(Exists(ended) | has_place)
    return listed.order_by("id").values_list("pk", flat=True)


@retrying
def move_list(campaign_id: UUID, *, now: datetime) -> None:
    """`offer_free_places` of a campaign."""
    offer_free_places(lock_campaign(campaign_id), now=now)


@retrying
def end_some(campaign_id: UUID, *, now: datetime) -> bool:
    """Of a campaign that is decided or cancelled: its list ends, a batch of it. Returns whether some are left."""
    campaign = lock_campaign(campaign_id)
    if campaign.status == CampaignStatus.LIVE or not (campaign.waiting_count or campaign.offered_minor):
        return False
    entries = list(WaitingEntry.objects.in_list().filter(campaign=campaign).order_by("position")[:AT_ONCE])
    with sql.together():
        for entry in entries:
            _expire(campaign, entry, now)
        write_offers(campaign)
    return len(entries) == AT_ONCE


def leave_every_list(person_id: UUID, *, now: datetime) -> None:
    """Of somebody whose account was erased."""
    investor = User.objects.get(pk=person_id)
    waiting = WaitingEntry.objects.in_list().filter(investor=investor).order_by("campaign_id")
    for campaign_id in list(waiting.values_list("campaign_id", flat=True)):
        with suppress(NotWaiting):
            leave_waiting_list(investor=investor, campaign_id=campaign_id, now=now)
