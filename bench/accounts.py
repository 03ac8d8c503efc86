"""
Signing in and staying signed in: `POST /api/auth/login` and `/refresh`, and whether unknown accounts answer any faster.

Login is measured with a hash that costs next to nothing, so that the figure is what it costs beside the hash; then with
Argon2id, which is what the tries of known and unknown accounts are compared with.
"""

import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from itertools import count
from typing import Any
from uuid import uuid4

from bench.server import cpu_seconds, free_port, keep, serving

CLIENTS = 4
ROUNDS = 5
REQUESTS = 400
"""Of each round; the median round counts, since the machine may be busy with something else during another."""
TRIES = 120
PASSWORD = "correct horse battery"
_addresses = count(1)

Send = Callable[[HTTPConnection], None]


def people(number: int) -> list[str]:
    """Addresses of new accounts, their passwords hashed by the settings at hand."""
    import django

    django.setup()
    from accounts.testing import make_person

    return [make_person(email=f"bench-{uuid4().hex}@example.com").email for _ in range(number)]


def post(connection: HTTPConnection, path: str, body: dict[str, str], status: int) -> Any:
    """Each from an address of its own, as if from a proxy, so that no limit is reached."""
    n = next(_addresses)
    headers = {"Content-Type": "application/json", "X-Forwarded-For": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"}
    connection.request("POST", f"/api/auth/{path}", json.dumps(body), headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != status:
        raise SystemExit(f"{path} answered {response.status}: {answer.decode()}")
    return json.loads(answer)


def logging_in(email: str) -> Send:
    def send(connection: HTTPConnection) -> None:
        post(connection, "login", {"email": email, "password": PASSWORD}, 200)

    return send


def refreshing(email: str, port: int) -> Send:
    login = {"email": email, "password": PASSWORD}
    chain = [post(HTTPConnection("127.0.0.1", port, timeout=30), "login", login, 200)["refreshToken"]]

    def send(connection: HTTPConnection) -> None:
        chain.append(post(connection, "refresh", {"refreshToken": chain[-1]}, 200)["refreshToken"])

    return send


def load(port: int, sends: list[Send]) -> list[float]:
    """Seconds each of REQUESTS took, a client for each of `sends`."""
    taken: list[float] = []

    def client(send: Send) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(REQUESTS // len(sends)):
            started = time.perf_counter()
            send(connection)
            taken.append(time.perf_counter() - started)

    threads = [threading.Thread(target=client, args=[send]) for send in sends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def measure(name: str, port: int, pid: int, sends: list[Send]) -> None:
    load(port, sends)
    spent, taken, elapsed = [], [], 0.0
    for _ in range(ROUNDS):
        before, started = cpu_seconds(pid), time.perf_counter()
        taken += load(port, sends)
        elapsed += time.perf_counter() - started
        spent.append((cpu_seconds(pid) - before) * 1000 / REQUESTS)
    figures = {
        "cpu_ms_per_request": statistics.median(spent),
        "requests_per_second": len(taken) / elapsed,
        "p50_ms": statistics.median(taken) * 1000,
        "p99_ms": statistics.quantiles(taken, n=100)[98] * 1000,
    }
    keep(name, figures)


def compare(name: str, port: int, path: str, status: int, body: dict[str, str], known: list[str]) -> None:
    """One after the other, known and unknown in turn: medians in milliseconds, and what lies between them."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    taken: dict[str, list[float]] = {"known": [], "unknown": []}
    for n in range(TRIES):
        for kind, email in (("known", known[n % len(known)]), ("unknown", f"nobody-{uuid4().hex}@example.com")):
            started = time.perf_counter()
            post(connection, path, {"email": email, **body}, status)
            taken[kind].append((time.perf_counter() - started) * 1000)
    medians = {f"{kind}_p50_ms": statistics.median(values) for kind, values in taken.items()}
    keep(name, {**medians, "difference_ms": medians["known_p50_ms"] - medians["unknown_p50_ms"]})


def serving_accounts(settings: str, port: int) -> Any:
    os.environ |= {"DJANGO_SETTINGS_MODULE": settings, "TRUSTED_PROXIES": "127.0.0.1/32"}
    granian = ["granian", "--interface", "wsgi", "--workers", "1", "--blocking-threads", "2", "--port", str(port)]
    return serving(*granian, "--no-access-log", "vectragrow.wsgi:application", port=port)


def beside_the_hash() -> None:
    port = free_port()
    with serving_accounts("bench.settings", port) as server:
        emails = people(CLIENTS)
        measure("login-beside-the-hash", port, server.pid, [logging_in(email) for email in emails])
        measure("refresh", port, server.pid, [refreshing(email, port) for email in emails])


def with_the_hash() -> None:
    port = free_port()
    with serving_accounts("vectragrow.settings.dev", port) as server:
        emails = people(TRIES)
        measure("login", port, server.pid, [logging_in(email) for email in emails[:CLIENTS]])
        compare("failed-login", port, "login", 401, {"password": "not the password"}, emails)
        compare("forgot-password", port, "forgot-password", 200, {}, emails)


def main() -> None:
    match sys.argv[1:]:
        case ["with-the-hash"]:  # settings are read once per process
            with_the_hash()
        case _:
            beside_the_hash()
            os.execv(sys.executable, [sys.executable, "-m", "bench.accounts", "with-the-hash"])


if __name__ == "__main__":
    sys.exit(main())
