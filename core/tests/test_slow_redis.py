"""A Redis that answers after two seconds is away: a request asks it once and goes on without it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from redis import RedisError

from core import redis as core_redis
from core.api import limits
from core.jobs import messenger as messengers, tasks
from core.testing import Api
from core.tests.test_idempotency import BODY, PATH


class SlowRedis:
    """Takes connections and commands, and never gets round to an answer."""

    def __init__(self) -> None:
        self.asked = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._read, args=[connection], daemon=True).start()

    def _read(self, connection: Any) -> None:
        with closing(connection):
            try:
                while connection.recv(65536):
                    self.asked += 1
            except OSError:
                pass

    def close(self) -> None:
        self.server.close()
        for connection in self.connections:
            connection.close()


@pytest.fixture
def slow(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowRedis]:
    server = SlowRedis()
    settings.REDIS_URL = f"redis://127.0.0.1:{server.port}/0"
    settings.REDIS_WAIT = 0.1
    monkeypatch.setattr(core_redis, "RETRY_AFTER", 3600.0)
    core_redis.client.cache_clear()
    yield server
    core_redis.client().connection_pool.disconnect()
    core_redis.client.cache_clear()
    core_redis._unavailable_until = 0.0
    server.close()


def test_a_request_asks_it_once_and_is_answered(db: None, slow: SlowRedis) -> None:
    answer = Api().post(PATH, BODY)
    assert answer.status_code == 201
    assert slow.asked == 1
    assert "RateLimit-Limit" in answer  # counted by this process alone
    assert Api().post("/api/auth/login", {"email": BODY["email"], "password": BODY["password"]}).status_code == 200
    assert slow.asked == 1


def test_limits_hold_without_it(db: None, slow: SlowRedis) -> None:
    limit = limits.Limit("test:slow", 3, timedelta(days=1))
    for _ in range(3):
        limits.hit(limit, "somebody")
    with pytest.raises(limits.RateLimited):
        limits.hit(limit, "somebody")
    assert slow.asked == 1


def test_it_is_asked_again_after_a_while(slow: SlowRedis) -> None:
    with pytest.raises(RedisError):
        core_redis.client().ping()
    with pytest.raises(core_redis.RedisUnavailable):
        core_redis.client().ping()
    core_redis._unavailable_until = 0.0
    with pytest.raises(RedisError):
        core_redis.client().ping()
    assert slow.asked == 2


def test_a_connection_that_redis_closed_while_idle_is_replaced() -> None:
    client = core_redis.client()
    client.ping()
    for connection in client.connection_pool._available_connections:
        connection._sock.shutdown(socket.SHUT_RDWR)
    assert client.ping()
    assert not core_redis.is_unavailable()


def test_a_request_does_not_wait_for_the_broker(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker hangs in the middle of taking a message; the request that caused it is answered meanwhile."""
    hangs, go_on = threading.Event(), threading.Event()

    def hang(**_: Any) -> None:
        hangs.set()
        go_on.wait(60)

    messenger = messengers.Messenger()
    monkeypatch.setattr(messengers, "_messenger", messenger)
    monkeypatch.setattr(tasks.deliver_events, "apply_async", hang)
    try:
        assert Api().post(PATH, BODY).status_code == 201
        assert hangs.wait(60)
        assert not messenger.flush(0)
    finally:
        go_on.set()
    assert messenger.flush(60)


def test_a_broker_that_failed_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fail(kwargs: Any, retry: Any) -> None:
        tried.append(kwargs["event_ids"])
        raise OSError("no route")

    messenger = messengers.Messenger()
    monkeypatch.setattr(tasks.deliver_events, "apply_async", fail)
    monkeypatch.setattr(messengers, "PAUSE_AFTER_FAILURE", 3600.0)
    for number in range(5):
        messenger.send([str(number)])
    assert messenger.flush(60)
    assert len(tried) == 1


def test_ids_that_come_close_together_share_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[list[str]] = []
    messenger = messengers.Messenger()
    monkeypatch.setattr(messengers, "GATHER_SECONDS", 3600.0)
    monkeypatch.setattr(messengers, "MAX_IN_A_MESSAGE", 3)
    monkeypatch.setattr(tasks.deliver_events, "apply_async", lambda kwargs, retry: sent.append(kwargs["event_ids"]))
    messenger._sent_at = time.monotonic()
    for number in range(4):
        messenger.send([str(number)])
    messenger.send(["a", "b"], apart=True)
    messenger.send(["4", "5"])
    assert messenger.flush(60), "an ending process waits for no more"
    assert sent == [["0", "1", "2"], ["3"], ["a"], ["b"], ["4", "5"]]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    told = []
    messenger = messengers.Messenger()
    messenger._waiting = type(messenger._waiting)(maxlen=3)

    def hang(kwargs: Any, retry: Any) -> None:
        go_on.wait(60)
        told.extend(kwargs["event_ids"])

    monkeypatch.setattr(tasks.deliver_events, "apply_async", hang)
    for number in range(50):
        messenger.send([str(number)])
    go_on.set()
    assert messenger.flush(60)
    assert told[-3:] == ["47", "48", "49"]
    assert len(told) <= 6, "three that waited, and those that were on their way"
