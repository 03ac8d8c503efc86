"""A person's feed (docs/feed.md)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.relations import not_muted_by
from campaigns.models import Backing, CampaignFollow
from campaigns.selectors import campaign_cards
from core.data.statements import load
from social.access import reader
from social.models import Announcement, ChannelMember, FeedItem, Follow, Membership, Post
from social.outputs.feed import FeedEntry
from social.outputs.posts import PostOutput

_PAGE = load("social/sql/feed_page.sql")


def feed_rows(viewer: User, now: datetime, **part: Any) -> list[Any]:
    """
    What is in a feed, newest first, for `feed_entries`.

    :param part: `core.api.pages.Part.parameters`, by `id`
    """
    return _PAGE.rows(**reader(viewer), now=now, most=part["limit"] + (part.get("start") or 0), **part)


def feed_entries(rows: Sequence[Any], now: datetime) -> list[FeedEntry]:
    """What the items of `feed_rows` show; a query for the campaigns if there are any."""
    campaigns = campaign_cards({row.announced_id for row in rows if row.kind == FeedItem.Kind.CAMPAIGN}, now)
    return [
        FeedEntry.of_announcement(campaigns[row.announced_id], row.announcement, row.why)
        if row.kind == FeedItem.Kind.CAMPAIGN
        else FeedEntry.of_post(PostOutput.of_row(row, now), row.why)
        for row in rows
    ]


def feed(viewer: User, now: datetime) -> QuerySet[Any]:
    """The ids of all items of a feed: what `feed_rows` reads page by page."""
    item = FeedItem.objects.filter(user=viewer, item_id=OuterRef("pk"))
    follow = Exists(Follow.objects.filter(follower=viewer, followed=OuterRef("author_id")))
    members = Membership.objects.members().filter(user=viewer)
    member = Exists(members.filter(group=OuterRef("group_id")))
    subscriber = Exists(ChannelMember.objects.filter(user=viewer, channel=OuterRef("channel_id")))
    there = Exists(item.filter(kind=FeedItem.Kind.POST)) | Q(delivered_at__isnull=True)
    posts = (
        Post.objects.visible_to_reader(viewer)
        .filter(Q(author=viewer) | (there & (follow | member | subscriber)))
        .filter(not_muted_by(viewer.pk, "author_id", now))
    )
    followed = Exists(CampaignFollow.objects.filter(follower=viewer, campaign=OuterRef("campaign_id")))
    backed = Exists(Backing.objects.filter(backer=viewer, campaign=OuterRef("campaign_id"), committed_minor__gt=0))
    owner = Exists(Follow.objects.filter(follower=viewer, followed=OuterRef("campaign__owner_id")))
    published = Q(kind=Announcement.Kind.PUBLISHED) & owner & not_muted_by(viewer.pk, "campaign__owner_id", now)
    delivered = Exists(item.filter(kind=FeedItem.Kind.CAMPAIGN))
    announcements = Announcement.objects.filter(delivered, followed | backed | published)
    return posts.values("pk").union(announcements.values("pk"), all=True)
