"""Channels: opening, subscribing, editors, pins, handing over."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Block, User
from accounts.services.relations import block
from core import clock
from core.testing import Api, deliver_events
from notifications.models import Notification
from social.models import Channel, ChannelMember, ChannelPin, Post
from social.testing import make_channel, make_post, put_in_channel
from uploads.testing import picture

CHANNELS = "/api/social/channels"
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


def url(channel: Any, *more: Any) -> str:
    return "/".join([CHANNELS, str(channel.pk if isinstance(channel, Channel) else channel), *map(str, more)])


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    return person("owner")


@pytest.fixture
def channel(owner: User) -> Channel:
    return make_channel(owner)


@pytest.fixture
def editor(person: Callable[..., User], channel: Channel) -> User:
    editor = person("editor")
    put_in_channel(channel, editor, "editor")
    return editor


@pytest.fixture
def subscriber(person: Callable[..., User], channel: Channel) -> User:
    subscriber = person("subscriber")
    put_in_channel(channel, subscriber)
    return subscriber


def notices(person: User) -> list[str]:
    deliver_events()
    return list(Notification.objects.filter(user_id=person.pk).order_by("id").values_list("kind", flat=True))


def test_a_channel_is_opened_and_read(api: Api, owner: User, stranger: User) -> None:
    files = {"coverImage": picture(), "profileImage": picture(), "banner": picture()}
    made = api.as_user(owner).upload(CHANNELS, {"name": "Roof news", "description": "Weekly.", **files})
    assert made.status_code == 201
    body = made.json()
    assert (body["owner"]["id"], body["myRole"], body["subscribed"]) == (str(owner.pk), "owner", True)
    assert (body["subscriberCount"], body["pinnedPosts"]) == (1, [])
    assert len({body["coverImage"], body["profileImage"], body["banner"]}) == 3
    read = api.as_user(stranger).get(url(body["id"])).json()
    assert (read["name"], read["myRole"], read["subscribed"]) == ("Roof news", None, False)
    (listed,) = api.as_user(stranger).get(CHANNELS).json()["items"]
    assert listed == {name: value for name, value in read.items() if name != "pinnedPosts"}


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "required"), ({"name": " "}, "blank"), ({"name": "x" * 101}, "max_length"), ({"name": ["x"]}, "invalid")],
)
def test_bad_channels_are_refused(api: Api, owner: User, body: dict[str, Any], code: str) -> None:
    refused = api.as_user(owner).post(CHANNELS, body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, code)
    assert not Channel.objects.exists()


def test_a_name_like_another_is_taken(api: Api, channel: Channel, stranger: User) -> None:
    me = api.as_user(stranger)
    for name in ("ROOF NEWS", "Rооf nеws", "Roof\u200dnews", "Ｒoof news"):
        refused = me.post(CHANNELS, {"name": name})
        assert (refused.status_code, refused.json()["code"]) == (409, "name_taken"), name
    other = me.post(CHANNELS, {"name": "Windmills"}).json()
    assert me.put(url(other["id"]), {"name": "Roof News"}).json()["code"] == "name_taken"


def test_who_changes_a_channel(api: Api, owner: User, channel: Channel, editor: User, subscriber: User) -> None:
    for somebody in (editor, subscriber):
        refused = api.as_user(somebody).put(url(channel), {"name": "Mine"})
        assert (refused.status_code, refused.json()["code"]) == (403, "channel_role_required")
    changed = api.as_user(owner).put(url(channel), {"name": "Roofs", "description": "Daily."}).json()
    assert (changed["name"], changed["description"]) == ("Roofs", "Daily.")


def test_subscribing_twice_and_ending_it_twice(api: Api, channel: Channel, stranger: User) -> None:
    me = api.as_user(stranger)
    for path, subscribed, count in (("subscribe", True, 2), ("unsubscribe", False, 1)):
        for _ in range(2):
            answer = me.post(url(channel, path)).json()
            assert (answer["subscribed"], answer["subscriberCount"]) == (subscribed, count)
        mine = me.get(f"{CHANNELS}?subscribed=true&withTotal=true").json()
        assert (len(mine["items"]), mine["total"]) == (int(subscribed), int(subscribed))


def test_the_owner_stays(api: Api, owner: User, channel: Channel) -> None:
    refused = api.as_user(owner).post(url(channel, "unsubscribe"))
    assert (refused.status_code, refused.json()["code"]) == (409, "owner_stays")


def test_an_editor_who_unsubscribes_writes_no_more(api: Api, channel: Channel, editor: User) -> None:
    me, body = api.as_user(editor), {"content": "News.", "channelId": str(channel.pk)}
    assert me.post("/api/social/posts", body).status_code == 201
    assert me.post(url(channel, "unsubscribe")).json()["myRole"] is None
    assert me.post("/api/social/posts", body).status_code == 400


def test_editors_come_and_go(api: Api, owner: User, channel: Channel, subscriber: User, stranger: User) -> None:
    me = api.as_user(owner)
    refused = me.post(url(channel, "editors", stranger.pk))
    assert (refused.status_code, refused.json()["code"]) == (409, "not_a_subscriber")
    for _ in range(2):
        assert me.post(url(channel, "editors", subscriber.pk)).status_code == 200
    assert notices(subscriber) == ["channel_editor_added"]
    assert api.as_user(subscriber).get(url(channel)).json()["myRole"] == "editor"
    assert api.as_user(subscriber).post(url(channel, "editors", stranger.pk)).json()["code"] == "channel_role_required"
    for _ in range(2):
        assert me.delete(url(channel, "editors", subscriber.pk)).status_code == 200
    assert api.as_user(subscriber).get(url(channel)).json()["myRole"] == "subscriber"
    assert me.delete(url(channel, "editors", owner.pk)).json()["myRole"] == "owner"
    assert me.delete(url(channel, "editors", NOBODY)).status_code == 200


def test_a_channel_is_given_to_an_editor(
    api: Api, owner: User, channel: Channel, editor: User, subscriber: User, stranger: User
) -> None:
    me = api.as_user(owner)
    for user_id in (subscriber.pk, stranger.pk, NOBODY):
        refused = me.put(url(channel, "owner"), {"userId": str(user_id)})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_an_editor")
    assert me.put(url(channel, "owner"), {"userId": str(owner.pk)}).json()["myRole"] == "owner"
    given = me.put(url(channel, "owner"), {"userId": str(editor.pk)}).json()
    assert (given["owner"]["id"], given["myRole"], given["subscriberCount"]) == (str(editor.pk), "editor", 3)
    assert me.put(url(channel, "owner"), {"userId": str(editor.pk)}).json() == given, (
        "again, since an answer may be lost"
    )
    assert notices(editor).count("channel_passed_on") == 1
    assert me.put(url(channel, "owner"), {"userId": str(owner.pk)}).json()["code"] == "channel_role_required"
    assert me.put(url(channel, "owner"), {}).status_code == 400


# --- Pins -------------------------------------------------------------------------------------------------------------


def pinned(api: Api, viewer: User, channel: Channel) -> list[str]:
    return [post["id"] for post in api.as_user(viewer).get(url(channel)).json()["pinnedPosts"]]


def test_three_pins_in_their_order(api: Api, owner: User, channel: Channel, editor: User, stranger: User) -> None:
    posts = [make_post(owner, channel_id=channel.pk) for _ in range(4)]
    me = api.as_user(editor)
    order = [posts[2], posts[0], posts[1]]
    for post in [*order, order[0]]:
        assert me.post(url(channel, "posts", post.pk, "pin")).status_code == 200
    refused = me.post(url(channel, "posts", posts[3].pk, "pin"))
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_pins")
    assert pinned(api, stranger, channel) == [str(post.pk) for post in order]
    for _ in range(2):
        assert me.delete(url(channel, "posts", order[0].pk, "pin")).status_code == 200
    assert me.post(url(channel, "posts", posts[3].pk, "pin")).status_code == 200
    assert pinned(api, stranger, channel) == [str(post.pk) for post in (posts[0], posts[1], posts[3])]


def test_what_cannot_be_pinned(
    api: Api, owner: User, channel: Channel, editor: User, subscriber: User, stranger: User
) -> None:
    post, elsewhere = make_post(owner, channel_id=channel.pk), make_post(owner)
    other = make_channel(stranger, "Another")
    foreign = make_post(stranger, channel_id=other.pk)
    for post_id in (elsewhere.pk, foreign.pk, NOBODY):
        assert api.as_user(editor).post(url(channel, "posts", post_id, "pin")).status_code == 404
    for somebody in (subscriber, stranger):
        for method in ("post", "delete"):
            refused = getattr(api.as_user(somebody), method)(url(channel, "posts", post.pk, "pin"))
            assert (refused.status_code, refused.json()["code"]) == (403, "channel_role_required")


@pytest.mark.parametrize("how", ["deleted", "hidden"])
def test_a_post_that_is_gone_frees_its_pin(api: Api, owner: User, channel: Channel, stranger: User, how: str) -> None:
    me = api.as_user(owner)
    posts = [make_post(owner, channel_id=channel.pk) for _ in range(4)]
    for post in posts[:3]:
        me.post(url(channel, "posts", post.pk, "pin"))
    if how == "deleted":
        me.delete(f"/api/social/posts/{posts[1].pk}")
    else:
        Post.objects.filter(pk=posts[1].pk).update(hidden_at=clock.now())
    assert pinned(api, stranger, channel) == [str(posts[0].pk), str(posts[2].pk)]
    assert me.post(url(channel, "posts", posts[3].pk, "pin")).status_code == 200
    assert pinned(api, stranger, channel) == [str(post.pk) for post in (posts[0], posts[2], posts[3])]
    assert ChannelPin.objects.count() == 3


def test_a_pin_shows_nothing_that_is_for_subscribers(
    api: Api, owner: User, channel: Channel, subscriber: User, stranger: User
) -> None:
    post = make_post(owner, channel_id=channel.pk, visibility="followers")
    api.as_user(owner).post(url(channel, "posts", post.pk, "pin"))
    assert pinned(api, subscriber, channel) == [str(post.pk)]
    assert pinned(api, stranger, channel) == []
    listed = {
        viewer: api.as_user(viewer).get(url(channel, "posts")).json()["items"] for viewer in (subscriber, stranger)
    }
    assert [len(items) for items in listed.values()] == [1, 0]


# --- Blocks, moderation -----------------------------------------------------------------------------------------------


def test_a_block_ends_subscriptions_between_the_two(
    api: Api, owner: User, channel: Channel, editor: User, subscriber: User
) -> None:
    block(person=owner, other_id=editor.pk, now=clock.now())
    block(person=subscriber, other_id=owner.pk, now=clock.now())
    channel.refresh_from_db()
    assert channel.subscriber_count == ChannelMember.objects.filter(channel=channel).count() == 1
    for somebody in (editor, subscriber):
        me = api.as_user(somebody)
        for answer in (me.get(url(channel)), me.post(url(channel, "subscribe")), me.get(url(channel, "posts"))):
            assert answer.status_code == 404
        assert me.get(CHANNELS).json()["items"] == []


def test_editors_of_a_channel_may_block_each_other(api: Api, channel: Channel, editor: User, subscriber: User) -> None:
    Block.objects.create(blocker=editor, blocked=subscriber)
    assert api.as_user(subscriber).get(url(channel)).status_code == 200


def test_a_hidden_channel_is_gone_for_all_but_moderators(
    api: Api, owner: User, channel: Channel, moderator: User
) -> None:
    Channel.objects.filter(pk=channel.pk).update(hidden_at=clock.now())
    assert api.as_user(owner).get(url(channel)).status_code == 404
    assert api.as_user(moderator).get(url(channel)).status_code == 200


def test_a_page_costs_the_same_for_one_pin_and_for_three(
    api: Api, owner: User, channel: Channel, django_assert_num_queries: Any
) -> None:
    me = api.as_user(owner)
    with django_assert_num_queries(2):  # the session, the channel
        me.get(url(channel))
    for count in (1, 3):
        while ChannelPin.objects.count() < count:
            me.post(url(channel, "posts", make_post(owner, channel_id=channel.pk).pk, "pin"))
        with django_assert_num_queries(3):  # and the posts
            assert len(me.get(url(channel)).json()["pinnedPosts"]) == count
