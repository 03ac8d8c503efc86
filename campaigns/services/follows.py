"""Following a campaign: its page counts the followers, and they hear of its deadline and of its outcome."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from accounts.access import lock_person
from accounts.models import User
from campaigns.access import access_campaign
from campaigns.errors import TooManyFollowedCampaigns
from campaigns.models import Campaign, CampaignAudience, CampaignFollow, Status
from campaigns.services.funding import lock_campaign
from core import events
from core.api.limits import Limit
from core.data.transactions import retrying
from core.models import Event

MAX_FOLLOWS = 1000
"""How many campaigns one person may follow."""
PER_PERSON = Limit("campaign_follows:person", 200, timedelta(hours=1))
"""Follows and their ends."""
SOON = timedelta(hours=48)
"""How long before its deadline the followers of a campaign hear of it."""


@retrying
def follow_campaign(*, person: User, campaign_id: UUID, now: datetime) -> None:
    """
    Follow a campaign; twice changes nothing.

    :raises NotFound: missing, or not yet public and somebody else's
    :raises TooManyFollowedCampaigns: the person follows as many as one may
    """
    campaign = access_campaign(person, campaign_id)
    lock_person(person.pk)
    own = CampaignFollow.objects.filter(follower=person)
    if own.filter(campaign=campaign).exists():
        return
    if own.count() >= MAX_FOLLOWS:
        raise TooManyFollowedCampaigns(most=MAX_FOLLOWS)
    CampaignFollow.objects.create(campaign=campaign, follower=person, created_at=now)
    _count(campaign.pk, 1)
    events.record("campaign.followed", campaign, actor=person, now=now)


@retrying
def unfollow_campaign(*, person: User, campaign_id: UUID, now: datetime) -> None:
    """
    Follow a campaign no more; twice changes nothing.

    :raises NotFound: missing, or not yet public and somebody else's
    """
    campaign = access_campaign(person, campaign_id)
    if CampaignFollow.objects.filter(campaign=campaign, follower=person).delete()[0]:
        _count(campaign.pk, -1)
        events.record("campaign.unfollowed", campaign, actor=person, now=now)


def delete_follows_of(person_id: UUID) -> None:
    """Everything that a person follows, in the transaction that erases the person."""
    for follow in CampaignFollow.objects.filter(follower=person_id).order_by("campaign_id"):
        follow.delete()
        _count(follow.campaign_id, -1)


def _count(campaign_id: UUID, by: int) -> None:
    """The last lock of its transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"campaign": campaign_id, "by": by})


_COUNT = f"""
    INSERT INTO {CampaignAudience._meta.db_table} AS audience (campaign_id, follower_count)
    VALUES (%(campaign)s, greatest(%(by)s, 0))
    ON CONFLICT (campaign_id) DO UPDATE SET follower_count = audience.follower_count + %(by)s
"""


def campaigns_ending_soon(now: datetime) -> QuerySet[Campaign, UUID]:
    """Ids of those whose deadline is near and was not announced yet, the nearest first."""
    announced = Event.objects.filter(kind="campaign.ending_soon", subject_id=OuterRef("pk"))
    near = Campaign.objects.filter(status=Status.LIVE, ends_at__gt=now, ends_at__lte=now + SOON)
    return near.exclude(Exists(announced)).order_by("ends_at", "id").values_list("pk", flat=True)


@retrying
def announce_deadline(campaign_id: UUID, *, now: datetime) -> None:
    """Record, once, that a campaign ends soon."""
    campaign = lock_campaign(campaign_id)
    if campaigns_ending_soon(now).filter(pk=campaign.pk).exists():
        events.record("campaign.ending_soon", campaign, actor=None, now=now, campaign_title=campaign.title)
