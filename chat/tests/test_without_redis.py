"""Redis stopped, emptied, started again: messages come later, never not, and an ended session ends its socket."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from accounts.models import Session, User
from accounts.testing import sign_in
from chat.models import Conversation
from chat.tests.factories import say
from core import redis
from core.realtime.publishing import channel
from core.testing import eventually
from core.testing.sockets import Server, dial
from vectragrow.embedded.valkey import Valkey

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def services(tmp_path_factory: Any, django_db_setup: Any, django_db_blocker: DjangoDbBlocker) -> Iterator[Any]:
    """A Valkey and a socket server of this module's own."""
    valkey = Valkey(tmp_path_factory.mktemp("redis"), {}, durable=False)
    valkey.start()
    try:
        with django_db_blocker.unblock():
            server = Server(REDIS_URL=valkey.url)
        try:
            yield valkey, server
        finally:
            server.end()
    finally:
        kill(valkey)


@pytest.fixture
def valkey(services: Any, settings: Settings) -> Iterator[Any]:
    """Running, and known to the server and to this process."""
    valkey, _ = services
    settings.REDIS_URL = valkey.url
    redis.client.cache_clear()
    if not valkey.child.is_running():
        valkey.start()
        eventually(hub_listens)
    yield valkey
    redis.client.cache_clear()


@pytest.fixture
def server(services: Any, valkey: Any) -> Any:
    return services[1]


def hub_listens() -> bool:
    """Whether the socket server has found Redis again. One that has had no socket yet does not look for it."""
    return bool(redis.client().pubsub_numsub(channel())[0][1])


def kill(valkey: Any) -> None:
    """As a crash does it: what it held is gone."""
    valkey.child.process.kill()
    valkey.child.process.wait()


def test_messages_arrive_without_redis_and_after_it(
    valkey: Any, server: Any, founder: User, backer: User, talk: Conversation
) -> None:
    with dial(server.url, sign_in(founder)) as phone, dial(server.url, sign_in(backer)) as other:
        phone.expect("ready")
        other.expect("ready")
        expected = 0

        def talk_on() -> None:
            nonlocal expected
            for _ in range(3):
                expected += 1
                say(backer, talk, str(expected))
                assert phone.expect("chat.message")["message"]["seq"] == expected

        talk_on()
        kill(valkey)
        talk_on()
        ack = other.ask("chat.send", conversationId=str(talk.pk), content="by socket")
        expected += 1
        assert ack["message"]["seq"] == expected
        assert phone.expect("chat.message")["message"]["seq"] == expected
        valkey.start()
        eventually(hub_listens)
        talk_on()
        assert phone.silent("chat.message")


def test_pushes_lost_in_between_are_read_from_the_database(
    valkey: Any, server: Any, founder: User, backer: User, talk: Conversation
) -> None:
    """A push that never comes shows as a gap at the next one; the hub fills it and keeps the order."""
    with dial(server.url, sign_in(founder)) as phone:
        phone.expect("ready")
        say(backer, talk)
        phone.expect("chat.message")
        kept, settings.REDIS_PREFIX = settings.REDIS_PREFIX, "elsewhere"
        say(backer, talk)
        say(backer, talk)
        settings.REDIS_PREFIX = kept
        assert phone.silent("chat.message")
        say(backer, talk)
        assert [frame["message"]["seq"] for frame in phone.all("chat.message", 3)] == [2, 3, 4]


def test_revocation_works_without_redis(valkey: Any, server: Any, founder: User) -> None:
    token = sign_in(founder)
    with dial(server.url, token) as phone:
        phone.expect("ready")
        kill(valkey)
        Session.objects.filter(user=founder).update(revoked_at=Session.objects.get(user=founder).created_at)
        assert phone.close_code() == 4001
    with dial(server.url, token) as again:
        assert again.expect("error")["code"] == "token_invalid"


def test_sockets_open_without_redis(valkey: Any, server: Any, founder: User, backer: User, talk: Conversation) -> None:
    kill(valkey)
    with dial(server.url, sign_in(founder)) as phone:
        phone.expect("ready")
        say(backer, talk)
        assert phone.expect("chat.message")["message"]["seq"] == 1
