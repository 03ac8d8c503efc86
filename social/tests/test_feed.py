"""The feed: what is in it and why, delivery by the worker, what ends an item's place in it, and how much it reads."""

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Mute, User
from accounts.services import relations
from accounts.services.leaving import erase_when_due
from accounts.testing import make_person
from campaigns.models import Backing
from campaigns.services.closing import cancel_campaign
from campaigns.services.follows import follow_campaign, unfollow_campaign
from campaigns.testing import make_campaign
from core.data.ids import uuid7
from core.events.delivery import load
from core.jobs import outbox
from core.jobs.runner import run
from core.models import Event, OutboxEvent
from core.testing import Api, drain_outbox
from core.testing.pages import by_cursor, by_number
from core.testing.plans import generic_plan, rows_read
from social import listeners
from social.access import reader
from social.jobs import TRIM_FEEDS
from social.models import Announcement, Channel, ChannelMember, FeedItem, Follow, Group, Membership, Post, PostCounts
from social.selectors import feed as selectors
from social.services import feeds, follows
from social.testing import make_ad, make_post

FEED = "/api/social/feed"


@pytest.fixture
def reading(person: Callable[..., User]) -> User:
    return person("reading")


def feed_of(api: Api, who: User) -> list[tuple[str, str]]:
    """Content, or what is announced, and why."""
    items = by_cursor(api.as_user(who), FEED, {}, 3)
    return [(item["post"]["content"] if item["post"] else item["announcement"], item["why"]["kind"]) for item in items]


def group_of(*members: User, visibility: str = "private") -> Group:
    key = None if visibility == "secret" else str(uuid7())
    group = Group.objects.create(name="Roofers", name_key=key, visibility=visibility, join_policy="invite")
    for member in members:
        Membership.objects.create(group=group, user=member, status="member", changed_at=timezone.now())
    return group


def channel_of(owner: User, *subscribers: User) -> Channel:
    channel = Channel.objects.create(name="Sun", name_key=str(uuid7()), owner=owner)
    ChannelMember.objects.create(channel=channel, user=owner, role="owner")
    for subscriber in subscribers:
        ChannelMember.objects.create(channel=channel, user=subscriber)
    return channel


def follow(one: User, other: User) -> None:
    follows.follow(person=one, other_id=other.pk, now=timezone.now())


# --- What is in it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delivered", [False, True], ids=["worker down", "delivered"])
def test_posts_come_by_each_way_with_the_reason(api: Api, reading: User, author: User, delivered: bool) -> None:
    follow(reading, author)
    group, channel = group_of(author, reading), channel_of(author, reading)
    make_post(author, "To all")
    make_post(author, "To followers", visibility="followers")
    make_post(author, "To me alone", visibility="private")
    make_post(author, "In the group", group_id=group.pk)
    make_post(author, "In the channel", channel_id=channel.pk)
    make_post(reading, "My own", visibility="private")
    if delivered:
        drain_outbox()
        assert not Post.objects.filter(delivered_at__isnull=True).exists()
    assert feed_of(api, reading) == [
        ("My own", "own"),
        ("In the channel", "channel"),
        ("In the group", "group"),
        ("To followers", "follow"),
        ("To all", "follow"),
    ]
    items = {item["post"]["content"]: item["why"] for item in api.as_user(reading).get(FEED).json()["items"]}
    assert items["In the group"] == {"kind": "group", "id": str(group.pk), "name": "Roofers"}
    assert items["In the channel"] == {"kind": "channel", "id": str(channel.pk), "name": "Sun"}
    assert items["To all"] == {"kind": "follow", "id": str(author.pk), "name": "Author Example"}


@pytest.mark.parametrize("delivered", [False, True], ids=["worker down", "delivered"])
def test_what_ends_an_item_s_place(
    api: Api, reading: User, author: User, person: Callable[..., User], delivered: bool
) -> None:
    now, muted = timezone.now(), person("muted")
    group, channel = group_of(author, reading), channel_of(author, reading)
    for one in (author, muted):
        follow(reading, one)
    make_post(author, "In the group", group_id=group.pk)
    make_post(author, "In the channel", visibility="followers", channel_id=channel.pk)
    make_post(muted, "Too loud")
    hidden, kept = make_post(author, "Hidden"), make_post(author, "Kept")
    if delivered:
        drain_outbox()
    assert len(feed_of(api, reading)) == 5
    Mute.objects.create(muter=reading, muted=muted, until=now + timedelta(hours=1))
    Post.objects.filter(pk=hidden.pk).update(hidden_at=now)
    Membership.objects.filter(user=reading).delete()
    ChannelMember.objects.filter(user=reading).delete()
    assert feed_of(api, reading) == [("Kept", "follow")]
    Post.objects.filter(pk=kept.pk).update(deleted_at=now)
    assert feed_of(api, reading) == []


def test_an_end_of_following_and_a_block_empty_the_feed(api: Api, reading: User, author: User) -> None:
    follow(reading, author)
    make_post(author, "To all")
    drain_outbox()
    follows.unfollow(person=reading, other_id=author.pk, now=timezone.now())
    assert (feed_of(api, reading), FeedItem.objects.count()) == ([], 0)
    follow(reading, author)
    assert feed_of(api, reading) == [("To all", "follow")], "a new follow brings the newest posts"
    relations.block(person=author, other_id=reading.pk, now=timezone.now())
    assert (feed_of(api, reading), FeedItem.objects.count()) == ([], 0)


def test_a_moderator_s_feed_is_that_of_a_person(api: Api, moderator: User, author: User) -> None:
    follow(moderator, author)
    Post.objects.filter(pk=make_post(author, "Hidden").pk).update(hidden_at=timezone.now())
    make_post(author, "In a group of others", group_id=group_of(author).pk)
    drain_outbox()
    assert feed_of(api, moderator) == []


def test_a_post_in_a_public_group_reaches_followers_of_its_author(api: Api, reading: User, author: User) -> None:
    follow(reading, author)
    make_post(author, "In public", group_id=group_of(author, visibility="public").pk)
    drain_outbox()
    assert feed_of(api, reading) == [("In public", "follow")]


def test_a_post_whose_audience_grew_is_delivered_again(api: Api, reading: User, author: User) -> None:
    follow(reading, author)
    post = make_post(author, "At first to me", visibility="private")
    drain_outbox()
    post.visibility = "public"
    post.save()
    feeds.deliver_again(post)
    assert feed_of(api, reading) == [("At first to me", "follow")]
    drain_outbox()
    post.refresh_from_db()
    assert post.delivered_at is not None
    assert feed_of(api, reading) == [("At first to me", "follow")]


# --- Campaigns ------------------------------------------------------------------------------------------------------


def test_campaigns_announce_what_happens_to_them(api: Api, reading: User, author: User, person: Any) -> None:
    founder, backer, now = person("founder", identity=True), person("backer"), timezone.now()
    campaign = make_campaign(founder)
    drain_outbox()  # the publication is announced to nobody yet
    follow_campaign(person=reading, campaign_id=campaign.pk, now=now)
    Backing.objects.create(campaign=campaign, backer=backer, committed_minor=100, since=now)
    cancel_campaign(owner=founder, campaign_id=campaign.pk, now=now)
    drain_outbox()
    for who in (reading, backer):
        (item,) = api.as_user(who).get(FEED).json()["items"]
        assert (item["kind"], item["announcement"], item["campaign"]["id"]) == (
            "campaign",
            "cancelled",
            str(campaign.pk),
        )
        assert item["why"] == {"kind": "campaign", "id": str(campaign.pk), "name": campaign.title}
    assert feed_of(api, author) == []
    listeners.announce(load(Event.objects.get(kind="campaign.cancelled").pk))
    assert Announcement.objects.filter(kind="cancelled").count() == 1
    assert len(feed_of(api, reading)) == 1
    unfollow_campaign(person=reading, campaign_id=campaign.pk, now=now)
    assert feed_of(api, reading) == []


def test_followers_of_the_owner_hear_that_a_campaign_went_live(api: Api, reading: User, person: Any) -> None:
    founder, now = person("founder", identity=True, last_name="Okafor"), timezone.now()
    api.as_user(reading).post(f"/api/social/users/{founder.pk}/follow")
    campaign = make_campaign(founder)
    drain_outbox()
    (item,) = api.as_user(reading).get(FEED).json()["items"]
    assert (item["announcement"], item["campaign"]["id"]) == ("published", str(campaign.pk))
    assert item["why"] == {"kind": "follow", "id": str(founder.pk), "name": founder.name}
    Mute.objects.create(muter=reading, muted=founder)
    assert feed_of(api, reading) == []
    follow_campaign(person=reading, campaign_id=campaign.pk, now=now)
    assert feed_of(api, reading) == [("published", "campaign")]
    unfollow_campaign(person=reading, campaign_id=campaign.pk, now=now)
    Mute.objects.all().delete()
    cancel_campaign(owner=founder, campaign_id=campaign.pk, now=now)
    drain_outbox()
    assert feed_of(api, reading) == [("published", "follow")], "what follows is for who follows or backs the campaign"
    api.as_user(reading).delete(f"/api/social/users/{founder.pk}/follow")
    assert feed_of(api, reading) == []


# --- Delivery -------------------------------------------------------------------------------------------------------


def test_publishing_writes_nothing_for_each_follower(
    author: User, person: Callable[..., User], django_assert_max_num_queries: Any
) -> None:
    counts = []
    for followers in (1, 20):
        for _ in range(followers):
            Follow.objects.create(follower=person(), followed=author)
        with django_assert_max_num_queries(40) as queries:
            make_post(author)
        counts.append(len(queries.captured_queries))
    assert counts[0] == counts[1]
    assert not FeedItem.objects.exists()


def test_a_delivery_goes_on_where_it_was_killed(
    author: User, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "BATCH", 2)
    monkeypatch.setattr(feeds, "BATCHES", 2)
    followers = [person() for _ in range(11)]
    Follow.objects.bulk_create(Follow(follower=one, followed=author) for one in followers)
    post = make_post(author)
    deliver_batch = feeds._deliver_batch
    done: list[str] = []

    def killed(*args: Any) -> UUID | None:
        if len(done) == 3:
            done.append("killed")
            raise SystemExit
        done.append("batch")
        return deliver_batch(*args)

    monkeypatch.setattr(feeds, "_deliver_batch", killed)
    with pytest.raises(SystemExit):
        drain_outbox()
    assert FeedItem.objects.count() == 6, "each batch is committed for itself"
    post.refresh_from_db()
    assert post.delivered_at is None
    OutboxEvent.objects.update(held_until=None, due_at=timezone.now())
    drain_outbox()
    post.refresh_from_db()
    assert post.delivered_at is not None
    assert set(FeedItem.objects.values_list("user_id", flat=True)) == {one.pk for one in followers}


def test_an_order_twice_comes_to_the_same(author: User, reading: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "BATCH", 1)
    monkeypatch.setattr(feeds, "BATCHES", 1)
    follow(reading, author)
    post, order = make_post(author), uuid7()
    for _ in range(2):
        feeds.deliver("post", post.pk, order_id=order)
    assert FeedItem.objects.count() == 1
    assert OutboxEvent.objects.filter(topic=feeds.DELIVER).count() == 1


def test_a_post_that_is_gone_needs_no_delivery(author: User) -> None:
    feeds.deliver("post", uuid7(), order_id=uuid7())
    feeds.deliver("campaign", uuid7(), order_id=uuid7())
    assert not outbox.due(timezone.now() + timedelta(days=1))


def test_a_post_delivered_while_somebody_begins_to_follow_is_there(api: Api, author: User, reading: User) -> None:
    """The follow fills the feed before the post is there, and is committed after the delivery looks for followers."""
    follow(reading, author)
    FeedItem.objects.all().delete()
    make_post(author, "Meanwhile")
    Post.objects.update(delivered_at=timezone.now())
    listeners.fill_feed(load(Event.objects.get(kind="account.followed").pk))
    assert feed_of(api, reading) == [("Meanwhile", "follow")]


def test_feeds_are_kept_short(api: Api, author: User, reading: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "KEPT", 3)
    follow(reading, author)
    for number in range(5):
        make_post(author, f"Post {number}")
    drain_outbox()
    assert run(TRIM_FEEDS, now=timezone.now()).done == 1
    assert run(TRIM_FEEDS, now=timezone.now()).due == 0
    assert [content for content, _ in feed_of(api, reading)] == ["Post 4", "Post 3", "Post 2"]


def test_an_erasure_removes_the_feed_and_keeps_those_of_others_readable(api: Api, author: User, reading: User) -> None:
    follow(reading, author)
    follow(author, reading)
    make_post(author, "To all")
    make_post(reading, "From me")
    drain_outbox()
    now = timezone.now()
    User.objects.filter(pk=author.pk).update(deletion_due_at=now)
    erase_when_due(user_id=author.pk, now=now)
    assert not FeedItem.objects.filter(user=author).exists()
    assert feed_of(api, reading) == [("From me", "own")]


# --- Pages ----------------------------------------------------------------------------------------------------------


def test_a_cursor_skips_and_repeats_nothing(api: Api, author: User, reading: User) -> None:
    follow(reading, author)
    posts = [make_post(author, str(number)) for number in range(6)]
    me = api.as_user(reading)
    first = me.get(FEED, {"limit": 2}).json()
    make_post(author, "new")
    Post.objects.filter(pk=posts[5].pk).update(deleted_at=timezone.now())
    drain_outbox()
    second = me.get(FEED, {"limit": 2, "cursor": first["nextCursor"]}).json()
    shown = [item["post"]["content"] for page in (first, second) for item in page["items"]]
    assert shown == ["5", "4", "3", "2"]


@pytest.mark.parametrize("query", [{"cursor": "forged"}, {"limit": "1000000000"}, {"limit": "0"}, {"page": "x"}])
def test_bad_pages(api: Api, reading: User, query: dict[str, str]) -> None:
    assert api.as_user(reading).get(FEED, query).status_code == 400


def test_a_feed_takes_the_same_queries_for_one_and_for_ten(
    api: Api, author: User, reading: User, django_assert_num_queries: Any
) -> None:
    follow(reading, author)
    me = api.as_user(reading)
    for posts in (1, 9):
        for _ in range(posts):
            make_post(author)
        with django_assert_num_queries(2):  # the session, the items
            me.get(FEED)
    make_ad(author, approved_by=make_person(role="moderator"))
    with django_assert_num_queries(3):  # which of the ads that run
        assert "ad" in [item["kind"] for item in me.get(FEED).json()["items"]]


@pytest.fixture(params=range(3))
def community(request: pytest.FixtureRequest, person: Callable[..., User]) -> list[User]:
    """People with random relations and half-delivered posts and announcements."""
    chance, now = random.Random(request.param), timezone.now()
    people = [person(f"p{number}", identity=True) for number in range(5)]
    groups = [group_of(visibility=visibility) for visibility in ("public", "private", "secret")]
    channels = [channel_of(people[number]) for number in range(2)]
    campaigns = [make_campaign(owner) for owner in (person("founder", identity=True), people[0])]
    for one in people:
        _relate(chance, one, people, groups, channels, campaigns)
    for number in range(80):
        place = chance.choice(["", "", "group", "channel"])
        post = Post.objects.create(
            author=chance.choice(people),
            content=str(number),
            visibility="public" if place == "group" else chance.choice(["public", "followers"]),
            group=chance.choice(groups) if place == "group" else None,
            channel=chance.choice(channels) if place == "channel" else None,
            delivered_at=chance.choice([None, now]),
            deleted_at=chance.choice([None] * 6 + [now]),
            hidden_at=chance.choice([None] * 6 + [now]),
        )
        PostCounts.objects.create(post=post)
        some = [one for one in people if one.pk != post.author_id and chance.random() < 0.5]
        FeedItem.objects.bulk_create(FeedItem(user=one, kind="post", item_id=post.pk) for one in some)
    for campaign in campaigns:
        for kind in ("published", "failed"):
            announcement = Announcement.objects.create(campaign=campaign, kind=kind)
            some = [one for one in people if chance.random() < 0.7]
            FeedItem.objects.bulk_create(FeedItem(user=one, kind="campaign", item_id=announcement.pk) for one in some)
    return people


def _relate(
    chance: random.Random, one: User, people: list[User], groups: list[Group], channels: list[Channel], campaigns: Any
) -> None:
    now = timezone.now()
    for other in people:
        if one != other and chance.random() < 0.4:
            Follow.objects.create(follower=one, followed=other)
        if one != other and chance.random() < 0.2:
            Mute.objects.create(muter=one, muted=other, until=chance.choice([None, now - timedelta(hours=1)]))
    for group in groups:
        status = chance.choice(["member", "member", "banned", "requested"])
        Membership.objects.create(group=group, user=one, status=status, changed_at=now)
    for channel in channels:
        if channel.owner_id != one.pk and chance.random() < 0.5:
            ChannelMember.objects.create(channel=channel, user=one)
    for campaign in campaigns:
        if chance.random() < 0.5:
            follow_campaign(person=one, campaign_id=campaign.pk, now=now)


def test_the_statement_finds_what_the_queryset_finds(api: Api, community: list[User]) -> None:
    now = timezone.now()
    for one in community:
        expected = sorted((row["pk"] for row in selectors.feed(one, now)), reverse=True)
        assert [row.id for row in selectors.feed_rows(one, now, limit=200)] == expected
        me = api.as_user(one)
        walked = by_cursor(me, FEED, {}, 7)
        assert len(walked) == len(expected) > 5
        assert walked == by_number(me, FEED, {}, 7)
        assert me.get(FEED, {"withTotal": "true"}).json()["total"] == len(expected)


# --- How much it reads ----------------------------------------------------------------------------------------------


def test_a_page_reads_as_much_however_many_one_follows(author: User, reading: User) -> None:
    """10,000 follows, 50 groups, 60 thousand posts: a page looks at what it shows, and at which posts wait."""
    now = timezone.now()
    for _ in range(50):
        group_of(reading, visibility="public")
    groups = list(Group.objects.all())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no triggers for what is only there in numbers
    people = User.objects.bulk_create(
        (User(email=f"{number}@example.com", first_name="Pat", password="!") for number in range(10_000)),
        batch_size=2000,
    )
    Follow.objects.bulk_create((Follow(follower=reading, followed=one) for one in people), batch_size=5000)
    posts = Post.objects.bulk_create(
        (
            Post(
                author=people[number % 10_000],
                content="Words.",
                group=groups[number % 50] if number % 7 == 0 else None,
                delivered_at=None if number > 59_000 else now,
            )
            for number in range(60_000)
        ),
        batch_size=5000,
    )
    FeedItem.objects.bulk_create(FeedItem(user=reading, kind="post", item_id=post.pk) for post in posts[-3000:-500])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE")
    plan = generic_plan(selectors._PAGE, **reader(reading), now=now, most=11, limit=11)
    assert rows_read(plan) <= 1000, json.dumps(plan, indent=1)
