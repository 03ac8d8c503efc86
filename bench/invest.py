"""
Investing: CLIENTS people put money into one campaign, one investment after the other; the provider takes 20 ms.

The platform runs as in production: granian, the worker and its schedule, PostgreSQL with every commit on disk. At the
end nothing may be lost and the books must be clean. A second, short run goes through a proxy that counts how often the
web process waits for PostgreSQL: each query with its answer is one exchange, BEGIN and COMMIT included.

    .venv/bin/python -m bench.invest [none|us_reg_cf]      # the campaign's rule set
"""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from bench.server import ROOT, cpu_seconds, free_port, keep, serving

CLIENTS = 8
WARM_UP, SECONDS = 5, 30
PROVIDER_DELAY_MS = 20
COUNTED = 40
"""Investments of the run that counts exchanges."""


@dataclass
class Scene:
    """One campaign without a cap, and who invests in it: access token and payment method of each."""

    campaign_id: str
    investors: list[tuple[str, str]]


@dataclass
class Answers:
    committed: int = 0
    taken: list[float] = field(default_factory=list)
    """Seconds each investment took."""
    failures: list[BaseException] = field(default_factory=list)


@contextmanager
def data_servers() -> Iterator[int | None]:
    """PostgreSQL and Valkey of this run's own, durable, unless the environment names them. Yields PostgreSQL's pid."""
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        yield None
        return
    from vectragrow.embedded.servers import DataDir, Servers

    data_dir = DataDir(ROOT / "var" / "bench")
    data_dir.open()
    servers = Servers(data_dir)
    try:
        servers.start()
        secrets = {
            "SECRET_KEY": data_dir.facts["SECRET_KEY"],
            "DOCUMENT_KEYS": ",".join(data_dir.facts["DOCUMENT_KEYS"]),
        }
        os.environ.update(servers.addresses | secrets)
        assert servers.postgres is not None and servers.postgres.child is not None
        yield servers.postgres.child.process.pid
    finally:
        servers.stop()
        data_dir.close()


def scene(rules: str = "none") -> Scene:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from accounts.testing import make_person, sign_in
    from campaigns.testing import make_campaign
    from investments.testing import declare_profile, make_card

    def person(name: str) -> Any:
        return make_person(first_name=name, email=f"{name.lower()}-{uuid4().hex}@example.com", identity=True)

    words = "We buy the panels together, and share what the roof of the school earns with them. " * 60
    campaign = make_campaign(person("Founder"), max_amount=None, description=words, rules=rules)
    investors = [person(f"Backer{n}") for n in range(CLIENTS)]
    if rules != "none":
        for investor in investors:
            declare_profile(investor, net_worth="50000000")
    return Scene(str(campaign.pk), [(sign_in(one), str(make_card(one).pk)) for one in investors])


@contextmanager
def web(port: int, *, workers: int, threads: int, database_url: str = "") -> Iterator[int]:
    """granian as the image runs it. Yields its pid."""
    before = os.environ["DATABASE_URL"]
    os.environ["DATABASE_URL"] = database_url or before
    words = ["granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--port", str(port), "--no-access-log"]
    words += ["--workers", str(workers), "--blocking-threads", str(threads), "--backpressure", "64"]
    try:
        with serving(*words, "vectragrow.wsgi:application", port=port) as process:
            os.environ["DATABASE_URL"] = before
            yield process.pid
    finally:
        os.environ["DATABASE_URL"] = before


@contextmanager
def background() -> Iterator[int]:
    """The worker, and the schedule that wakes it. Yields the worker's pid."""
    celery = [sys.executable, "-m", "celery", "--app", "vectragrow"]
    environment = {**os.environ, "LOG_LEVEL": "ERROR"}
    worker = [*celery, "worker", "--pool", "threads", "--concurrency", "8", "--loglevel", "ERROR"]
    beat = [*celery, "beat", "--loglevel", "ERROR", "--pidfile", ""]
    processes = [subprocess.Popen(words, cwd=ROOT, env=environment) for words in (worker, beat)]
    time.sleep(8)  # until both have loaded the platform, which is not what we measure
    try:
        yield processes[0].pid
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def invest(connection: HTTPConnection, campaign_id: str, token: str, method_id: str) -> None:
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": uuid4().hex,
    }
    body = json.dumps({"amount": "10.00", "paymentMethodId": method_id})
    connection.request("POST", f"/api/campaigns/{campaign_id}/invest", body, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200 or json.loads(answer)["status"] != "committed":
        raise SystemExit(f"answered {response.status}: {answer.decode()}")


def load(port: int, scene: Scene, seconds: float) -> Answers:
    """Every investor invests again and again for so long."""
    answers, lock = Answers(), threading.Lock()
    deadline = time.perf_counter() + seconds

    def client(token: str, method_id: str) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            while time.perf_counter() < deadline:
                started = time.perf_counter()
                invest(connection, scene.campaign_id, token, method_id)
                with lock:
                    answers.committed += 1
                    answers.taken.append(time.perf_counter() - started)
        except BaseException as failure:
            answers.failures.append(failure)

    threads = [threading.Thread(target=client, args=one) for one in scene.investors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if answers.failures:
        raise SystemExit(f"an investment failed: {answers.failures[0]!r}")
    return answers


class CountingProxy:
    """Between the web process and PostgreSQL: counts queries that were answered."""

    def __init__(self, database_url: str) -> None:
        self.target = urlsplit(database_url)
        self.exchanges = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        self.url = self.target._replace(netloc=f"{self.target.netloc.rpartition(':')[0]}:{port}").geturl()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection((self.target.hostname or "", self.target.port or 5432))
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asked = threading.Event()
            threading.Thread(target=self._pass_on, args=(client, server, asked, True), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, asked, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, asked: threading.Event, is_client: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                if is_client:
                    asked.set()
                elif asked.is_set():
                    asked.clear()
                    self.exchanges += 1
                target.sendall(chunk)
        for one in (source, target):
            one.close()


def exchanges_per_investment(scene: Scene) -> float:
    """One client, one thread: what a single investment asks of PostgreSQL."""
    proxy = CountingProxy(os.environ["DATABASE_URL"])
    port = free_port()
    token, method_id = scene.investors[0]
    with web(port, workers=1, threads=1, database_url=proxy.url):
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(5):
            invest(connection, scene.campaign_id, token, method_id)
        before = proxy.exchanges
        for _ in range(COUNTED):
            invest(connection, scene.campaign_id, token, method_id)
        return (proxy.exchanges - before) / COUNTED


def check(scene: Scene, committed: int) -> None:
    """Each investment that was answered is there once, in our rows, in the provider's and in the books."""
    from django.core.management import call_command

    from campaigns.models import Campaign
    from investments.models import Investment, SandboxCharge

    call_command("ledger_verify")
    kept = Investment.objects.filter(campaign_id=scene.campaign_id)
    keys = list(kept.values_list("payment__key", flat=True))
    charged = SandboxCharge.objects.filter(key__in=keys, state="captured").count()
    campaign = Campaign.objects.get(pk=scene.campaign_id)
    found = [kept.filter(status="committed").count(), charged, campaign.raised_minor // 10_00, kept.count()]
    if found != [committed] * 4 or campaign.reserved_minor:
        raise SystemExit(f"{committed} investments were answered, and there are {found}")


def measure(scene: Scene, postgres_pid: int | None, name: str) -> int:
    """The run itself. Returns how many investments were committed."""
    port = free_port()
    with background() as worker_pid, web(port, workers=2, threads=4) as web_pid:
        pids = {"web": web_pid, "worker": worker_pid} | ({"postgres": postgres_pid} if postgres_pid else {})
        warm = load(port, scene, WARM_UP)
        before, started = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.perf_counter()
        answers = load(port, scene, SECONDS)
        elapsed = time.perf_counter() - started
        spent = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    from django.utils import timezone

    from core.models import OutboxEvent

    late = OutboxEvent.objects.filter(delivered_at=None, due_at__lte=timezone.now())
    figures = {
        "investments_per_second": answers.committed / elapsed,
        "p50_ms": statistics.median(answers.taken) * 1000,
        "p99_ms": statistics.quantiles(answers.taken, n=100)[98] * 1000,
        **{f"{name}_ms_per_investment": seconds * 1000 / answers.committed for name, seconds in spent.items()},
        "outbox_backlog": late.count(),
        "exchanges_per_investment": exchanges_per_investment(scene),
    }
    keep(name, {figure: round(value, 2) for figure, value in figures.items()})
    return warm.committed + answers.committed + COUNTED + 5


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")
    rules = sys.argv[1] if len(sys.argv) > 1 else "none"
    os.environ |= {"SANDBOX_DELAY_MS": str(PROVIDER_DELAY_MS), "REDIS_PREFIX": f"bench-{uuid4().hex[:8]}"}
    with data_servers() as postgres_pid:
        made = scene(rules)
        check(made, measure(made, postgres_pid, "invest" if rules == "none" else f"invest-{rules}"))


if __name__ == "__main__":
    sys.exit(main())
