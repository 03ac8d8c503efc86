"""
Notices to all who follow a campaign, for the declarations in `events.py`. They are written in batches, by orders of the
outbox, since there may be any number of followers.
"""

from dataclasses import dataclass
from uuid import UUID

from campaigns.models import Campaign, CampaignFollow
from core.data.ids import derived_id
from core.data.transactions import atomic
from core.events import Recorded
from core.jobs import outbox
from core.models import OutboxEvent
from notifications.effects import Notice, message_called
from notifications.messages import Message
from notifications.services import notices

NOTIFY = "campaigns.notify_followers"
BATCH = 500
"""How many followers are notified in one transaction."""
_NEWEST = UUID(int=2**128 - 1)


@dataclass(frozen=True)
class FollowersNotice(Notice):
    """Notifies those who follow the campaign that `to` names, but its owner, who has a notice of their own."""

    to: str = "campaign_id"

    def describe(self) -> str:
        return f"{super().describe()}, its followers"

    def deliver(self, event: Recorded) -> None:
        campaign_id = event.facts[self.to]
        outbox.emit_once([_order(self.message, campaign_id, caused_by=event.id, after=event.id)])


@outbox.on(NOTIFY)
def notify_followers(event_id: UUID, message: str, campaign_id: str, caused_by: str, before: str) -> None:
    """
    Notify a batch of followers, and order the next.

    :param caused_by: the event's id; nobody is notified twice of it
    :param before: down to which row of `CampaignFollow` they have been notified
    """
    found = message_called(message)
    if found is None:
        return
    campaign = Campaign.objects.get(pk=campaign_id)
    follows = CampaignFollow.objects.filter(campaign=campaign, pk__lt=before).order_by("-pk")
    batch = list(follows.values_list("pk", "follower_id")[:BATCH])
    to = [follower_id for _, follower_id in batch if follower_id != campaign.owner_id]
    facts = {"campaign_id": campaign.pk, "campaign_title": campaign.title}
    with atomic():
        notices.write_entries([notices.Entries(found, facts, to, caused_by=UUID(caused_by))])
        if len(batch) == BATCH:
            rest = _order(found, campaign.pk, caused_by=UUID(caused_by), after=event_id, before=batch[-1][0])
            outbox.emit_once([rest])


def _order(message: Message, campaign_id: UUID, *, caused_by: UUID, after: UUID, before: UUID = _NEWEST) -> OutboxEvent:
    """:param after: the event or the order that it comes from, which makes it once"""
    return outbox.row(
        NOTIFY,
        id=derived_id(after, message.name),
        message=message.name,
        campaign_id=str(campaign_id),
        caused_by=str(caused_by),
        before=str(before),
    )
