"""The statements of `chat/sql` beside plain querysets, on random conversations and for everybody in them or not."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from accounts.services import relations
from chat.models import Attachment, Conversation, Member, Message
from chat.selectors import conversation_outputs, message_outputs, message_rows
from chat.tests.factories import CONVERSATIONS, direct, group, say, url
from core.testing import Api
from core.testing.pages import as_json, by_cursor, by_number
from uploads.models import StoredFile


@pytest.fixture
def people(person: Callable[..., User]) -> list[Any]:
    return [person(name) for name in ("ada", "ben", "cleo", "stranger")]


@pytest.fixture(params=range(3))
def conversations(request: pytest.FixtureRequest, people: list[Any]) -> list[Conversation]:
    """
    Two between two, one of three; with replies, pictures, deleted messages, places cleared and left, and people who
    block each other.
    """
    chance = random.Random(request.param)
    ada, ben, cleo, _ = people
    now = timezone.now()
    made = [direct(ada, ben), direct(ada, cleo), group(ada, ben, cleo, title="All")]
    for _ in range(40):
        conversation = chance.choice(made)
        members = list(conversation.members.select_related("user"))
        before = list(Message.objects.filter(conversation=conversation).values_list("pk", flat=True))
        more = {"reply_to_id": chance.choice(before)} if before and chance.random() < 0.3 else {}
        said = say(chance.choice(members).user, conversation, content=chance.choice(["Hello", "é" * 250]), **more)
        if chance.random() < 0.1:
            Member.objects.filter(conversation=conversation).update(last_read_seq=0)
        if chance.random() < 0.2:
            _attach(as_json(said)["id"], chance)
    Message.objects.filter(seq=3).update(deleted_at=timezone.now(), content="")
    for member in Member.objects.all():
        last_seq = Conversation.objects.get(pk=member.conversation_id).last_seq
        member.cleared_seq = chance.choice([0, 0, 2, last_seq])
        member.gone_at_seq = chance.choice([None, None, 1, last_seq])
        member.save(update_fields=["cleared_seq", "gone_at_seq"])
    Conversation.objects.filter(type="direct").update(active_at=timezone.now())  # a tie
    for one, other in [[], [(ben, cleo)], [(cleo, ben), (ada, ben)]][request.param]:
        relations.block(person=one, other_id=other.pk, now=now)
    return made


def _attach(message_id: str, chance: random.Random) -> None:
    for position in range(chance.choice([1, 2])):
        stored = StoredFile.objects.create(
            owner_id=message_id,
            purpose="chat_media",
            visibility="private",
            content_type="image/png",
            size=1,
            width=10,
            height=20,
            fingerprint=b"f" * 32,
            wrapped_key=b"k",
            storage_name=f"{message_id}-{position}",
        )
        Attachment.objects.create(message_id=message_id, file=stored, position=position)


def without_links(value: Any) -> dict[str, Any] | list[Any] | Any:
    """Links to pictures are new each time."""
    if isinstance(value, dict):
        return {name: without_links(member) for name, member in value.items() if name not in ("url", "expiresAt")}
    return [without_links(member) for member in value] if isinstance(value, list) else value


def test_messages_are_those_of_the_queryset(api: Api, conversations: list[Conversation], people: list[Any]) -> None:
    for somebody in people:
        me = api.as_user(somebody)
        for conversation in conversations:
            member = Member.objects.of(somebody).filter(conversation=conversation).first()
            path = url(conversation, "/messages")
            assert me.get(path).status_code == (200 if member else 404)
            if member is None:
                continue
            for query, window in (
                ({}, {}),
                ({"beforeSeq": 6}, {"before_seq": 6}),
                ({"afterSeq": 3}, {"after_seq": 3}),
                ({"beforeSeq": 8, "afterSeq": 2}, {"before_seq": 8, "after_seq": 2}),
            ):
                rows: Any = message_rows(member, **window).order_by("-seq")
                expected = without_links(as_json(message_outputs(list(rows), somebody.pk)))
                assert without_links(by_cursor(me, path, query, 3)) == expected
                assert without_links(by_number(me, path, query, 4)) == expected
                assert me.get(path, {**query, "withTotal": "true"}).json()["total"] == len(expected)


def test_conversations_are_those_of_the_queryset(
    api: Api, conversations: list[Conversation], people: list[Any]
) -> None:
    for somebody in people:
        me = api.as_user(somebody)
        places = Member.objects.of(somebody).select_related("conversation")
        rows = list(places.order_by("-conversation__active_at", "-conversation__id"))
        expected = without_links(as_json(conversation_outputs(rows)))
        assert without_links(by_cursor(me, CONVERSATIONS, {}, 1)) == expected
        assert without_links(by_number(me, CONVERSATIONS, {}, 2)) == expected


def test_a_list_shows_the_first_people_and_counts_all(api: Api, person: Callable[..., User]) -> None:
    owner, *others = [person(f"p{n}") for n in range(25)]
    group(owner, *others)
    (shown,) = api.as_user(owner).get(CONVERSATIONS).json()["items"]
    assert (len(shown["participants"]), shown["participantCount"]) == (20, 25)


def test_both_cost_the_same_for_one_and_for_ten(
    api: Api, person: Callable[..., User], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ada, others = person("ada"), [person(f"other{n}") for n in range(10)]
    me = api.as_user(ada)
    for count in (1, 10):
        for other in others[:count]:
            said = say(other, direct(ada, other))
        with django_assert_num_queries(2):  # the session, the conversations
            assert len(me.get(CONVERSATIONS).json()["items"]) == count
    conversation = direct(ada, others[0])
    for count in (1, 10):
        while Message.objects.filter(conversation=conversation).count() < count:
            say(ada, conversation)
        with django_assert_num_queries(2):  # the session, the messages
            me.get(url(conversation, "/messages"))
    assert said


def test_pictures_cost_one_query_for_all(
    api: Api, person: Callable[..., User], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ada, ben = person("ada"), person("ben")
    conversation, chance = direct(ada, ben), random.Random(1)
    for _ in range(5):
        _attach(as_json(say(ada, conversation))["id"], chance)
    me = api.as_user(ben)
    with django_assert_num_queries(3):
        items = me.get(url(conversation, "/messages")).json()["items"]
    assert all(item["media"] for item in items)


def test_messages_in_time_order_even_when_clocks_disagree(api: Api, person: Callable[..., User]) -> None:
    ada, ben = person("ada"), person("ben")
    conversation = direct(ada, ben)
    for n in range(3):
        say(ada, conversation, content=str(n))
    Message.objects.filter(seq=3).update(created_at=timezone.now() - timedelta(days=1))
    items = api.as_user(ben).get(url(conversation, "/messages")).json()["items"]
    assert [item["seq"] for item in items] == [3, 2, 1]
