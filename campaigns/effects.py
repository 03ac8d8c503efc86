"""
Notices to all who follow or back a campaign, for the declarations in `events.py`. They are written in batches, by
orders of the outbox, since there may be any number of people.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet

from campaigns.models import Backing, Campaign, CampaignFollow
from core.data.ids import derived_id
from core.data.transactions import atomic
from core.events import Recorded
from core.jobs import outbox
from core.models import OutboxEvent
from notifications.effects import Notice, message_called
from notifications.messages import Message
from notifications.services import notices

FOLLOWERS = "campaigns.notify_followers"
BACKERS = "campaigns.notify_backers"
BATCH = 500
"""How many people are notified in one transaction."""
_NEWEST = UUID(int=2**128 - 1)


@dataclass(frozen=True)
class FollowersNotice(Notice):
    """Notifies those who follow the campaign that `to` names, but its owner, who has a notice of their own."""

    to: str = "campaign_id"
    topic: ClassVar[str] = FOLLOWERS
    audience: ClassVar[str] = "its followers"

    def describe(self) -> str:
        return f"{super().describe()}, {self.audience}"

    def deliver(self, event: Recorded) -> None:
        if self.is_due(event):
            campaign_id = event.facts[self.to]
            order = _order(self.topic, self.message, campaign_id, caused_by=event.id, after=event.id)
            outbox.emit_once([order])


@dataclass(frozen=True)
class BackersNotice(FollowersNotice):
    """
    Notifies those who have money in the campaign. Who also follows it gets one entry if both notices have the same
    message.
    """

    topic: ClassVar[str] = BACKERS
    audience: ClassVar[str] = "its backers"


@outbox.on(FOLLOWERS)
def notify_followers(event_id: UUID, message: str, campaign_id: str, caused_by: str, before: str) -> None:
    """
    Notify a batch of followers, and order the next.

    :param caused_by: the event's id; nobody is notified twice of it
    :param before: down to which row of `CampaignFollow` they have been notified
    """
    _notify(FOLLOWERS, event_id, message, campaign_id, caused_by, before)


@outbox.on(BACKERS)
def notify_backers(event_id: UUID, message: str, campaign_id: str, caused_by: str, before: str) -> None:
    """The same for those who have money in it now; `before` is a row of `Backing`."""
    _notify(BACKERS, event_id, message, campaign_id, caused_by, before)


def _followers(campaign: Campaign, before: str) -> QuerySet[Any, Any]:
    follows = CampaignFollow.objects.filter(campaign=campaign, pk__lt=before)
    return follows.order_by("-pk").values_list("pk", "follower_id")


def _backers(campaign: Campaign, before: str) -> QuerySet[Any, Any]:
    backings = Backing.objects.filter(campaign=campaign, committed_minor__gt=0, pk__lt=before)
    return backings.order_by("-pk").values_list("pk", "backer_id")


_PEOPLE: dict[str, Callable[[Campaign, str], QuerySet[Any, Any]]] = {FOLLOWERS: _followers, BACKERS: _backers}


def _notify(topic: str, event_id: UUID, message: str, campaign_id: str, caused_by: str, before: str) -> None:
    found = message_called(message)
    if found is None:
        return
    campaign = Campaign.objects.get(pk=campaign_id)
    batch = list(_PEOPLE[topic](campaign, before)[:BATCH])
    to = [person_id for _, person_id in batch if person_id != campaign.owner_id]
    facts = {"campaign_id": campaign.pk, "campaign_title": campaign.title}
    with atomic():
        notices.write_entries([notices.Entries(found, facts, to, caused_by=UUID(caused_by))])
        if len(batch) == BATCH:
            rest = _order(topic, found, campaign.pk, caused_by=UUID(caused_by), after=event_id, before=batch[-1][0])
            outbox.emit_once([rest])


def _order(
    topic: str, message: Message, campaign_id: UUID, *, caused_by: UUID, after: UUID, before: UUID = _NEWEST
) -> OutboxEvent:
    """:param after: the event or the order that it comes from, which makes it once"""
    return outbox.row(
        topic,
        id=derived_id(after, f"{topic} {message.name}"),
        message=message.name,
        campaign_id=str(campaign_id),
        caused_by=str(caused_by),
        before=str(before),
    )
