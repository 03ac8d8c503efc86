"""
The money columns of a campaign and who backs it: reserve, then confirm or release; give back later (docs/locking.md).

Call these inside the transaction that books the same amounts in the ledger, after locking rows of your own and right
before booking: all who invest in the campaign wait from there to the commit. What takes a locked campaign keeps its
sums in memory as they will be, so that its caller can go on with them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.errors import (
    BelowMinimum,
    CampaignClosed,
    CampaignNotOpen,
    CurrencyMismatch,
    OverCap,
    OwnCampaign,
)
from campaigns.models import PUBLIC, Backing, Campaign, Status, deadline, is_open
from campaigns.trending import WITH_ONE_MORE, score_of_one
from campaigns.verdicts import Verdict
from core import events
from core.api.errors import NotFound
from core.data import locks, sql
from core.data.ids import uuid7
from core.money import Money


def lock_campaign(campaign_id: UUID) -> Campaign:
    """
    The campaign as it is now; nobody else changes it until the caller's transaction ends.

    A lock without the key, so that rows which only point to the campaign are not held up.

    :raises NotFound: there is none
    """
    found = sql.first(f"{_CAMPAIGN} {locks.clause('c')}", [campaign_id], (Campaign, ("description",)))
    if found is None:
        raise NotFound()
    campaign: Campaign = found[0]
    locks.taken(campaign)
    return campaign


def open_verdict(campaign: Any, backer_id: UUID, now: datetime) -> Verdict:
    """
    Whether somebody may put money into a campaign that they see, whatever room there is.

    :param campaign: a `Campaign`, or a row with its columns
    """
    if campaign.owner_id == backer_id:
        return Verdict(OwnCampaign())
    if campaign.status == Status.LIVE and campaign.starts_at is not None and now < campaign.starts_at:
        return Verdict(CampaignNotOpen(), changes_at=campaign.starts_at)
    ends_at = deadline(campaign, now)
    if not is_open(campaign.status, campaign.starts_at, ends_at, now):
        return Verdict(CampaignClosed())
    return Verdict(changes_at=ends_at)


def require_open(campaign: Campaign, backer: Any, amount: Money, now: datetime) -> None:
    """
    Whether somebody may put money into a locked campaign, whatever room there is.

    :raises NotFound: not public
    :raises OwnCampaign: :raises CampaignNotOpen: :raises CampaignClosed: :raises CurrencyMismatch:
    """
    if campaign.status not in PUBLIC and campaign.owner_id != backer.pk:
        raise NotFound()
    open_verdict(campaign, backer.pk, now).require()
    if amount.currency != campaign.currency:
        raise CurrencyMismatch(currency=campaign.currency)


def require_room(campaign: Campaign, backer: Any, amount: Money, now: datetime) -> None:
    """
    Whether somebody may put `amount` into a campaign; whoever acts on it has locked the campaign.

    The smallest investment does not apply to the very last piece under the cap.

    :raises NotFound: :raises OwnCampaign: :raises CampaignNotOpen: :raises CampaignClosed:
    :raises CurrencyMismatch: see `require_open`
    :raises BelowMinimum: :raises OverCap:
    """
    require_open(campaign, backer, amount, now)
    available = campaign.available_minor
    if amount.minor > available:
        raise OverCap(available=campaign.text(available), currency=campaign.currency)
    minimum = campaign.min_investment_minor or 1
    if amount.minor < minimum and amount.minor != available:
        raise BelowMinimum(minimum=campaign.text(minimum), currency=campaign.currency)


def reserve_funding(*, campaign: Campaign, backer: Any, amount: Money, now: datetime) -> None:
    """
    Set `amount` of a locked campaign aside for a payment that begins now.

    :raises Refusal: those of `require_room`
    """
    require_room(campaign, backer, amount, now)
    sql.change(_RESERVE, [amount.minor, campaign.pk])
    campaign.reserved_minor += amount.minor


def confirm_funding(*, campaign: Campaign, backer_id: UUID, amount: Money, now: datetime) -> None:
    """Turn a reservation into money raised: the payment succeeded."""
    backing = lock_backing(campaign.pk, backer_id, now)
    joined = not backing.committed_minor
    if joined:
        backing.since = now
        events.record("campaign.backer_joined", campaign, actor=None, now=now, backer_id=backer_id)
    backing.committed_minor += amount.minor
    sql.update(backing, "committed_minor", "since")
    one = score_of_one(now)
    sql.change(_CONFIRM, [amount.minor, amount.minor, int(joined), one, one, campaign.pk])


def release_funding(*, campaign: Campaign, amount: Money) -> None:
    """Release a reservation in a locked campaign: the payment failed."""
    sql.change(_RESERVE, [-amount.minor, campaign.pk])
    campaign.reserved_minor -= amount.minor


def write_offers(campaign: Campaign, *, accepted_minor: int = 0) -> None:
    """
    Write what a locked campaign offers to its waiting list, and how many wait, as the caller has set them.

    :param accepted_minor: what of it turns into a reservation for a payment that begins now
    """
    campaign.offered_minor -= accepted_minor
    campaign.reserved_minor += accepted_minor
    sql.change(_OFFERS, [campaign.offered_minor, campaign.waiting_count, accepted_minor, campaign.pk])


def return_funding(
    *, campaign: Campaign, amounts: Mapping[UUID, int], now: datetime, is_released: bool = False
) -> None:
    """
    Take money raised out again: it is being refunded, or a bank has taken it back.

    :param amounts: minor units by backer
    :param is_released: it had been released to the owner
    """
    rows = Backing.objects.filter(campaign=campaign, backer_id__in=list(amounts))
    left = 0
    for backing in locks.lock(rows).order_by("pk"):
        backing.committed_minor -= amounts[backing.backer_id]
        sql.update(backing, "committed_minor")
        if not backing.committed_minor:
            left += 1
            events.record("campaign.backer_left", campaign, actor=None, now=now, backer_id=backing.backer_id)
    minor = sum(amounts.values())
    released = minor if is_released else 0
    sql.change(_RETURN, [minor, released, left, campaign.pk])
    campaign.raised_minor -= minor
    campaign.settled_minor -= released


def restore_funding(*, campaign: Campaign, backing: Backing, amount: Money, is_released: bool, now: datetime) -> None:
    """
    Count money again that a dispute had taken out, in a locked campaign that has room for it.

    :param backing: of its backer, locked
    :param is_released: it is released to the owner at once
    """
    joined = not backing.committed_minor
    if joined:
        backing.since = now
        events.record("campaign.backer_joined", campaign, actor=None, now=now, backer_id=backing.backer_id)
    backing.committed_minor += amount.minor
    sql.update(backing, "committed_minor", "since")
    released = amount.minor if is_released else 0
    sql.change(_RESTORE, [amount.minor, released, int(joined), campaign.pk])
    campaign.raised_minor += amount.minor
    campaign.settled_minor += released


def return_settled_funding(*, campaign: Campaign, backer_id: UUID, amount: Money, now: datetime) -> None:
    """
    Take money raised out again that was released to the owner already: it is refunded out of what the owner is owed.
    The caller has locked the backing, then the campaign.
    """
    sql.change(_UNSETTLE, [amount.minor, campaign.pk])
    return_funding(campaign=campaign, amounts={backer_id: amount.minor}, now=now)


def settle_funding(campaign_id: UUID) -> None:
    """Count what is raised as released to the owner, in the transaction that books it. Repeating it changes nothing."""
    sql.change(_SETTLE, [campaign_id])


def lock_backing(campaign_id: UUID, backer_id: UUID, now: datetime) -> Backing:
    """What a person has in a campaign, made if it is the first time; nobody else changes it meanwhile."""
    new = [uuid7(), now, campaign_id, backer_id, now]
    _, ((backing,),) = sql.read(
        sql.Read(_ENSURE_BACKING, new, ()),
        sql.Read(f"{_BACKING} {locks.clause('b')}", [campaign_id, backer_id], (Backing,)),
    )
    locks.taken(backing)
    found: Backing = backing
    return found


# The campaign's row is what all its investors wait for. So its columns are changed by statements that read nothing and
# may travel with the last ones of their transaction (`core.data.sql.together`); the table's checks see the outcome.
_CAMPAIGN = f"SELECT {sql.columns(Campaign, 'c', ('description',))} FROM campaigns_campaign c WHERE c.id = %s"
_RESERVE = "UPDATE campaigns_campaign SET reserved_minor = reserved_minor + %s WHERE id = %s"
_OFFERS = """
    UPDATE campaigns_campaign SET offered_minor = %s, waiting_count = %s, reserved_minor = reserved_minor + %s
    WHERE id = %s
"""
_CONFIRM = f"""
    UPDATE campaigns_campaign SET
        reserved_minor = reserved_minor - %s, raised_minor = raised_minor + %s, investor_count = investor_count + %s,
        trend = {WITH_ONE_MORE}
    WHERE id = %s
"""
_RETURN = """
    UPDATE campaigns_campaign SET
        raised_minor = raised_minor - %s, settled_minor = settled_minor - %s, investor_count = investor_count - %s
    WHERE id = %s
"""
_RESTORE = """
    UPDATE campaigns_campaign SET
        raised_minor = raised_minor + %s, settled_minor = settled_minor + %s, investor_count = investor_count + %s
    WHERE id = %s
"""
_UNSETTLE = "UPDATE campaigns_campaign SET settled_minor = settled_minor - %s WHERE id = %s"
_SETTLE = "UPDATE campaigns_campaign SET settled_minor = raised_minor WHERE id = %s"
_ENSURE_BACKING = """
    INSERT INTO campaigns_backing (id, created_at, campaign_id, backer_id, committed_minor, since)
    VALUES (%s, %s, %s, %s, 0, %s) ON CONFLICT (campaign_id, backer_id) DO NOTHING RETURNING id
"""
_BACKING = f"SELECT {sql.columns(Backing, 'b')} FROM campaigns_backing b WHERE b.campaign_id = %s AND b.backer_id = %s"
