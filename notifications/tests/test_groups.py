"""Notices of what people do: grouped, withdrawn, and kept from who is hidden or muted."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.conf import settings as configured
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.services import relations
from accounts.services.leaving import erase_when_due
from accounts.testing import sign_in
from core.data.ids import uuid7
from core.data.transactions import retrying
from core.events import Kind, Recorded
from core.models import OutboxEvent
from core.testing import WAIT_LIMIT, Api, another_connection_waits, commits, drain_outbox, eventually, together
from core.testing.sockets import Server, dial
from notifications import people
from notifications.effects import Category, Notice, Withdrawal
from notifications.messages import Message
from notifications.models import MailboxMessage, NoticeGroup, NoticeItem, Notification, Recipient
from notifications.services import groups
from notifications.services.notices import mark_read

DAY = timedelta(days=1)
LIKED = Message("test_liked", Category.SOCIAL, ("post_id",), group=("post_id",), window=DAY)
COMMENTED = Message(
    "test_commented", Category.SOCIAL, ("comment_id",), group=("post_id",), window=DAY, item="comment_id"
)
MENTIONED = Message("test_mentioned", Category.SOCIAL, ("post_id",))
FACTS = {"author_id": UUID, "post_id": UUID, "comment_id": UUID | None}
KIND = Kind("post.liked", facts=FACTS)
POST = UUID(int=7)
INBOX = "/api/notifications"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def words_of_the_tests(settings: Settings) -> Iterator[None]:
    engine: dict[str, Any] = configured.TEMPLATES[0]
    settings.TEMPLATES = [{**engine, "DIRS": [*engine["DIRS"], Path(__file__).parent / "templates"]}]
    for message in (LIKED, COMMENTED):
        Notice(message, to="author_id").check(KIND)
    yield
    for message in (LIKED, COMMENTED):
        groups._grouped.pop(message.name)


@pytest.fixture
def author(person: Callable[..., User]) -> User:
    return person("author", last_name="")


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada", last_name="")


@pytest.fixture
def ben(person: Callable[..., User]) -> User:
    return person("ben", last_name="")


def happens(actor: User, author: User, event_id: UUID | None = None, **facts: Any) -> Recorded:
    facts = {"author_id": author.pk, "post_id": POST, **facts}
    return Recorded(event_id or uuid7(), KIND, None, actor.pk, timezone.now(), "", facts)


def deliver(effect: Notice | Withdrawal, event: Recorded) -> None:
    with commits():
        retrying(effect.deliver)(event)


def like(actor: User, author: User, message: Message = LIKED, **facts: Any) -> Recorded:
    event = happens(actor, author, **facts)
    deliver(Notice(message, to="author_id"), event)
    return event


def unlike(actor: User, author: User, message: Message = LIKED, **facts: Any) -> Recorded:
    event = happens(actor, author, **facts)
    deliver(Withdrawal(message, to="author_id"), event)
    return event


def gathered() -> None:
    """Whatever waits to be shown together is shown."""
    for waiting in OutboxEvent.objects.filter(topic="notifications.show_group", delivered_at__isnull=True):
        drain_outbox(now=waiting.due_at)


def entry_of(author: User) -> Notification:
    gathered()
    return Notification.objects.get(user_id=author.pk)


# --- Groups -----------------------------------------------------------------------------------------------------------


def test_several_people_are_one_entry(api: Api, author: User, person: Callable[..., User]) -> None:
    me, fans = api.as_user(author), [person(name, last_name="") for name in ("ada", "ben", "cleo", "dan", "ada")]
    like(fans[0], author)
    (first,) = me.get(INBOX).json()["items"]
    assert first["title"] == "Ada liked your post"
    assert first["data"] == {"postId": str(POST), "count": 1, "actors": [{"id": str(fans[0].pk), "name": "Ada"}]}
    like(fans[1], author)
    gathered()
    (second,) = me.get(INBOX).json()["items"]
    assert second["title"] == "Ben and 1 other liked your post"
    assert (second["groupKey"], second["supersedes"]) == (first["groupKey"], first["id"])
    for fan in fans[2:]:
        like(fan, author)
    gathered()
    page = me.get(INBOX).json()
    (last,) = page["items"]
    assert last["title"] == "Ada and 4 others liked your post"
    assert last["body"] == f"5, post {POST}"
    assert [actor["id"] for actor in last["data"]["actors"]] == [str(fan.pk) for fan in fans[:1:-1]]
    assert (last["data"]["count"], page["unreadCount"], last["supersedes"]) == (5, 1, second["id"])
    like(fans[0], author, post_id=UUID(int=8))
    assert me.get(INBOX).json()["unreadCount"] == 2, "another post is another entry"


def test_an_entry_that_moves_up_moves_no_cursor(api: Api, author: User, ada: User, ben: User) -> None:
    me = api.as_user(author)
    for number in range(4):
        like(ada, author, post_id=UUID(int=number))
    first = me.get(INBOX, {"limit": 2}).json()
    like(ben, author, post_id=UUID(int=3))  # one that was on the first page
    gathered()
    like(ben, author, post_id=UUID(int=0))  # one that was not
    gathered()
    second = me.get(INBOX, {"limit": 2, "cursor": first["nextCursor"]}).json()
    shown = [item["data"]["postId"] for item in first["items"] + second["items"]]
    assert shown == [str(UUID(int=number)) for number in (3, 2, 1)], "none twice; the one that moved is on top"
    top = me.get(INBOX, {"limit": 2}).json()["items"]
    assert [item["data"]["postId"] for item in top] == [str(UUID(int=0)), str(UUID(int=3))]


def test_an_event_counts_once_however_often_it_is_delivered(author: User, ada: User, ben: User) -> None:
    event = like(ada, author)
    like(ben, author)
    for _ in range(2):
        deliver(Notice(LIKED, to="author_id"), event)
    entry = entry_of(author)
    assert entry.data["count"] == 2
    mark_read(user_id=author.pk, notification_id=entry.pk, now=timezone.now())
    deliver(Notice(LIKED, to="author_id"), event)
    assert entry_of(author).pk == entry.pk, "and not again once it was read"


def test_after_reading_a_new_group_begins(author: User, ada: User, ben: User) -> None:
    like(ada, author)
    first = entry_of(author)
    mark_read(user_id=author.pk, notification_id=first.pk, now=timezone.now())
    like(ben, author)
    gathered()
    second = Notification.objects.of(author.pk).exclude(pk=first.pk).get()
    assert (second.title, second.supersedes) == ("Ben liked your post", None)
    assert second.group_key != first.group_key


def test_after_the_window_a_new_group_begins(author: User, ada: User, ben: User) -> None:
    like(ada, author)
    with time_machine.travel(timezone.now() + DAY):
        like(ben, author)
        assert [entry.title for entry in Notification.objects.of(author.pk).order_by("id")] == [
            "Ada liked your post",
            "Ben liked your post",
        ]


def test_who_waits_while_the_entry_is_read_begins_the_next_one(author: User, ada: User, ben: User) -> None:
    like(ada, author)
    like(ben, author)
    first = Notification.objects.get()
    mark_read(user_id=author.pk, notification_id=first.pk, now=timezone.now())
    gathered()
    first.refresh_from_db()
    assert first.data["count"] == 1
    assert Notification.objects.exclude(pk=first.pk).get().title == "Ben liked your post"


def test_a_person_counts_once_for_several_comments(author: User, ada: User, ben: User) -> None:
    mine = [UUID(int=number) for number in range(3)]
    for comment_id in mine:
        like(ada, author, COMMENTED, comment_id=comment_id)
    like(ben, author, COMMENTED, comment_id=UUID(int=9))
    assert entry_of(author).title == "Ben commented, and 1 more"
    unlike(ada, author, COMMENTED, comment_id=mine[0])
    assert entry_of(author).data["count"] == 2, "two of theirs are left"
    unlike(ben, author, COMMENTED, comment_id=UUID(int=9))
    entry = entry_of(author)
    assert (entry.title, entry.data["commentId"]) == ("Ada commented", str(mine[2]))
    like(ben, author, COMMENTED, comment_id=UUID(int=10))
    for comment_id in mine[1:]:
        unlike(ada, author, COMMENTED, comment_id=comment_id)
    assert entry_of(author).title == "Ben commented"


def test_nobody_is_notified_of_their_own_act(author: User) -> None:
    like(author, author)
    like(author, author, MENTIONED)
    gathered()
    assert not Notification.objects.exists()


def test_whoever_wants_no_such_notices_gets_none(author: User, ada: User, ben: User) -> None:
    like(ada, author)
    like(ben, author)
    Recipient.objects.filter(pk=author.pk).update(social_interactions=False)
    gathered()
    assert Notification.objects.get().data["count"] == 1, "also what waited"
    like(ada, author, MENTIONED)
    assert Notification.objects.count() == 1


# --- Withdrawal -------------------------------------------------------------------------------------------------------


def test_what_is_undone_leaves_the_count(author: User, ada: User, ben: User) -> None:
    like(ada, author)
    like(ben, author)
    before = entry_of(author)
    unlike(ben, author)
    after = entry_of(author)
    assert (after.title, after.pk) == ("Ada liked your post", before.pk)
    unlike(ada, author)
    gathered()
    assert not Notification.objects.exists()
    like(ada, author)
    assert entry_of(author).title == "Ada liked your post"


def test_undoing_what_waits_to_be_shown(author: User, ada: User, ben: User) -> None:
    like(ada, author)
    like(ben, author)
    unlike(ben, author)
    assert entry_of(author).data["count"] == 1


def test_events_count_in_their_order_and_not_in_that_of_their_delivery(author: User, ada: User) -> None:
    liked, unliked = happens(ada, author), happens(ada, author)
    deliver(Withdrawal(LIKED, to="author_id"), unliked)
    deliver(Notice(LIKED, to="author_id"), liked)
    gathered()
    assert not Notification.objects.exists()


def test_doing_it_again_within_the_window_is_no_news(author: User, ada: User, ben: User) -> None:
    like(ada, author)
    like(ben, author)
    entry = entry_of(author)
    mark_read(user_id=author.pk, notification_id=entry.pk, now=timezone.now())
    unlike(ada, author)
    assert entry_of(author).data["count"] == 1
    like(ada, author)
    again = entry_of(author)
    assert (again.pk, again.data["count"], again.read_at is None) == (entry.pk, 2, False)


def test_only_what_is_grouped_can_be_withdrawn() -> None:
    with pytest.raises(TypeError, match="not grouped"):
        Withdrawal(MENTIONED, to="author_id").check(KIND)
    with pytest.raises(ValueError, match="only notices of what people do"):
        replace(LIKED, category=Category.INVESTMENTS)


# --- Blocks and mutes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blocker", ["author", "actor"])
def test_a_block_takes_away_what_was_sent(api: Api, author: User, ada: User, ben: User, blocker: str) -> None:
    like(ada, author)
    like(ben, author)
    like(ada, author, post_id=UUID(int=8))
    like(ada, author, MENTIONED)
    like(author, ada, MENTIONED)
    gathered()
    me = api.as_user(author)
    assert me.get(INBOX).json()["unreadCount"] == 3
    one, other = (author, ada) if blocker == "author" else (ada, author)
    with commits():
        relations.block(person=one, other_id=other.pk, now=timezone.now())
    page = me.get(INBOX).json()
    assert page["unreadCount"] == 1
    assert [item["title"] for item in page["items"]] == ["Ben liked your post"]
    assert str(ada.pk) not in str(page)
    assert api.as_user(ada).get(INBOX).json()["items"] == []
    like(ada, author, post_id=UUID(int=9))
    like(ada, author, MENTIONED)
    gathered()
    assert me.get(INBOX).json()["unreadCount"] == 1, "and nothing new comes"
    with commits():
        relations.unblock(person=one, other_id=other.pk, now=timezone.now())
    assert me.get(INBOX).json()["unreadCount"] == 1, "what was taken away stays away"


def test_a_block_reaches_groups_that_were_read(author: User, ada: User, ben: User) -> None:
    like(ben, author)
    like(ada, author)
    entry = entry_of(author)
    mark_read(user_id=author.pk, notification_id=entry.pk, now=timezone.now())
    relations.block(person=author, other_id=ada.pk, now=timezone.now())
    assert entry_of(author).title == "Ben liked your post"


def test_what_is_too_much_for_one_transaction_follows(author: User, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "AT_ONCE", 2)
    for number in range(5):
        like(ada, author, post_id=UUID(int=number))
    with commits():
        relations.block(person=author, other_id=ada.pk, now=timezone.now())
    assert Notification.objects.count() == 3
    drain_outbox()
    assert not Notification.objects.exists()


def test_a_mute_silences_from_then_on(author: User, ada: User, ben: User) -> None:
    now = timezone.now()
    like(ben, author)
    relations.mute(person=author, other_id=ada.pk, until=now + timedelta(hours=1), now=now)
    like(ada, author)
    like(ada, author, MENTIONED)
    assert entry_of(author).title == "Ben liked your post"
    with time_machine.travel(now + timedelta(hours=2)):
        like(ada, author, MENTIONED)
    assert Notification.objects.filter(kind="test_mentioned").count() == 1


def block_while_it_is_judged(author: User, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The author blocks between the delivery's look at blocks and its entry, or waits for it."""
    judge, judged, blocked = people.silent_for, Event(), Event()

    def slowed(*args: Any) -> set[UUID]:
        silent = judge(*args)
        judged.set()
        eventually(lambda: blocked.is_set() or another_connection_waits())
        return silent

    def block() -> None:
        assert judged.wait(WAIT_LIMIT)
        relations.block(person=author, other_id=ada.pk, now=timezone.now())
        blocked.set()

    monkeypatch.setattr(people, "silent_for", slowed)
    assert together(lambda: like(ada, author, MENTIONED) and None, block) == [None, None]


def test_a_block_while_the_notice_is_on_its_way(
    transactional_db: None, author: User, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    block_while_it_is_judged(author, ada, monkeypatch)
    assert not Notification.objects.exists()


def test_without_the_lock_the_notice_outlives_the_block(
    transactional_db: None, author: User, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "lock", lambda rows: rows)
    block_while_it_is_judged(author, ada, monkeypatch)
    assert Notification.objects.count() == 1


# --- Mail -------------------------------------------------------------------------------------------------------------


def mails_to(author: User, at: datetime) -> list[str]:
    drain_outbox(now=at)
    return list(MailboxMessage.objects.filter(to=author.email).order_by("created_at").values_list("subject", flat=True))


def test_a_group_is_mailed_once_with_everybody(author: User, ada: User, ben: User, person: Callable[..., User]) -> None:
    now = timezone.now()
    like(ada, author)
    assert mails_to(author, now) == []
    like(ben, author)
    gathered()
    assert mails_to(author, now + groups.MAIL_WAIT * 2) == ["Ben and 1 other liked your post"]
    like(person("cleo"), author)
    gathered()
    entry = Notification.objects.get()
    mark_read(user_id=author.pk, notification_id=entry.pk, now=now)
    like(person("dan"), author)
    gathered()
    assert len(mails_to(author, now + timedelta(hours=2))) == 1


def test_nothing_is_mailed_that_was_read_or_taken_away(author: User, ada: User, ben: User) -> None:
    now = timezone.now()
    like(ada, author)
    mark_read(user_id=author.pk, notification_id=Notification.objects.get().pk, now=now)
    like(ben, author, post_id=UUID(int=8))
    unlike(ben, author, post_id=UUID(int=8))
    like(ben, author, MENTIONED)
    relations.mute(person=author, other_id=ben.pk, until=None, now=now)
    assert mails_to(author, now + timedelta(hours=1)) == []


# --- Bursts, sockets, erasure -----------------------------------------------------------------------------------------


def test_a_burst_is_counted_exactly_and_shown_twice(
    transactional_db: None, author: User, person: Callable[..., User]
) -> None:
    fans = [person() for _ in range(24)]
    events = [happens(fan, author) for fan in fans]
    again = [*events, *events[:6]]
    raised = together(*(lambda event=event: deliver(Notice(LIKED, to="author_id"), event) for event in again))
    assert [error for error in raised if error] == []
    entry = entry_of(author)
    assert entry.data["count"] == 24
    assert NoticeItem.objects.count() == 24
    assert OutboxEvent.objects.filter(topic="notifications.send_group_mail").count() == 1


def test_a_client_gets_one_frame_for_a_burst(
    transactional_db: None,
    socket_server: Server,
    author: User,
    person: Callable[..., User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "GATHER", timedelta(hours=1))  # however long the burst takes here
    fans = [person() for _ in range(12)]
    with dial(socket_server.url, sign_in(author)) as phone:
        phone.expect("ready")
        like(fans[0], author)
        first = phone.expect("notification")["notification"]
        for fan in fans[1:]:
            like(fan, author)
        gathered()
        second = phone.expect("notification")["notification"]
        assert (second["data"]["count"], second["supersedes"]) == (12, first["id"])
        unlike(fans[0], author)
        assert phone.expect("notification.changed")["notification"]["data"]["count"] == 11
        for fan in fans[1:]:
            unlike(fan, author)
        assert phone.expect("notifications.removed")["ids"] == [second["id"]]


def test_a_block_removes_entries_on_open_sockets(
    transactional_db: None, socket_server: Server, author: User, ada: User
) -> None:
    with dial(socket_server.url, sign_in(author)) as phone:
        phone.expect("ready")
        like(ada, author, MENTIONED)
        entry = phone.expect("notification")["notification"]
        relations.block(person=ada, other_id=author.pk, now=timezone.now())
        assert phone.expect("notifications.removed")["ids"] == [entry["id"]]


def test_an_erased_person_leaves_the_inboxes_of_others(author: User, ada: User, ben: User) -> None:
    like(ben, author)
    like(ada, author)
    like(ada, author, MENTIONED)
    gathered()
    now = timezone.now()
    User.objects.filter(pk=ada.pk).update(deletion_due_at=now)
    erase_when_due(user_id=ada.pk, now=now)
    assert entry_of(author).title == "Ben liked your post"
    assert not NoticeItem.objects.filter(actor_id=ada.pk).exists()
    User.objects.filter(pk=author.pk).update(deletion_due_at=now)
    erase_when_due(user_id=author.pk, now=now)
    assert not NoticeGroup.objects.exists() and not Notification.objects.exists()
