"""Search: what is found by what, who finds it, in which order, and what cannot be looked for."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import PersonIndex, User
from accounts.services.relations import block, mute
from campaigns.testing import make_campaign
from core import clock
from core.search import Breadth, WordQuery, read_query
from core.testing import Api
from social.access import asker
from social.models import Channel, Group, KnownWord, Membership, Post, PostIndex
from social.selectors.search import _POSTS
from social.services.posts import delete_post
from social.services.words import learn_words
from social.testing import make_post

Find = Callable[..., list[Any]]


@pytest.fixture
def find(api: Api, stranger: User) -> Find:
    """The things that somebody finds, each under its own member, the best first."""

    def search(kind: str, q: str, person: User = stranger, **query: Any) -> list[Any]:
        answer = api.as_user(person).get("/api/social/search", {"q": q, "type": kind, "limit": 50, **query})
        assert answer.status_code == 200, (q, answer.content)
        return [item[item["type"]] for item in answer.json()["items"]]

    return search


def make_group(name: str, visibility: str = "public", **fields: Any) -> Group:
    return Group.objects.create(
        name=name,
        name_key=None if visibility == "secret" else name,
        visibility=visibility,
        join_policy={"public": "open", "private": "request", "secret": "invite"}[visibility],
        **fields,
    )


# --- What is found -------------------------------------------------------------------------------------------------

POSTS = {
    "chinese": "為學校安裝兩百片太陽能面板。",
    "japanese": "屋根の太陽光発電、カフェにも。",
    "korean": "마을태양광발전소를 짓습니다",
    "thai": "โครงการพลังงานแสงอาทิตย์ชุมชน",
    "french": "Le café de Zürich est rénové 😀",
    "english": "The mills turn all year, says O'Brien. 100%_done",
    "arabic": "الطاقة الشمسية للمدرسة",
}
FOUND_POSTS = {
    "太陽能": {"chinese"}, "太陽": {"chinese", "japanese"}, "カフェ": {"japanese"}, "ｶﾌｪ": {"japanese"},
    "태양광": {"korean"}, "แสงอาทิตย์": {"thai"}, "CAFE": {"french"}, "cafe\u0301": {"french"}, "zurich": {"french"},
    "😀": {"french"}, "mill": {"english"}, "year turning": {"english"}, "turning year": {"english"},
    "the mills": {"english"}, "o'brien": {"english"}, '"turn all year"': {"english"}, '"all turn year"': set(),
    "mills -year": set(), "mills -snow": {"english"}, "mills -": {"english"}, "mill or cafe": {"english"},
    "الشمسية": {"arabic"}, "mills 太陽": set(), "m%ll": set(), "m_lls": set(), "%": None, "100%": {"english"},
    "…!?": None, "-mills": None, '"': None, "'|' & !": None, "zz": set(), "x" * 200: set(),
    "a " * 100: set(), "|0": set(), "||0": set(),
}  # fmt: skip


def test_what_posts_are_found_by_what(api: Api, author: User, stranger: User) -> None:
    names = {str(make_post(author, content).pk): name for name, content in POSTS.items()}
    client = api.as_user(stranger)

    def found(q: str) -> set[str] | None:
        answer = client.get("/api/social/search", {"q": q, "type": "posts"})
        if answer.status_code == 400:
            assert answer.json()["errors"][0]["field"] == "q"
            assert answer.json()["errors"][0]["code"] == "nothing_to_look_for"
            return None
        assert answer.status_code == 200, (q, answer.content)
        return {names[item["post"]["id"]] for item in answer.json()["items"]}

    assert {q: found(q) for q in FOUND_POSTS} == FOUND_POSTS


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"type": "posts"}, "q"),
        ({"type": "posts", "q": ""}, "q"),
        ({"type": "posts", "q": "   "}, "q"),
        ({"type": "posts", "q": "x" * 201}, "q"),
        ({"type": "posts", "q": "a" + "\u0301" * 10_000}, "q"),
        ({"type": "posts", "q": "\u0301"}, "q"),
        ({"q": "solar"}, "type"),
        ({"q": "solar", "type": "money"}, "type"),
    ],
)
def test_what_cannot_be_looked_for(api: Api, stranger: User, query: dict[str, str], field: str) -> None:
    answer = api.as_user(stranger).get("/api/social/search", query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_query_with_a_nul_byte_is_refused(api: Api, stranger: User) -> None:
    assert api.as_user(stranger).get("/api/social/search", {"q": "solar\0", "type": "posts"}).status_code == 400


def test_names_are_found_by_parts_beginnings_and_with_typing_errors(find: Find, person: Callable[..., User]) -> None:
    person("Josephine", last_name="Łukasiewicz")
    person("José", last_name="García Márquez")
    person("李", last_name="小龍")
    person("Grace", last_name="Hopper")

    def found(q: str) -> set[str]:
        return {card["firstName"] for card in find("people", q)}

    for q in (
        "grace",
        "GRACE hopper",
        "hopper grace",
        "grac",
        "gr",
        "ho",
        "hoper",
        "hoppre",
        "hopepr",
        "oppe",
        '"grace hopper"',
    ):
        assert found(q) == {"Grace"}, q
    for q in ("jose garcia", "garcía", "marquez", "gracia", "garcia or"):
        assert ("José" in found(q)) == (q != "garcia or"), q
    assert found("小龍") == found("李") == {"李"}
    assert found("jose") == {"José", "Josephine"}
    assert [card["firstName"] for card in find("people", "jose")] == ["José", "Josephine"]  # the whole word first
    assert found("grace -hopper") == found("hxppxr") == set()


def test_groups_channels_and_campaigns_are_found_by_name_and_description(find: Find, author: User) -> None:
    make_group("Solar neighbours", description="Roofs of Besançon")
    Channel.objects.create(name="Wind news", name_key="wind news", owner=author, description="Mills and sails")
    make_campaign(author, title="Rooftop power", summary="Panels for a school")
    assert [group["name"] for group in find("groups", "nieghbours besancon")] == ["Solar neighbours"]
    assert [group["memberCount"] for group in find("groups", "solar")] == [0]
    assert [channel["name"] for channel in find("channels", "wnid mill")] == ["Wind news"]
    assert [campaign["title"] for campaign in find("campaigns", "roftop schools")] == ["Rooftop power"]
    assert find("channels", "solar") == find("groups", "wind") == find("campaigns", "mill") == []


def test_posts_are_found_by_known_words_when_typed_in_part_or_with_an_error(find: Find, author: User) -> None:
    for content in ("Photovoltaics for all", "More photovoltaics", "A secretword", "Our private secretword"):
        make_post(author, content, visibility="private" if "secret" in content else "public")
    assert find("posts", "photov") == find("posts", "photovoltiacs") == []
    learn_words(now=clock.now())
    assert len(find("posts", "photov")) == len(find("posts", "photovoltiacs")) == len(find("posts", "more ph")) + 1 == 2
    assert find("posts", "photov more") == []  # only the last word may be unfinished
    assert not KnownWord.objects.filter(word="secretword").exists()
    Post.objects.filter(content="More photovoltaics").update(content="More")
    learn_words(now=clock.now())
    assert not KnownWord.objects.exists()


def test_hashtags_are_looked_for_as_such(find: Find, author: User) -> None:
    make_post(author, "A roof #Solar #DIY")
    make_post(author, "solar roof without a tag")
    make_post(author, "Another #solar one")
    assert {post["content"] for post in find("posts", "#SOLAR")} == {"A roof #Solar #DIY", "Another #solar one"}
    assert [post["content"] for post in find("posts", "#solar roof")] == ["A roof #Solar #DIY"]
    assert [post["content"] for post in find("posts", "#solar #diy")] == ["A roof #Solar #DIY"]
    assert len(find("posts", "solar")) == 3
    assert find("posts", "#nothing") == []


def test_an_edit_a_new_name_and_a_deletion_change_what_is_found(find: Find, author: User) -> None:
    post = make_post(author, "Old words")
    number = PostIndex.objects.get(post=post).number
    Post.objects.filter(pk=post.pk).update(content="New terms")
    assert (find("posts", "words"), len(find("posts", "terms"))) == ([], 1)
    assert PostIndex.objects.get(post=post).number == number
    Post.objects.filter(pk=post.pk).update(content="")
    Post.objects.filter(pk=post.pk).update(content="Again")
    assert len(find("posts", "again")) == 1
    delete_post(person=author, post_id=post.pk, now=clock.now())
    assert not PostIndex.objects.filter(post=post).exists()
    group = make_group("Before")
    Group.objects.filter(pk=group.pk).update(name="After")
    assert (find("groups", "before"), len(find("groups", "after"))) == ([], 1)
    User.objects.filter(pk=author.pk).update(first_name="Renamed")
    assert len(find("people", "renamed")) == 1
    User.objects.filter(pk=author.pk).update(status="deleted")
    assert not PersonIndex.objects.filter(person=author).exists()


# --- Who finds it --------------------------------------------------------------------------------------------------


def test_nobody_finds_what_they_may_not_see(
    find: Find, author: User, stranger: User, follower: User, moderator: User
) -> None:
    secret, private = make_group("Solar secret", "secret"), make_group("Solar private", "private")
    for group, status in ((secret, "member"), (private, "member"), (secret, "invited")):
        member = author if status == "member" else follower
        Membership.objects.create(group=group, user=member, status=status, changed_at=clock.now())
    make_group("Solar hidden", hidden_at=clock.now())
    Channel.objects.create(name="Solar hidden", name_key="c", owner=author, hidden_at=clock.now())
    make_post(author, "solar public")
    make_post(author, "solar followers", visibility="followers")
    make_post(author, "solar private", visibility="private")
    make_post(author, "solar group", group_id=secret.pk)
    make_campaign(author, title="Solar draft", status="draft")

    def found(person: User) -> dict[str, set[str]]:
        names = {
            "posts": {post["content"].split()[1] for post in find("posts", "solar", person)},
            "groups": {group["name"].split()[1] for group in find("groups", "solar", person)},
            "channels": {channel["name"].split()[1] for channel in find("channels", "solar", person)},
            "campaigns": {campaign["title"].split()[1] for campaign in find("campaigns", "solar", person)},
        }
        return names

    assert found(stranger) == {"posts": {"public"}, "groups": {"private"}, "channels": set(), "campaigns": set()}
    assert found(follower) == {
        "posts": {"public", "followers"}, "groups": {"private", "secret"}, "channels": set(), "campaigns": set()
    }  # fmt: skip
    assert found(author) == {
        "posts": {"public", "followers", "private", "group"},
        "groups": {"private", "secret"},
        "channels": set(),
        "campaigns": {"draft"},
    }
    assert found(moderator)["posts"] == {"public", "followers", "group"}
    assert found(moderator)["groups"] == {"private", "secret", "hidden"}
    assert found(moderator)["channels"] == {"hidden"}


def test_who_is_hidden_or_suspended_is_not_found_and_who_is_muted_is(
    find: Find, author: User, stranger: User, follower: User, person: Callable[..., User]
) -> None:
    make_post(author, "solar")
    person("author", status="suspended")
    assert len(find("people", "author", stranger)) == len(find("posts", "solar", stranger)) == 1
    mute(person=stranger, other_id=author.pk, until=None, now=clock.now())
    assert len(find("people", "author", stranger)) == len(find("posts", "solar", stranger)) == 1
    block(person=author, other_id=stranger.pk, now=clock.now())
    assert find("people", "author", stranger) == find("posts", "solar", stranger) == []
    assert find("people", "stranger", author) == []
    assert len(find("people", "author", follower)) == len(find("posts", "solar", follower)) == 1


def test_the_statement_finds_what_the_queryset_finds(
    author: User, stranger: User, follower: User, moderator: User
) -> None:
    chance = random.Random(7)
    words = ["solar", "wind", "roof", "mill", "太陽", "café"]
    group = make_group("Inside", "private")
    for member in (author, follower):
        Membership.objects.create(group=group, user=member, status="member", changed_at=clock.now())
    for _ in range(60):
        where = (
            {"group_id": group.pk} if chance.random() < 0.3 else {"visibility": chance.choice(Post.Visibility.values)}
        )
        make_post(chance.choice([author, follower]), " ".join(chance.choices(words, k=3)), **where)
    Post.objects.filter(pk__in=chance.sample(list(Post.objects.values_list("pk", flat=True)), 6)).update(
        hidden_at=clock.now()
    )
    for person in (author, stranger, follower, moderator):
        for q in ("solar", "solar wind", "roof -mill", "太陽 cafe", "mill or wind"):
            asked = read_query(q)
            matching = PostIndex.objects.filter(words=WordQuery(asked, Breadth.WORDS)).values("pk")
            rows = _POSTS.rows(**asker(person), **asked.parameters, untagged=True, limit=100)
            assert {row.id for row in rows} == set(
                Post.objects.visible_to(person).filter(pk__in=matching).values_list("pk", flat=True)
            ), (person, q)


def test_a_list_goes_on_where_it_stopped_and_counts(api: Api, author: User, stranger: User) -> None:
    for number in range(7):
        make_post(author, f"solar {'solar ' * (number % 3)}{number}")
    client = api.as_user(stranger)
    seen, cursor = [], None
    while True:
        query = {
            "q": "solar",
            "type": "posts",
            "limit": 3,
            "withTotal": "true",
            **({"cursor": cursor} if cursor else {}),
        }
        page = client.get("/api/social/search", query).json()
        assert page["total"] == 7 or cursor
        seen += [item["post"]["id"] for item in page["items"]]
        if not (cursor := page["nextCursor"]):
            break
        make_post(author, "solar solar solar, a better one that came later")
    assert len(seen) == len(set(seen)) == 7
    second = client.get("/api/social/search", {"q": "solar", "type": "posts", "limit": 3, "page": 2})
    assert len(second.json()["items"]) == 3


# --- What it costs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["people", "posts", "groups", "channels", "campaigns"])
def test_ten_cost_as_many_queries_as_one(api: Api, stranger: User, kind: str, person: Callable[..., User]) -> None:
    client = api.as_user(stranger)

    def make(name: str) -> None:
        one = person("Solar")
        make_post(one, "Solar")
        make_group(f"Solar {name}")
        Channel.objects.create(name="Solar", name_key=name, owner=one)
        make_campaign(one, title="Solar")

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/social/search", {"q": "solar", "type": kind}).status_code == 200
        return len(queries)

    make("first")
    cost()
    one = cost()
    for number in range(9):
        make(str(number))
    assert cost() == one


def test_a_word_that_is_in_every_post_is_looked_for_among_the_newest(author: User, find: Find) -> None:
    first = make_post(author, "solar and the only elephant")
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('social_post_number', 400000)")
    last = make_post(author, "solar")
    assert [post["id"] for post in find("posts", "elephant")] == [str(first.pk)]
    assert {post["id"] for post in find("posts", "solar")} == {str(first.pk), str(last.pk)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM social_matching_posts('solar', 1)")
        assert cursor.fetchall() == [(last.pk,)]
        cursor.execute("SELECT setval('social_post_number', 1, false)")
