"""Blocking and muting, and the predicate that every app asks."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import relations
from accounts.access import access_person
from accounts.models import Block, Mute, Status, User
from accounts.services import relations as services
from accounts.services.leaving import erase_when_due
from accounts.testing import PASSWORD
from core.api.errors import NotFound
from core.data.ids import uuid7
from core.models import Event
from core.privacy.exports import rows_of
from core.testing import Api, run_retention, together

pytestmark = pytest.mark.django_db

NOBODY = UUID(int=1)


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada")


@pytest.fixture
def ben(person: Callable[..., User]) -> User:
    return person("ben")


def url(other: User | UUID, what: str = "block") -> str:
    return f"/api/social/users/{other.pk if isinstance(other, User) else other}/{what}"


def recorded(kind: str) -> int:
    return Event.objects.filter(kind=kind).count()


def both_ways(one: User, other: User) -> set[bool]:
    """What each form of the predicate says, in both directions: one answer when they agree."""
    answers = set()
    for viewer, person in ((one, other), (other, one)):
        shown = User.objects.filter(relations.not_hidden_from(viewer.pk, "pk"), pk=person.pk)
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s IN (SELECT person_id FROM accounts_hidden_from(%s))", [person.pk, viewer.pk])
            (by_function,) = cursor.fetchone()
        answers |= {
            relations.is_hidden_between(viewer.pk, person.pk),
            relations.hidden_among(viewer.pk, [person.pk, NOBODY]) == {person.pk},
            not shown.exists(),
            by_function,
        }
    return answers


# --- Blocks -----------------------------------------------------------------------------------------------------------


def test_a_block_hides_both_until_both_have_ended_theirs(api: Api, ada: User, ben: User) -> None:
    assert both_ways(ada, ben) == {False}
    assert api.as_user(ada).post(url(ben)).json() == {
        "userId": str(ben.pk),
        "blocking": True,
        "muting": False,
        "mutedUntil": None,
    }
    assert both_ways(ada, ben) == {True}
    assert api.as_user(ben).post(url(ada)).json()["blocking"], "whoever is blocked may block back, and learns nothing"
    assert not api.as_user(ada).delete(url(ben)).json()["blocking"]
    assert both_ways(ada, ben) == {True}
    assert api.as_user(ben).delete(url(ada)).status_code == 200
    assert both_ways(ada, ben) == {False}


def test_twice_changes_nothing(api: Api, ada: User, ben: User) -> None:
    me = api.as_user(ada)
    assert me.post(url(ben)).json() == me.post(url(ben)).json()
    assert (Block.objects.count(), recorded("account.blocked")) == (1, 1)
    assert me.delete(url(ben)).json() == me.delete(url(ben)).json()
    assert (Block.objects.count(), recorded("account.unblocked")) == (0, 1)
    event = Event.objects.get(kind="account.blocked")
    assert (event.actor_id, event.subject_id) == (ada.pk, ben.pk)


@pytest.mark.parametrize("what", ["block", "mute"])
def test_who_cannot_be_blocked_or_muted(api: Api, ada: User, ben: User, what: str) -> None:
    me = api.as_user(ada)
    for method in (me.post, me.delete):
        refused = method(url(ada, what))
        assert (refused.status_code, refused.json()["code"]) == (400, "not_with_yourself")
        assert method(url(NOBODY, what)).status_code == 404
    User.objects.filter(pk=ben.pk).update(status=Status.DELETED)
    assert me.post(url(ben, what)).status_code == 404
    assert me.post(f"/api/social/users/{'é' * 36}/{what}").status_code == 404


def test_staff_and_suspended_people_can_be_blocked(api: Api, ada: User, person: Callable[..., User]) -> None:
    me, moderator = api.as_user(ada), person("mo", role="moderator")
    suspended = person("sam", status=Status.SUSPENDED)
    assert me.post(url(moderator)).status_code == 200
    assert me.post(url(suspended)).status_code == 200


def test_a_suspended_person_blocks_nobody(api: Api, ada: User, ben: User) -> None:
    me = api.as_user(ada)
    User.objects.filter(pk=ada.pk).update(status=Status.SUSPENDED)
    assert me.post(url(ben)).status_code in (401, 403)
    assert not Block.objects.exists()


def test_the_answer_does_not_show_who_blocks_me(api: Api, ada: User, ben: User) -> None:
    me = api.as_user(ben)
    before = me.delete(url(ada))
    services.block(person=ada, other_id=ben.pk, now=timezone.now())
    after = me.delete(url(ada))
    assert (before.status_code, before.json()) == (after.status_code, after.json())
    assert me.get("/api/social/blocks").json()["items"] == []


def test_a_person_who_is_hidden_is_answered_like_nobody(ada: User, ben: User) -> None:
    assert access_person(ben.pk, ada.pk) == ada
    services.block(person=ada, other_id=ben.pk, now=timezone.now())
    for viewer, hidden in ((ada, ben), (ben, ada)):
        with pytest.raises(NotFound):
            access_person(viewer.pk, hidden.pk)
    assert access_person(None, ada.pk) == ada, "who is not signed in is nobody"
    with pytest.raises(NotFound):
        access_person(ben.pk, NOBODY)


def test_at_most_so_many(
    api: Api, ada: User, ben: User, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_RELATIONS", 1)
    me, other = api.as_user(ada), person("cleo")
    for what in ("block", "mute"):
        assert me.post(url(ben, what)).status_code == 200
        refused = me.post(url(other, what))
        assert (refused.status_code, refused.json()["code"]) == (409, "too_many_relations")
        assert me.post(url(ben, what)).status_code == 200, "again is no other"
    assert (Block.objects.count(), Mute.objects.count()) == (1, 1)


def test_the_ten_thousand_and_first_block(api: Api, ada: User, ben: User) -> None:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        others = User.objects.bulk_create(
            User(email=f"{number}@example.com", first_name="Pat", password="!")
            for number in range(services.MAX_RELATIONS)
        )
    Block.objects.bulk_create(Block(blocker=ada, blocked=other, created_at=now) for other in others)
    refused = api.as_user(ada).post(url(ben))
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_relations")
    page = api.as_user(ada).get("/api/social/blocks?limit=50").json()
    assert len(page["items"]) == 50


def test_changing_ones_mind_in_a_loop_is_limited(api: Api, ada: User, ben: User) -> None:
    me = api.as_user(ada)
    answers = [(me.post if turn % 2 else me.delete)(url(ben)).status_code for turn in range(services.PER_PERSON.most)]
    assert set(answers) == {200}
    assert me.post(url(ben)).status_code == 429


@pytest.mark.parametrize("model", [Block, Mute])
def test_the_database_refuses_ones_own(ada: User, model: Any) -> None:
    one, other = [field.attname for field in model._meta.fields if field.related_model is User]
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(**{one: ada.pk, other: ada.pk})


def test_hooks_are_called_in_the_transaction_of_the_block(
    ada: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, UUID, UUID]] = []
    monkeypatch.setattr(relations, "_on_block", [lambda one, other, now: called.append(("block", one, other))])
    monkeypatch.setattr(relations, "_on_unblock", [lambda one, other, now: called.append(("unblock", one, other))])
    now = timezone.now()
    services.block(person=ada, other_id=ben.pk, now=now)
    services.block(person=ada, other_id=ben.pk, now=now)
    services.block(person=ben, other_id=ada.pk, now=now)
    services.unblock(person=ada, other_id=ben.pk, now=now)
    assert called == [("block", ada.pk, ben.pk), ("block", ben.pk, ada.pk)], "one of them still blocks"
    services.unblock(person=ben, other_id=ada.pk, now=now)
    assert called[2:] == [("unblock", ben.pk, ada.pk)]


@pytest.fixture
def room_for_one(ada: User, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Ada may block one person, and blocks two at the same time; they meet after each was counted."""
    monkeypatch.setattr(services, "MAX_RELATIONS", 1)

    def block_both(ben: User, cleo: User) -> list[Any]:
        calls = (partial(services.block, person=ada, other_id=other.pk, now=timezone.now()) for other in (ben, cleo))
        return together(*calls)

    return block_both


@pytest.mark.django_db(transaction=True)
def test_two_blocks_at_once_keep_the_bound(
    room_for_one: Callable[..., list[Any]],
    rivals_meet: Callable[..., None],
    person: Callable[..., User],
) -> None:
    rivals_meet(services, "_has_room")
    outcomes = room_for_one(person("ben"), person("cleo"))
    assert sorted(type(one).__name__ for one in outcomes) == ["NoneType", "TooManyRelations"]
    assert Block.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_blocks_at_once_keep_the_bound_twin(
    room_for_one: Callable[..., list[Any]],
    rivals_meet: Callable[..., None],
    person: Callable[..., User],
    no_locks: None,
) -> None:
    """Without the lock both find room."""
    rivals_meet(services, "_has_room")
    assert room_for_one(person("ben"), person("cleo")) == [None, None]
    assert Block.objects.count() == 2


# --- Mutes ------------------------------------------------------------------------------------------------------------


def test_a_mute_ends_at_its_time(api: Api, ada: User, ben: User) -> None:
    now = timezone.now()
    until = (now + timedelta(hours=1)).replace(microsecond=0)
    muted = api.as_user(ada).post(url(ben, "mute"), {"until": until.isoformat()}).json()
    assert (muted["muting"], datetime.fromisoformat(muted["mutedUntil"])) == (True, until)
    assert relations.mutes_of(ada.pk, now) == {ben.pk}
    assert relations.mutes_of(ada.pk, until) == set()
    assert relations.mutes_of(ben.pk, now) == set(), "the other one is not muted by it"
    assert both_ways(ada, ben) == {False}, "and nobody is hidden"
    with time_machine.travel(until):
        assert not api.as_user(ada).get("/api/social/mutes").json()["items"]


def test_muting_again_sets_the_end_anew(api: Api, ada: User, ben: User) -> None:
    me, tomorrow = api.as_user(ada), (timezone.now() + timedelta(days=1)).isoformat()
    me.post(url(ben, "mute"), {"until": tomorrow})
    assert me.post(url(ben, "mute")).json()["mutedUntil"] is None
    assert me.post(url(ben, "mute")).json()["muting"]
    assert (Mute.objects.count(), recorded("account.muted")) == (1, 2)
    assert not me.delete(url(ben, "mute")).json()["muting"]
    assert not me.delete(url(ben, "mute")).json()["muting"]
    assert recorded("account.unmuted") == 1


@pytest.mark.parametrize(
    ("until", "code"),
    [
        ("2001-01-01T00:00:00Z", "until_in_the_past"),
        ("2031-01-01T00:00:00", "zone_required"),
        ("tomorrow", "invalid"),
        (7, "invalid"),
        ("", "invalid"),
    ],
)
def test_an_end_that_is_none(api: Api, ada: User, ben: User, until: Any, code: str) -> None:
    refused = api.as_user(ada).post(url(ben, "mute"), {"until": until})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["code"] == code, refused.json()
    assert not Mute.objects.exists()


def test_who_is_not_notified(ada: User, ben: User, person: Callable[..., User]) -> None:
    now, cleo, dan = timezone.now(), person("cleo"), person("dan")
    services.mute(person=ben, other_id=ada.pk, until=now + timedelta(hours=1), now=now)
    services.block(person=ada, other_id=cleo.pk, now=now)
    everybody = [ben.pk, cleo.pk, dan.pk]
    assert relations.silent_for(ada.pk, everybody, now) == {ben.pk, cleo.pk}
    assert relations.silent_for(ada.pk, everybody, now + timedelta(hours=2)) == {cleo.pk}
    assert relations.silent_for(ben.pk, [ada.pk], now) == set()


# --- Lists, privacy ---------------------------------------------------------------------------------------------------


def test_lists_are_read_by_cursor(api: Api, ada: User, person: Callable[..., User]) -> None:
    me, others = api.as_user(ada), [person(name) for name in ("zoë", "دانا", "李", "o'neill")]
    for other in others:
        me.post(url(other))
        me.post(url(other, "mute"))
    for name in ("blocks", "mutes"):
        page = me.get(f"/api/social/{name}?limit=3").json()
        rest = me.get(f"/api/social/{name}?limit=3&cursor={page['nextCursor']}").json()
        ids = [card["id"] for card in page["items"] + rest["items"]]
        assert ids == [str(other.pk) for other in reversed(others)]
    assert "mutedUntil" in rest["items"][0]


@pytest.mark.parametrize("name", ["blocks", "mutes"])
def test_a_list_takes_the_same_queries_for_one_and_for_ten(
    api: Api, ada: User, person: Callable[..., User], django_assert_max_num_queries: Any, name: str
) -> None:
    me, counts = api.as_user(ada), []
    for people in (1, 9):
        for _ in range(people):
            me.post(url(person(), name.removesuffix("s")))
        with django_assert_max_num_queries(20) as queries:
            me.get(f"/api/social/{name}")
        counts.append(len(queries.captured_queries))
    assert counts[0] == counts[1]


def test_only_who_blocks_has_it_in_their_export(ada: User, ben: User) -> None:
    now = timezone.now()
    services.block(person=ada, other_id=ben.pk, now=now)
    services.mute(person=ada, other_id=ben.pk, until=None, now=now)
    mine, theirs = dict(rows_of(ada.pk)), dict(rows_of(ben.pk))
    for name, column in (("accounts/blocks.json", "blockedId"), ("accounts/mutes.json", "mutedId")):
        assert mine[name][0][column] == ben.pk
        assert theirs[name] == []
    assert str(ada.pk) not in str(theirs)


def test_an_erasure_removes_both_directions(ada: User, ben: User) -> None:
    now = timezone.now()
    for one, other in ((ada, ben), (ben, ada)):
        services.block(person=one, other_id=other.pk, now=now)
        services.mute(person=one, other_id=other.pk, until=None, now=now)
    User.objects.filter(pk=ben.pk).update(deletion_due_at=now)
    erase_when_due(user_id=ben.pk, now=now)
    assert not Block.objects.exists() and not Mute.objects.exists()


def test_mutes_that_ended_are_deleted(ada: User, ben: User, person: Callable[..., User]) -> None:
    now = timezone.now()
    services.mute(person=ada, other_id=ben.pk, until=now + timedelta(hours=1), now=now)
    services.mute(person=ada, other_id=person("cleo").pk, until=None, now=now)
    run_retention(now=now + timedelta(hours=2))
    assert [mute.until for mute in Mute.objects.all()] == [None]


@pytest.mark.parametrize(("role", "is_shown"), [("moderator", True), ("admin", True), ("reviewer", False)])
def test_moderators_see_relations_on_a_persons_page(
    ada: User, ben: User, person: Callable[..., User], role: str, is_shown: bool
) -> None:
    now = timezone.now()
    cleo = person("<b>cleo")
    services.block(person=ada, other_id=ben.pk, now=now)
    services.block(person=cleo, other_id=ada.pk, now=now)
    services.mute(person=ada, other_id=cleo.pk, until=now + timedelta(hours=1), now=now)
    browser = Client()
    browser.post("/admin/login/", {"username": person("mo", role=role).email, "password": PASSWORD, "code": ""})
    page = browser.get(f"/admin/accounts/user/{ada.pk}/change/").content.decode()
    for shown in ("Blocks (1)", "Blocked by (1)", "Mutes (1)", "Muted by (0)", f"/{ben.pk}/change/"):
        assert (shown in page) is is_shown
    assert "<b>cleo" not in page.lower()


# --- The statement's form ---------------------------------------------------------------------------------------------


def test_the_function_becomes_part_of_the_statement() -> None:
    """Nothing is called for each row: the two indexes are read, and for one person nothing but them."""
    query = """
    EXPLAIN SELECT id FROM accounts_user u WHERE {} NOT EXISTS (
        SELECT 1 FROM accounts_hidden_from(%s) hidden WHERE hidden.person_id = u.id)
    """
    plans = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        for condition, values in (("", [uuid7()]), ("u.id = %s AND", [uuid7(), uuid7()])):
            cursor.execute(query.format(condition), values)
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert all("Function Scan" not in plan and "Seq Scan" not in plan for plan in plans), plans
    # Which of its indexes it takes for an empty table is the planner's choice.
    assert plans[1].count("using block_") + plans[1].count("using person_blocks") == 2, plans[1]
