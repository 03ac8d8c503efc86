"""
Bringing posts and announcements into feeds (docs/feed.md). It is done by the worker: whoever publishes writes nothing
for each follower.

Each batch of people is a transaction of its own. What was delivered before is left as it is, so that a delivery which
is begun again comes to the same.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core import clock
from core.data.ids import derived_id
from core.data.transactions import atomic, retrying
from core.jobs import outbox
from social.models import Announcement, FeedItem, Group, Post

KEPT = 1000
"""How many items of each person's feed are kept."""
FILLED = 50
"""How many posts of somebody come into the feed of a new follower."""
BATCH = 1000
"""How many people get an item in one transaction."""
BATCHES = 10
"""How many batches one order of the outbox does, before it leaves the rest to the next one."""
TRIMMED = 5000
"""How many feeds one run of the job trims."""
DELIVER = "social.deliver"
NEWEST = UUID(int=2**128 - 1)


class Source(NamedTuple):
    """Whose feeds something goes to: a column of people in a table, and which of its rows."""

    people: str
    table: str
    condition: str


FOLLOWERS = Source("follower_id", "social_follow", "followed_id = %(author)s")
MEMBERS = Source("user_id", "social_membership", "group_id = %(group)s AND status = 'member'")
SUBSCRIBERS = Source("user_id", "social_channelmember", "channel_id = %(channel)s")
CAMPAIGN_FOLLOWERS = Source("follower_id", "campaigns_campaignfollow", "campaign_id = %(campaign)s")
OWNER_FOLLOWERS = Source("follower_id", "social_follow", "followed_id = %(owner)s")
BACKERS = Source("backer_id", "campaigns_backing", "campaign_id = %(campaign)s AND committed_minor > 0")


def deliver(kind: str, item_id: UUID, *, order_id: UUID, step: int = 0, before: UUID = NEWEST) -> None:
    """
    Bring a post or an announcement into the feeds of everybody who follows its source, or as many of them as one order
    does; the next order goes on from there.

    :param order_id: of the outbox
    :param step: which of its sources is next
    :param before: down to which row of that source it has been delivered
    """
    audience = _audience_of_post(item_id) if kind == FeedItem.Kind.POST else _audience_of_announcement(item_id)
    if audience is None:
        return
    for _ in range(BATCHES):
        if step == len(audience.sources):
            break
        last = _deliver_batch(kind, item_id, audience.sources[step], audience.values, before)
        step, before = (step, last) if last is not None else (step + 1, NEWEST)
    with atomic():
        if step < len(audience.sources):
            facts: dict[str, Any] = {"kind": kind, "item_id": str(item_id), "step": step, "before": str(before)}
            outbox.emit_once([outbox.row(DELIVER, id=derived_id(order_id, "next"), **facts)])
        elif kind == FeedItem.Kind.POST:
            Post.objects.filter(pk=item_id, delivered_at__isnull=True).update(delivered_at=clock.now())


class Audience(NamedTuple):
    sources: list[Source]
    values: dict[str, UUID | None]


def _audience_of_post(post_id: UUID) -> Audience | None:
    """Those who may see it and follow its author, its group or its channel. None for a post that is gone."""
    post = Post.objects.select_related("group").filter(pk=post_id).first()
    if post is None:
        return None
    sources = []
    if post.deleted_at is None and post.visibility != Post.Visibility.PRIVATE:
        if post.group is not None:
            sources.append(MEMBERS)
        if post.channel_id is not None:
            sources.append(SUBSCRIBERS)
        is_narrow = post.channel_id is not None and post.visibility == Post.Visibility.FOLLOWERS
        if not is_narrow and (post.group is None or post.group.visibility == Group.Visibility.PUBLIC):
            sources.append(FOLLOWERS)
    return Audience(sources, {"author": post.author_id, "group": post.group_id, "channel": post.channel_id})


def _audience_of_announcement(announcement_id: UUID) -> Audience | None:
    """Who follows or backs the campaign, and, since nobody does when it is published, who follows its owner."""
    announcement = Announcement.objects.select_related("campaign").filter(pk=announcement_id).first()
    if announcement is None:
        return None
    campaign = announcement.campaign
    sources = [CAMPAIGN_FOLLOWERS, BACKERS]
    if announcement.kind == Announcement.Kind.PUBLISHED:
        sources.append(OWNER_FOLLOWERS)
    return Audience(sources, {"author": None, "campaign": campaign.pk, "owner": campaign.owner_id})


@retrying
def _deliver_batch(
    kind: str, item_id: UUID, source: Source, values: dict[str, UUID | None], before: UUID
) -> UUID | None:
    """:returns: the row of the source that it ended with; None when there is none behind it"""
    statement = f"""
        WITH people AS (
            SELECT id, {source.people} AS user_id FROM {source.table}
             WHERE {source.condition} AND id < %(before)s ORDER BY id DESC LIMIT %(batch)s
        ), written AS (
            INSERT INTO social_feeditem (user_id, kind, item_id)
            SELECT user_id, %(kind)s, %(item)s FROM people WHERE user_id IS DISTINCT FROM %(author)s
                ON CONFLICT DO NOTHING
        )
        SELECT id, count(*) OVER () FROM people ORDER BY id LIMIT 1
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "kind": kind, "item": item_id, "before": before, "batch": BATCH})
        found = cursor.fetchone()
    return found[0] if found is not None and found[1] == BATCH else None


def deliver_again(post: Post) -> None:
    """For a post whose audience has grown, in the transaction of that edit."""
    Post.objects.filter(pk=post.pk).update(delivered_at=None)
    outbox.emit(DELIVER, kind=FeedItem.Kind.POST, item_id=str(post.pk))


# --- Following and ceasing to ---------------------------------------------------------------------------------------


def fill_feed(
    user_id: UUID, *, author_id: UUID | None = None, group_id: UUID | None = None, channel_id: UUID | None = None
) -> None:
    """
    Bring the newest posts of an author, a group or a channel into the feed of somebody who now follows it. Safe to
    repeat.
    """
    column, value = next(
        (column, value)
        for column, value in (("author_id", author_id), ("group_id", group_id), ("channel_id", channel_id))
        if value is not None
    )
    statement = f"""
        INSERT INTO social_feeditem (user_id, kind, item_id)
        SELECT %s, 'post', id FROM social_post
         WHERE {column} = %s AND deleted_at IS NULL AND author_id <> %s ORDER BY id DESC LIMIT %s
            ON CONFLICT DO NOTHING
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [user_id, value, user_id, FILLED])


def empty_feed(user_id: UUID, *, author_id: UUID) -> None:
    """Take the posts of somebody out of the feed of who follows them no more, but those in groups and channels."""
    statement = """
        DELETE FROM social_feeditem i USING social_post p
         WHERE i.user_id = %s AND i.kind = 'post' AND p.id = i.item_id
           AND p.author_id = %s AND p.group_id IS NULL AND p.channel_id IS NULL
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [user_id, author_id])


# --- Keeping feeds short --------------------------------------------------------------------------------------------


def long_feeds(now: datetime) -> list[UUID]:
    """Whose feed has more items than are kept."""
    statement = """
        SELECT u.id FROM accounts_user u
         WHERE EXISTS (SELECT FROM social_feeditem i WHERE i.user_id = u.id OFFSET %s) LIMIT %s
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [KEPT, 2 * TRIMMED])
        return [user_id for (user_id,) in cursor.fetchall()]


@retrying
def trim_feed(user_id: UUID, *, now: datetime) -> None:
    """Remove all but the newest items of a person's feed."""
    statement = """
        DELETE FROM social_feeditem
         WHERE user_id = %(user)s
           AND item_id <= (SELECT item_id FROM social_feeditem WHERE user_id = %(user)s
                            ORDER BY item_id DESC OFFSET %(kept)s LIMIT 1)
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {"user": user_id, "kept": KEPT})
