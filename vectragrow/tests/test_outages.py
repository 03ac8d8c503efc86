"""
The web process and the worker on servers of their own, which are stopped and killed under them.

PostgreSQL is halted (SIGSTOP) while people invest with their keys: it keeps its connections and says nothing.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
import redis
from django.conf import settings

from core.testing import eventually
from core.testing.processes import is_open
from vectragrow.embedded import processes
from vectragrow.embedded.servers import DataDir, Servers

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]

CLIENTS, KEYS, PEOPLE = 12, 17, 4

PREPARE = f"""
import json
from accounts.testing import make_person, sign_in
from campaigns.testing import make_campaign
from investments.testing import make_card
founder = make_person(first_name="Founder", identity=True)
campaign = make_campaign(founder, max_amount="100000", min_investment="10")
backers = [make_person(first_name="Backer", identity=True) for _ in range({PEOPLE})]
print(json.dumps({{
    "campaign": str(campaign.pk),
    "backers": [{{"token": sign_in(who), "card": str(make_card(who).pk)}} for who in backers],
}}))
"""
COUNT = """
import json
from campaigns.models import Campaign
from core.models import IdempotencyKey
from investments.models import Investment, SandboxCharge
print(json.dumps({
    "investments": Investment.objects.count(),
    "charges": SandboxCharge.objects.count(),
    "raised": Campaign.objects.get().raised_minor,
    "statuses": sorted(set(Investment.objects.values_list("status", flat=True))),
}))
"""


class Installation:
    """A PostgreSQL, a Valkey and whatever is started beside them; all ended with the test."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = DataDir(folder)
        self.data_dir.open()
        self.servers = Servers(self.data_dir, durable=False)
        self.started: list[Any] = []
        kept = {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}
        self.environment = {
            **kept,
            **self.servers.addresses,
            "DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "vectragrow.settings.dev",
            "LOG_LEVEL": "ERROR",
        }

    def start(self, *command: Any, **environment: Any) -> Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env={**self.environment, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.started.append(process)
        return process

    def manage(self, *command: Any) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run_script(self, script: str) -> Any:
        return json.loads(self.manage("shell", "-v0", "-c", script).strip().splitlines()[-1])

    def stop(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
        self.servers.stop()
        self.data_dir.close()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "var")
    try:
        made.servers.start()
        yield made
    finally:
        made.stop()


class Halted:
    """Every process of a PostgreSQL, halted and let go."""

    def __init__(self, postmaster: int) -> None:
        self.postmaster = postmaster

    def __enter__(self) -> "Halted":
        os.kill(self.postmaster, signal.SIGSTOP)
        self.pids = [self.postmaster, *children(self.postmaster)]
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)
        return self

    def __exit__(self, *_: Any) -> None:
        for pid in reversed(self.pids):
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass


def children(pid: int) -> list[Any]:
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]


def ask(port: int, method: str, path: str, body: Any = None, token: str = "", key: str = "") -> Any:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        if key:
            headers["Idempotency-Key"] = key
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}"), dict(answer.getheaders())


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="finds the server's processes in /proc")
def test_a_halted_database_makes_every_key_one_investment_and_takes_nobody_along(installation: Installation) -> None:
    installation.manage("migrate", "-v0")
    made = installation.run_script(PREPARE)
    port = processes.choose_port(None)
    web = installation.start("-m", "vectragrow.server", "--grace", "1", PORT=str(port), HOST="127.0.0.1")
    eventually(lambda: web.poll() is not None or is_open(port))
    eventually(lambda: ask(port, "GET", "/healthz")[0] == 200)

    refused, path = [], f"/api/campaigns/{made['campaign']}/invest"
    first_refusals, over = threading.Event(), threading.Event()

    def invest(number: int) -> Any:
        backer = made["backers"][number % PEOPLE]
        body = {"amount": 10, "paymentMethodId": backer["card"]}
        while True:
            status, answer, _ = ask(port, "POST", path, body, backer["token"], f"key-{number}")
            if status == 200 and answer["status"] == "committed":
                return answer["id"]
            refused.append((status, answer.get("code") or answer["status"]))
            if len(refused) >= 2 * CLIENTS:
                first_refusals.set()
            assert status in (200, 503, 409), (status, answer)
            over.wait(1)

    with ThreadPoolExecutor(CLIENTS) as clients:
        investments = [clients.submit(invest, number) for number in range(KEYS // 2)]
        eventually(lambda: any(one.done() for one in investments))
        with Halted(installation.servers.postgres.child.pid):
            investments += [clients.submit(invest, number) for number in range(KEYS // 2, KEYS)]
            assert first_refusals.wait(300), refused
            assert ask(port, "GET", "/healthz")[0] == 200
            status, answer, headers = ask(port, "GET", "/api/auth/me", token=made["backers"][0]["token"])
            assert (status, answer["code"]) == (503, "database_unavailable")
            assert "retry-after" in headers
        ids = {one.result(300) for one in investments}
        over.set()

    assert web.poll() is None, "it recovers without a restart"
    assert len(ids) == KEYS
    assert installation.run_script(COUNT) == {
        "investments": KEYS,
        "charges": KEYS,
        "raised": KEYS * 10_00,
        "statuses": ["committed"],
    }
    assert {code for _, code in refused} <= {
        "database_unavailable",
        "outcome_unknown",
        "pending",
        "idempotency_in_progress",
        "too_many_open_payments",
        "busy",
    }
    installation.manage("ledger_verify")


def test_the_worker_outlives_a_redis_that_is_killed(installation: Installation) -> None:
    """Killed and started again three times; the same process goes on to show signs of life."""
    installation.manage("migrate", "-v0")
    worker = installation.start("-m", "celery", "-A", "vectragrow", "worker", "--pool", "prefork", "-c", "1", "--beat",
                                "-s", str(installation.data_dir.path / "beat"))  # fmt: skip
    valkey = installation.servers.valkey

    def shows_life() -> bool:
        assert worker.poll() is None, "the worker exited"
        with closing(redis.Redis.from_url(valkey.url, socket_timeout=5)) as client:
            try:
                return bool(client.exists("vg:heartbeat:worker"))
            except redis.RedisError:
                return False

    eventually(shows_life)
    for _ in range(3):
        os.kill(valkey.child.pid, signal.SIGKILL)
        valkey.child.process.wait()
        valkey.start()
        with closing(redis.Redis.from_url(valkey.url)) as client:
            client.flushall()
        eventually(shows_life)
