"""The pages of posts, groups and channels for people who are not signed in."""

import re
from collections.abc import Callable
from html import unescape
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.testing import make_campaign
from core import clock
from core.data.ids import uuid7
from core.share_pages import DRAWING
from core.testing import Api
from social.models import Channel, ChannelPin, Follow, Group, Membership, Post, PostCounts
from social.testing import make_post
from uploads.services import store_image, store_private
from uploads.testing import kept, picture
from vectragrow.tests.test_pages import Inline

HTML = {"Accept": "text/html"}


def make_group(visibility: str = "public", **fields: Any) -> Group:
    name = fields.pop("name", f"Roofs {uuid7()}")
    key = None if visibility == "secret" else name.lower()
    policy = "open" if visibility == "public" else "invite"
    return Group.objects.create(name=name, name_key=key, visibility=visibility, join_policy=policy, **fields)


def make_channel(owner: User, **fields: Any) -> Channel:
    name = fields.pop("name", f"News {uuid7()}")
    return Channel.objects.create(name=name, name_key=name.lower(), owner=owner, **fields)


def put_post(author: User, **fields: Any) -> Post:
    post = Post.objects.create(author=author, **{"content": "The panels are on the roof.", **fields})
    PostCounts.objects.create(post=post)
    return post


def page_of(api: Api, kind: str, thing: Any) -> Any:
    return api.get(f"/s/{kind}/{getattr(thing, 'pk', thing)}", **HTML)


def text_of(page: Any) -> str:
    return str(page.content.decode())


def members(page: Any) -> dict[str, str]:
    found = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', text_of(page))
    return {name: unescape(content) for name, content in found}


def likeness(page: Any) -> Any:
    """All of an answer but the id of the request."""
    request_id = page["X-Request-ID"]
    headers = {name: value for name, value in page.headers.items() if name != "X-Request-ID"}
    return page.status_code, page.content.decode().replace(request_id, ""), headers


# --- What is not for everybody ---------------------------------------------------------------------------------------

NOT_PUBLIC_POSTS: dict[str, Callable[[User], dict[str, Any]]] = {
    "for followers": lambda author: {"visibility": "followers"},
    "private": lambda author: {"visibility": "private"},
    "hidden": lambda author: {"hidden_at": clock.now()},
    "held": lambda author: {"held_at": clock.now()},
    "deleted": lambda author: {"deleted_at": clock.now(), "content": ""},
    "in a private group": lambda author: {"group": make_group("private")},
    "in a secret group": lambda author: {"group": make_group("secret")},
    "in a hidden group": lambda author: {"group": make_group(hidden_at=clock.now())},
    "for subscribers": lambda author: {"visibility": "followers", "channel": make_channel(author)},
    "in a hidden channel": lambda author: {"channel": make_channel(author, hidden_at=clock.now())},
}


def unknown_like(api: Api, kind: str, thing: Any) -> None:
    """The page and the picture of this thing are like those of an id that nothing has."""
    for rest, headers in (("", HTML), ("", {}), ("/preview.png", HTML), ("/preview.png", {})):
        given = likeness(api.get(f"/s/{kind}/{thing.pk}{rest}", **headers))
        unknown = likeness(api.get(f"/s/{kind}/{uuid7()}{rest}", **headers))
        assert given[0] == 404 and given == unknown


@pytest.mark.parametrize("reason", NOT_PUBLIC_POSTS)
def test_a_post_that_is_not_for_everybody_is_not_there(api: Api, author: User, reason: str) -> None:
    unknown_like(api, "post", put_post(author, **NOT_PUBLIC_POSTS[reason](author)))


@pytest.mark.parametrize("status", ["suspended", "deleted"])
def test_nor_is_one_of_an_author_who_may_not_be_seen(api: Api, author: User, status: str) -> None:
    post = put_post(author)
    assert page_of(api, "post", post).status_code == 200
    User.objects.filter(pk=author.pk).update(status=status)
    unknown_like(api, "post", post)


def test_nor_a_secret_or_hidden_group_or_a_hidden_channel(api: Api, author: User) -> None:
    unknown_like(api, "group", make_group("secret"))
    unknown_like(api, "group", make_group(hidden_at=clock.now()))
    unknown_like(api, "group", make_group("private", hidden_at=clock.now()))
    unknown_like(api, "channel", make_channel(author, hidden_at=clock.now()))


def test_being_signed_in_changes_nothing(api: Api, author: User, follower: User, moderator: User) -> None:
    """The page is for everybody alike, so that no cache can show somebody what is not for them."""
    post = put_post(author, visibility="followers")
    for person in (author, follower, moderator):
        assert page_of(api.as_user(person), "post", post).status_code == 404


@pytest.mark.parametrize("kind", ["post", "group", "channel"])
@pytest.mark.parametrize("guess", ["", "1", "x" * 500, "%00", "..%2F", "0190aaaa-0000-7000-8000-00000000000"])
def test_there_is_no_page_for_a_guess(api: Api, kind: str, guess: str) -> None:
    assert api.get(f"/s/{kind}/{guess}", **HTML).status_code == 404


# --- Posts -----------------------------------------------------------------------------------------------------------


def test_a_post_with_its_preview(api: Api, author: User, settings: Settings) -> None:
    post = make_post(author, "Two hundred <b>panels</b> & a roof.\n\nThank you.")
    page = page_of(api, "post", post)
    link = f"{settings.PUBLIC_URL}/s/post/{post.pk}"
    said = members(page)
    assert f'<link rel="canonical" href="{link}">' in text_of(page)
    assert (said["og:type"], said["og:url"]) == ("article", link)
    assert said["og:title"] == said["twitter:title"] == f"{author.name} on VECTRAGrow"
    assert said["og:description"] == "Two hundred <b>panels</b> & a roof. Thank you."
    assert "&lt;b&gt;panels&lt;/b&gt; &amp; a roof.</p>" in text_of(page) and "<b>panels" not in text_of(page)
    assert said["twitter:card"] == "summary_large_image"
    assert not Inline(text_of(page)).found and author.email not in text_of(page)
    drawn = api.get(said["og:image"].removeprefix(settings.PUBLIC_URL))
    assert (drawn.status_code, drawn["Content-Type"]) == (200, "image/png")
    assert Image.open(BytesIO(drawn.content)).size == (1200, 630)
    Post.objects.filter(pk=post.pk).update(content="Other words.")
    assert members(page_of(api, "post", post))["og:image"] != said["og:image"], "networks keep what they fetched"


def test_pages_may_be_cached_for_a_moment_and_set_no_cookie(api: Api, author: User) -> None:
    for kind, thing in (("post", make_post(author)), ("group", make_group()), ("channel", make_channel(author))):
        page = page_of(api, kind, thing)
        assert page["Cache-Control"] == "public, max-age=60"
        assert "Accept" in page["Vary"] and "Cookie" not in page["Vary"] and not page.cookies
        policy = page["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        drawn = api.get(urlsplit(members(page)["og:image"]).path)
        assert drawn["Cache-Control"] == "public, max-age=300" and not drawn.cookies


def test_pictures_have_their_words_and_the_first_is_the_preview(api: Api, author: User) -> None:
    body = {"media": [picture(), picture(seed=1)], "mediaAlt": ['A "roof" <in> rain'], "content": "Look"}
    post = api.as_user(author).upload("/api/social/posts", body).json()
    page = page_of(api, "post", post["id"])
    assert members(page)["og:image"] == post["media"][0]["url"]
    assert members(page)["og:image:alt"] == 'A "roof" <in> rain'
    assert members(page)["og:image:type"] == "image/jpeg"
    alts = [unescape(alt) for alt in re.findall(r'<img [^>]*alt="([^"]*)"', text_of(page).split("<main")[1])]
    assert alts == ['A "roof" <in> rain', "Picture without a description"]
    shown = urlsplit(post["media"][0]["url"])
    assert f"{shown.scheme}://{shown.netloc}" in page["Content-Security-Policy"]


def test_what_a_founder_is_stands_beside_the_words(api: Api, author: User, person: Any) -> None:
    founder = person("founder", identity=True)
    campaign = make_campaign(founder, title="A roof <for> all")
    page = page_of(api, "post", make_post(founder, "Nearly there!", campaign_id=campaign.pk))
    assert "Founder of A roof &lt;for&gt; all" in text_of(page)
    assert f'href="/s/campaign/{campaign.slug}"' in text_of(page)
    assert members(page)["og:title"] == f"{founder.name} (Founder of A roof <for> all) on VECTRAGrow"
    about = page_of(api, "post", make_post(author, "Nice roof.", campaign_id=campaign.pk))
    assert "Founder" not in text_of(about)


def test_addresses_are_links_that_lead_where_they_say(api: Api, author: User) -> None:
    words = (
        "See https://example.com/a_(b)?x=1&y=<2>, (https://example.org/). javascript:alert(1) "
        "https://vectragrow.example@evil.example/ https:// https://[x https://example.net/\u202ex"
    )
    text = text_of(page_of(api, "post", make_post(author, words))).split("<main")[1]
    links = re.findall(r'<a href="(https?[^"]*)" rel="nofollow ugc noopener">', text)
    assert links == ["https://example.com/a_(b)?x=1&amp;y=", "https://example.org/", "https://example.net/"]
    assert "javascript:alert(1)" in text and 'href="javascript' not in text


def test_people_are_named_and_ids_are_not_shown(api: Api, author: User, stranger: User) -> None:
    nobody = uuid7()
    page = page_of(api, "post", make_post(author, f"Thank you, <@{stranger.pk}> and <@{nobody}>!"))
    assert f"@{stranger.name}</bdi>" in text_of(page) and "@somebody</bdi>" in text_of(page)
    assert members(page)["og:description"] == f"Thank you, @{stranger.name} and @somebody!"
    assert str(stranger.pk) not in text_of(page) and str(nobody) not in text_of(page)


@pytest.mark.parametrize(
    "words",
    [
        "x" * 5000,
        "\n".join("x" * 2500),
        "<@" * 2500,
        "https://" * 600,
        "e" + "\u0301" * 4999,
        "\U0001f389" * 5000,
        "(" * 5000,
    ],
    ids=["one word", "lines", "half mentions", "half links", "marks", "emoji", "brackets"],
)
def test_odd_words_have_a_page_and_a_picture(api: Api, author: User, words: str) -> None:
    post = put_post(author, content=words)
    page = page_of(api, "post", post)
    assert page.status_code == 200 and len(members(page)["og:description"]) <= 201
    assert api.get(f"/s/post/{post.pk}/preview.png").status_code == 200


def test_drawing_is_limited_for_one_address(api: Api, author: User) -> None:
    address = f"/s/post/{make_post(author).pk}/preview.png"
    statuses = [api.get(address).status_code for _ in range(DRAWING.most + 1)]
    assert statuses == [200] * DRAWING.most + [429]
    assert api.get(address)["Retry-After"]


# --- Groups and channels ---------------------------------------------------------------------------------------------


def test_a_public_group_shows_its_newest_posts(api: Api, author: User) -> None:
    group = make_group(name="Solar & roofs", description="For <all>.", member_count=3)
    posts = [put_post(author, group=group, content=f"Post {number}.") for number in range(12)]
    put_post(author, group=group, content="Hidden words.", hidden_at=clock.now())
    page = text_of(page_of(api, "group", group))
    shown = re.findall(r'href="/s/post/([0-9a-f-]+)"', page)
    assert shown == [str(post.pk) for post in reversed(posts)][:10]
    assert "For &lt;all&gt;." in page and "3 members" in page and "Hidden words" not in page


def test_a_private_group_shows_its_card_only(api: Api, author: User) -> None:
    group = make_group("private", name="Quiet roofs", description="By invitation.")
    Membership.objects.create(group=group, user=author, status="member", changed_at=clock.now())
    put_post(author, group=group, content="Inside words.")
    page = page_of(api, "group", group)
    text = text_of(page)
    assert "Quiet roofs" in text and "By invitation." in text and "Private group" in text
    assert "Inside words" not in text and author.name not in text and "/s/post/" not in text


def test_own_pictures_are_the_preview_if_everybody_may_see_them(api: Api, author: User) -> None:
    now = clock.now()
    for store, is_shown in ((store_image, True), (store_private, False)):
        cover, face = (
            kept(store(picture(seed=seed), owner_id=author.pk, purpose="group", now=now, field="x")) for seed in (1, 2)
        )
        group = make_group(cover_image=cover, profile_image=face)
        page = page_of(api, "group", group)
        for file in (cover, face):
            assert (file.storage_name in text_of(page)) == is_shown and str(file.pk) not in text_of(page)
        assert (cover.storage_name in members(page)["og:image"]) == is_shown
        assert ("/preview.png" in members(page)["og:image"]) != is_shown


def test_pins_come_first_in_a_channel_and_once(api: Api, author: User, follower: User) -> None:
    channel = make_channel(author, name="Roof news", subscriber_count=1)
    posts = [put_post(author, channel=channel, content=f"Post {number}.") for number in range(4)]
    secret = put_post(author, channel=channel, content="For subscribers.", visibility="followers")
    for place, post in enumerate((posts[2], secret, posts[0]), 1):
        ChannelPin.objects.create(channel=channel, post=post, place=place)
    text = text_of(page_of(api, "channel", channel))
    shown = re.findall(r'href="/s/post/([0-9a-f-]+)"', text)
    assert shown == [str(posts[number].pk) for number in (2, 0, 3, 1)]
    assert "For subscribers." not in text and "1 subscriber<" in text and author.name in text


def test_an_owner_who_may_not_be_seen_is_not_named(api: Api, author: User) -> None:
    channel = make_channel(author)
    User.objects.filter(pk=author.pk).update(status="suspended")
    assert author.name not in text_of(page_of(api, "channel", channel))


def test_long_posts_of_a_list_are_cut(api: Api, author: User) -> None:
    group = make_group()
    put_post(author, group=group, content="word " * 900)
    assert text_of(page_of(api, "group", group)).count("word ") <= 100


@pytest.mark.parametrize(("kind", "most"), [("post", 1), ("group", 2), ("channel", 4)])
def test_queries_do_not_grow_with_rows(
    api: Api, author: User, person: Any, django_assert_num_queries: DjangoAssertNumQueries, kind: str, most: int
) -> None:
    group, channel = make_group(), make_channel(author)
    first = put_post(author, channel=channel)
    ChannelPin.objects.create(channel=channel, post=first, place=1)
    put_post(author, group=group)
    thing = {"post": first, "group": group, "channel": channel}[kind]
    for _ in range(2):
        with django_assert_num_queries(most):
            assert page_of(api, kind, thing).status_code == 200
        for number in range(10):
            writer = person(f"writer{number}")
            Follow.objects.create(follower=writer, followed=author)
            put_post(writer, group=group)
            put_post(writer, channel=channel)
