"""Beginning, listing, reading and deleting conversations."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from chat.models import Conversation, Member
from chat.tests.factories import CONVERSATIONS, direct, group, say, url
from core.testing import Api


def begin(api: Api, starter: User, *others: User | UUID | str, type: str = "direct", **more: Any) -> Any:
    ids = [str(getattr(other, "pk", other)) for other in others]
    return api.as_user(starter).post(CONVERSATIONS, {"participants": ids, "type": type, **more})


def test_direct_conversation_is_begun_once_for_the_pair(api: Api, founder: User, backer: User) -> None:
    begun = begin(api, founder, backer)
    assert begun.status_code == 201
    body = begun.json()
    assert (body["type"], body["title"], body["lastSeq"], body["lastMessage"]) == ("direct", None, 0, None)
    assert {one["id"] for one in body["participants"]} == {str(founder.pk), str(backer.pk)}
    assert [(one["role"], one["lastReadSeq"]) for one in body["members"]] == [("member", 0)] * 2
    again = begin(api, backer, founder)
    assert (again.status_code, again.json()["id"]) == (200, body["id"])
    assert Conversation.objects.count() == 1


def test_group_has_its_starter_as_owner(api: Api, founder: User, backer: User, stranger: User) -> None:
    begun = begin(api, founder, backer, stranger, founder, backer, type="group", title="Circle")
    assert begun.status_code == 201
    body = begun.json()
    assert (body["title"], body["participantCount"]) == ("Circle", 3)
    roles = {one["user"]["id"]: one["role"] for one in body["members"]}
    assert roles == {str(founder.pk): "owner", str(backer.pk): "member", str(stranger.pk): "member"}


def test_titles_of_groups_are_of_one_line(api: Api, founder: User, backer: User) -> None:
    assert (
        begin(api, founder, backer, type="group", title="خانواده\u200cها 👨‍👩‍👧").json()["title"]
        == "خانواده\u200cها 👨‍👩‍👧"
    )
    for title, code in (("two\nlines", "not_one_line"), ("\u202eevil", "not_one_line"), ("\u2800", "shows_nothing")):
        refused = begin(api, founder, backer, type="group", title=title)
        assert [(row["field"], row["code"]) for row in refused.json()["errors"]] == [("title", code)]


def test_wrong_people_are_refused(
    api: Api, founder: User, backer: User, stranger: User, person: Callable[..., User]
) -> None:
    def refused(*others: User | UUID | str, **more: Any) -> Any:
        answer = begin(api, founder, *others, **more)
        return answer.status_code, answer.json()["code"]

    assert refused(founder) == (400, "wrong_participants")
    assert refused(backer, stranger) == (400, "wrong_participants")
    assert refused(founder, type="group") == (400, "wrong_participants")
    assert refused(uuid4()) == (404, "person_not_found")
    assert refused(backer, uuid4(), type="group") == (404, "person_not_found")
    assert refused(person("gone", status="suspended")) == (404, "person_not_found")
    assert refused("me") == (400, "invalid_input")
    assert refused(backer, type="channel") == (400, "invalid_input")
    assert Conversation.objects.count() == 0


def test_group_is_limited_to_256_people(api: Api, founder: User) -> None:
    answer = begin(api, founder, *(uuid4() for _ in range(256)), type="group")
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_participants")


def test_unverified_person_reads_but_begins_nothing(api: Api, founder: User, person: Callable[..., User]) -> None:
    newcomer = person("newcomer", verified=False)
    answer = begin(api, newcomer, founder)
    assert (answer.status_code, answer.json()["code"]) == (403, "email_not_verified")
    talk = direct(founder, newcomer)
    assert api.as_user(newcomer).get(url(talk)).status_code == 200


def test_list_shows_latest_activity_first_with_unread_counts(
    api: Api, founder: User, backer: User, stranger: User
) -> None:
    older, newer = direct(founder, backer), group(founder, backer, stranger, title="Circle")
    say(backer, older, "one")
    say(backer, older, "two")
    mine = api.as_user(founder)
    first, second = mine.get(CONVERSATIONS).json()["items"]
    assert (first["id"], first["unreadCount"], first["lastMessage"]["content"]) == (str(older.pk), 2, "two")
    assert (second["id"], second["unreadCount"], second["lastMessage"]) == (str(newer.pk), 0, None)
    assert first["updatedAt"] == first["lastMessage"]["createdAt"]
    assert [one["id"] for one in api.as_user(stranger).get(CONVERSATIONS).json()["items"]] == [str(newer.pk)]


def test_list_is_paged(api: Api, founder: User, person: Callable[..., User]) -> None:
    made = [str(direct(founder, person("other")).pk) for _ in range(3)]
    mine = api.as_user(founder)
    page = mine.get(CONVERSATIONS, {"limit": 2}).json()
    rest = mine.get(CONVERSATIONS, {"limit": 2, "cursor": page["nextCursor"]}).json()
    assert [one["id"] for one in page["items"] + rest["items"]] == made[::-1]
    assert (page["hasMore"], rest["hasMore"]) == (True, False)


@pytest.mark.parametrize("tail", ["", "messages"])
def test_queries_do_not_grow_with_rows(api: Api, founder: User, person: Callable[..., User], tail: str) -> None:
    mine = api.as_user(founder)

    def queries(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert mine.get(path).status_code == 200
        return len(captured)

    talk = direct(founder, person("first"))
    path = url(talk, "/messages") if tail else CONVERSATIONS
    first = say(founder, talk)
    with_one = queries(path)
    for number in range(9):
        other = person("other")
        say(other, direct(founder, other))
        say(founder, talk, f"{number}", reply_to_id=first.id)
    assert queries(path) == with_one


def test_own_messages_are_not_unread(api: Api, founder: User, backer: User, talk: Conversation) -> None:
    say(backer, talk)
    say(founder, talk)
    assert api.as_user(founder).get(url(talk)).json()["unreadCount"] == 0
    assert api.as_user(backer).get(url(talk)).json()["unreadCount"] == 1


def test_read_mark_moves_forward_only(api: Api, founder: User, backer: User, talk: Conversation) -> None:
    for _ in range(3):
        say(backer, talk)
    mine = api.as_user(founder)

    def read(**body: int) -> Any:
        answer = mine.put(url(talk, "/read"), body)
        assert answer.status_code == 200
        return answer.json()["unreadCount"]

    assert read(seq=2) == 1
    assert read(seq=1) == 1
    assert read(seq=99) == 0
    say(backer, talk)
    assert read() == 0
    seen = {one["user"]["id"]: one["lastReadSeq"] for one in api.as_user(backer).get(url(talk)).json()["members"]}
    assert seen == {str(founder.pk): 4, str(backer.pk): 4}
    assert mine.put(url(talk, "/read"), {"seq": -1}).status_code == 400


def test_etag_names_what_was_read_and_guards_the_mark(
    api: Api, founder: User, backer: User, talk: Conversation
) -> None:
    mine = api.as_user(founder)
    tag = mine.get(url(talk)).headers["ETag"]
    assert mine.get(url(talk)).headers["ETag"] == tag
    say(backer, talk)
    stale = mine.put(url(talk, "/read"), {}, if_match=tag)
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert mine.get(url(talk)).json()["unreadCount"] == 1
    fresh = mine.get(url(talk)).headers["ETag"]
    assert mine.put(url(talk, "/read"), {}, if_match=fresh).status_code == 200


def test_deleting_is_for_oneself_and_ends_with_the_next_message(
    api: Api, founder: User, backer: User, talk: Conversation
) -> None:
    say(backer, talk, "before")
    mine, theirs = api.as_user(founder), api.as_user(backer)
    gone = mine.delete(url(talk))
    assert (gone.status_code, gone.json()) == (200, {"message": "Conversation deleted successfully"})
    assert mine.get(CONVERSATIONS).json()["items"] == []
    assert mine.get(url(talk)).status_code == 404
    assert mine.get(url(talk, "/messages")).status_code == 404
    assert mine.delete(url(talk)).status_code == 404
    assert [one["content"] for one in theirs.get(url(talk, "/messages")).json()["items"]] == ["before"]

    assert theirs.post(url(talk, "/messages"), {"content": "after"}).status_code == 201
    assert [one["content"] for one in mine.get(url(talk, "/messages")).json()["items"]] == ["after"]
    assert mine.get(url(talk)).json()["unreadCount"] == 1


def test_beginning_again_brings_a_deleted_conversation_back_empty(
    api: Api, founder: User, backer: User, talk: Conversation
) -> None:
    say(backer, talk, "before")
    mine = api.as_user(founder)
    mine.delete(url(talk))
    again = begin(api, founder, backer)
    assert (again.status_code, again.json()["id"]) == (200, str(talk.pk))
    assert (again.json()["lastMessage"], again.json()["unreadCount"]) == (None, 0)
    assert mine.get(url(talk, "/messages")).json()["items"] == []
    assert Member.objects.filter(conversation=talk).count() == 2
