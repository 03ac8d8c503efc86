"""
The hot reads, beside the same reads by Express with hand-written SQL and by Express with Sequelize (bench/peers).

All three answer from the same tables, look the session up for each request, and give the same JSON, which is compared
before anything is measured. Each runs as one process. What counts is processor time per request of the web process
and of its PostgreSQL backends together. The candidates take turns in short rounds, and the median round counts, so that
whatever else the machine does meets all of them.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

from bench.platform import VIEWER, Platform, running, token
from bench.server import RESULTS, ROOT, TICKS, cpu_seconds, free_port, memory_mb, serving

CLIENTS = 4
PEERS = ("pg", "sequelize")
GOALS = {"pg": 1.1, "sequelize": 0.5}
GOAL_BESIDE_ME = 1.6
OURS_ONLY = ("nextCursor", "allowedActions", "moderation", "fees", "fee", "charged", "proceeds")
"""Members of answers that the peers do not have."""
OURS_ALONE = ("campaign updates", "investment page")
"""Reads that the peers do not have: they are measured beside `me` only."""


@dataclass(frozen=True)
class Call:
    """A request to be sent."""

    method: str
    path: str
    bearer: str
    body: str = ""
    """JSON, or nothing."""


@dataclass
class Candidate:
    """A server to be measured. `application` is how its connections call themselves in PostgreSQL."""

    name: str
    application: str
    port: int
    process: Any
    started_at: datetime
    rounds: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    taken: dict[str, list[float]] = field(default_factory=dict)
    elapsed: dict[str, float] = field(default_factory=dict)

    def backends(self) -> list[int]:
        """The PostgreSQL processes that work for it. This process, which has our application's name too, is not one."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND backend_start > %s",
                [self.application, self.started_at],
            )
            return [pid for (pid,) in cursor.fetchall()]


def paths() -> dict[str, str]:
    """What is asked, by name."""
    from campaigns.models import Campaign
    from chat.models import Conversation
    from investments.models import Investment

    campaign = Campaign.objects.filter(status="live").order_by("-created_at")[5]
    conversation = Conversation.objects.get(type="group")
    investment = Investment.objects.filter(investor__email=VIEWER).order_by("-id")[3]
    return {
        "me": "/api/auth/me",
        "campaign list": "/api/campaigns",
        "campaign page": f"/api/campaigns/{campaign.pk}",
        "campaign updates": f"/api/campaigns/{campaign.pk}/updates",
        "message page": f"/api/chat/conversations/{conversation.pk}/messages",
        "conversation list": "/api/chat/conversations",
        "notifications": "/api/notifications",
        "investment list": "/api/investments",
        "investment page": f"/api/investments/{investment.pk}",
    }


@contextmanager
def candidates(platform: Platform, peers: Sequence[str]) -> Iterator[list[Candidate]]:
    """Ours, and peers by the names of their files in bench/peers, each in a process."""
    with ExitStack() as stack:
        token()  # connects
        started_at = datetime.now(UTC)
        port = free_port()
        words = ["granian", "--interface", "wsgi", "--workers", "1", "--blocking-threads", "2", "--port", str(port)]
        ours = stack.enter_context(serving(*words, "--no-access-log", "vectragrow.wsgi:application", port=port))
        found = [Candidate("ours", "vectragrow", port, ours, started_at)]
        for name in peers:
            port = free_port()
            process = stack.enter_context(peer(name, platform, port))
            found.append(Candidate(name, f"peer-{name}", port, process, started_at))
        yield found


@contextmanager
def peer(name: str, platform: Platform, port: int) -> Iterator[Any]:
    from django.core.files.storage import default_storage

    from accounts.tokens import PURPOSE
    from core.crypto.keys import keys_for

    environment = {
        **os.environ,
        "DATABASE_URL": platform.database_url,
        "JWT_KEY": keys_for(PURPOSE)[0].hex(),
        "MEDIA_URL": default_storage.url("x").removesuffix("x"),
        "PUBLIC_URL": os.environ["PUBLIC_URL"],
        "PORT": str(port),
        "PEER": name,
        "NODE_ENV": "production",
    }
    with serving_command(["node", f"bench/peers/{name}.js"], environment, port) as process:
        yield process


@contextmanager
def serving_command(command: list[str], environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            try:
                HTTPConnection("127.0.0.1", port, timeout=5).connect()
                break
            except OSError:
                time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def ask(connection: HTTPConnection, call: Call) -> bytes:
    headers = {"Authorization": f"Bearer {call.bearer}"} | ({"Content-Type": "application/json"} if call.body else {})
    connection.request(call.method, call.path, call.body or None, headers)
    response = connection.getresponse()
    body = response.read()
    if response.status not in (200, 201):
        raise SystemExit(f"{call.method} {call.path} answered {response.status}: {body.decode()[:500]}")
    return body


def load(port: int, call: Callable[[int], Call], requests: int, *, clients: int = CLIENTS) -> list[float]:
    """
    Seconds each request took, over keep-alive connections.

    :param call: gives the request of a number
    """
    taken: list[float] = []
    failures: list[BaseException] = []

    def client(first: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            for number in range(first, requests, clients):
                started = time.perf_counter()
                ask(connection, call(number))
                taken.append(time.perf_counter() - started)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=client, args=(first,)) for first in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(str(failures[0]))
    return taken


def answering(found: list[Candidate], name: str) -> list[Candidate]:
    """Those that have this read."""
    return [candidate for candidate in found if candidate.name == "ours" or name not in OURS_ALONE]


def compare_answers(found: list[Candidate], asked: dict[str, str]) -> None:
    """:raises SystemExit: two candidates answer differently"""
    bearer = token()
    for name, path in asked.items():
        call = Call("GET", path, bearer)
        rivals = answering(found, name)
        answers = {r.name: plain(json.loads(ask(HTTPConnection("127.0.0.1", r.port), call))) for r in rivals}
        ours = answers.pop("ours")
        for peer_name, theirs in answers.items():
            if ours != theirs:
                raise SystemExit(f"{name}: {peer_name} differs\n{json.dumps(ours)[:1500]}\n{json.dumps(theirs)[:1500]}")


def plain(value: Any) -> Any:
    """An answer without what only ours has, and with moments to the millisecond, as JavaScript has them."""
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items() if name not in OURS_ONLY}
    if isinstance(value, list):
        return [plain(member) for member in value]
    if isinstance(value, str) and value.endswith("Z") and value[4:5] == "-":
        return value[:19]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return value


def same_call(path: str) -> Callable[[int], Call]:
    """The viewer asks for the same again and again, with a new token."""
    call = Call("GET", path, token())
    return lambda number: call


def measure_round(candidate: Candidate, name: str, call: Callable[[int], Call], requests: int) -> None:
    before = cpu_seconds(candidate.process.pid), {pid: process_seconds(pid) for pid in candidate.backends()}
    started = time.perf_counter()
    candidate.taken.setdefault(name, []).extend(load(candidate.port, call, requests))
    candidate.elapsed[name] = candidate.elapsed.get(name, 0.0) + time.perf_counter() - started
    web = (cpu_seconds(candidate.process.pid) - before[0]) * 1000 / requests
    spent = [process_seconds(pid) - before[1].get(pid, 0.0) for pid in candidate.backends()]
    database = sum(spent) * 1000 / requests
    candidate.rounds.setdefault(name, []).append((web, database))


def process_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def figures(candidate: Candidate, name: str) -> dict[str, float]:
    taken = candidate.taken[name]
    web, database = (statistics.median(part) for part in zip(*candidate.rounds[name], strict=True))
    return {
        "cpu_ms": round(statistics.median(web + database for web, database in candidate.rounds[name]), 3),
        "web_ms": round(web, 3),
        "postgres_ms": round(database, 3),
        "requests_per_second": round(len(taken) / candidate.elapsed[name], 1),
        "p50_ms": round(statistics.median(taken) * 1000, 2),
        "p99_ms": round(statistics.quantiles(taken, n=100)[98] * 1000, 2),
    }


def report(results: dict[str, Any], known: dict[str, Any]) -> None:
    """Ours beside the peers, beside `me`, and beside the committed run."""
    reads = results["reads"]
    say = sys.stdout.write
    heads = "".join(f"{name:>16}" for name in ("ours", *PEERS))
    ratios_of = "".join(f"{'÷ ' + name:>12}" for name in (*PEERS, "me", "before"))
    say(f"{'processor ms':<20}{heads}{ratios_of}\n")
    for name, by_rival in reads.items():
        ours = by_rival["ours"]["cpu_ms"]
        cells = "".join(f"{r['web_ms']:>9.2f} + {r['postgres_ms']:.2f}" for r in by_rival.values())
        ratios = [ours / by_rival[peer]["cpu_ms"] for peer in PEERS if peer in by_rival]
        ratios.append(ours / reads["me"]["ours"]["cpu_ms"] if "me" in reads else 0.0)
        before = known.get("reads", {}).get(name, {}).get("ours", {}).get("cpu_ms")
        say(f"{name:<20}{cells}" + "".join(f"{ratio:>12.2f}" for ratio in ratios))
        say(f"{ours / before:>12.2f}\n" if before else "\n")
    memory = ", ".join(f"{name} {mb:.0f}" for name, mb in results["memory_mb"].items())
    say(f"memory, MB: {memory}\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=20_000, help="rows in each table")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--requests", type=int, default=400, help="of each round")
    options.add_argument("--only", default="", help="names of reads, with commas between")
    options.add_argument("--ours-only", action="store_true", help="leave the peers out")
    options.add_argument("--keep", default="reads", help="name of the file in bench/results; empty: keep nothing")
    given = options.parse_args()
    global PEERS
    if given.ours_only:
        PEERS = ()
    with running(given.rows) as platform, candidates(platform, PEERS) as found:
        asked = {name: path for name, path in paths().items() if not given.only or name in given.only.split(",")}
        compare_answers(found, asked)
        for name, path in asked.items():
            call, rivals = same_call(path), answering(found, name)
            for candidate in rivals:
                load(candidate.port, call, 200)
            for _ in range(given.rounds):
                call = same_call(path)
                for candidate in rivals:
                    measure_round(candidate, name, call, given.requests)
        results = {
            "rows": given.rows,
            "reads": {name: {one.name: figures(one, name) for one in answering(found, name)} for name in asked},
            "memory_mb": {candidate.name: round(memory_mb(candidate.process.pid), 1) for candidate in found},
        }
    target = RESULTS / f"{given.keep or 'reads'}.json"
    report(results, json.loads(target.read_text()) if target.exists() else {})
    if given.keep:
        target.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
