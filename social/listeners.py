"""What follows from events and blocks, besides notices."""

from accounts import relations
from core import clock, events
from social.models import Announcement, FeedItem
from social.services import feeds, follows
from social.services.group_invitations import join_invited
from social.services.subscriptions import end_subscriptions_between

relations.on_block(follows.end_follows_between)
relations.on_block(end_subscriptions_between)

ANNOUNCED = {
    "campaign.published": Announcement.Kind.PUBLISHED,
    "campaign.ending_soon": Announcement.Kind.ENDING,
    "campaign.funded": Announcement.Kind.FUNDED,
    "campaign.failed": Announcement.Kind.FAILED,
    "campaign.cancelled": Announcement.Kind.CANCELLED,
}


@events.on("invitation.accepted")
def follow_each_other(event: events.Recorded) -> None:
    """The one who invited and the one who came follow each other from the start."""
    assert event.subject_id is not None
    follows.follow_each_other(invitation_id=event.subject_id, now=clock.now())


@events.on("invitation.accepted")
def join_group_of_invitation(event: events.Recorded) -> None:
    """Whoever registers with an invitation into a group is a member of it."""
    if event.subject_id is not None and event.actor_id is not None:
        join_invited(invitation_id=event.subject_id, user_id=event.actor_id, now=clock.now())


@events.on("account.followed")
def fill_feed(event: events.Recorded) -> None:
    assert event.subject_id is not None and event.actor_id is not None
    follows.fill_again(follower_id=event.actor_id, followed_id=event.subject_id)


@events.on("post.published")
def deliver_post(event: events.Recorded) -> None:
    assert event.subject_id is not None
    feeds.deliver(FeedItem.Kind.POST, event.subject_id, order_id=event.id)


@events.on(*ANNOUNCED)
def announce(event: events.Recorded) -> None:
    """In the feeds of those who follow or back the campaign."""
    assert event.subject_id is not None
    announcement, _ = Announcement.objects.get_or_create(
        campaign_id=event.subject_id, kind=ANNOUNCED[event.kind.name], defaults={"created_at": event.created_at}
    )
    feeds.deliver(FeedItem.Kind.CAMPAIGN, announcement.pk, order_id=event.id)
