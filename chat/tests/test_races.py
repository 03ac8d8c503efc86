"""
Writers on connections of their own. The twin takes the lock away and holds both where they have read the same number:
the bug that the lock prevents must show.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from accounts.models import User
from chat.models import Conversation, Message
from chat.outputs import MessageOutput
from chat.services import conversations, messages
from chat.tests.factories import say
from core.testing import together

pytestmark = pytest.mark.django_db(transaction=True)


MEETING = """
CREATE SEQUENCE rivals;  -- grows at once for everybody, whatever their transactions do
CREATE FUNCTION wait_for_a_rival() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('rivals');
    WHILE (SELECT last_value FROM rivals) < 2 LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$
"""
UNLOCKED = """
WITH turn AS (
    SELECT last_seq + 1 AS seq, type FROM chat_conversation, wait_for_a_rival() WHERE id = %(conversation)s
),"""


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The next number is only read, and before both have read it, neither writes."""
    _, _, rest = messages.WRITE.partition("\n),")
    monkeypatch.setattr(messages, "WRITE", UNLOCKED + rest)
    with connection.cursor() as cursor:
        cursor.execute(MEETING)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION wait_for_a_rival; DROP SEQUENCE rivals")


def both_write(founder: User, backer: User, talk: Conversation, **more: Any) -> list[Any]:
    return together(*(partial(say, writer, talk, **more) for writer in (founder, backer)))


def test_two_writers_get_two_places(founder: User, backer: User, talk: Conversation) -> None:
    for _ in range(5):
        said = both_write(founder, backer, talk)
        assert all(isinstance(message, MessageOutput) for message in said), said
    assert list(Message.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 11))
    talk.refresh_from_db()
    assert talk.last_seq == 10


def test_two_writers_get_two_places_twin(founder: User, backer: User, talk: Conversation, unlocked: None) -> None:
    """Without the lock both take number 1, and only the database's own rule stops the second: a message is lost."""
    said = both_write(founder, backer, talk)
    assert sorted(type(one).__name__ for one in said) == ["IntegrityError", "MessageOutput"]
    assert "message_has_its_own_place" in str([one for one in said if isinstance(one, IntegrityError)])
    assert Message.objects.count() == 1


def test_one_client_id_sent_twice_at_once_is_one_message(founder: User, talk: Conversation) -> None:
    mark = uuid4()
    first, second = together(*[partial(say, founder, talk, client_id=mark)] * 2)
    assert first == second
    assert Message.objects.count() == 1


def test_both_begin_the_same_direct_conversation_at_once(founder: User, backer: User) -> None:
    def begin(starter: User, other: User) -> Any:
        member, is_new = conversations.open_direct(starter=starter, participants=[other.pk], now=timezone.now())
        return member.conversation_id, is_new

    outcomes = together(partial(begin, founder, backer), partial(begin, backer, founder))
    assert Conversation.objects.count() == 1
    assert {conversation for conversation, _ in outcomes} == {Conversation.objects.get().pk}
    assert sorted(is_new for _, is_new in outcomes) == [False, True]
