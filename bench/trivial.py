"""A small authenticated request (`GET /api/auth/me`): what it costs under granian and in the one-process form."""

import os
import statistics
import sys
import threading
import time
from http.client import HTTPConnection

from bench.server import cpu_seconds, free_port, keep, memory_mb, serving

REQUESTS = 6000
CLIENTS = 4


def token() -> str:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")
    import django

    django.setup()
    from accounts.models import User
    from accounts.testing import make_person, sign_in

    known = User.objects.filter(email="bench@example.com").first()
    return sign_in(known or make_person(email="bench@example.com"))


def load(port: int, bearer: str, requests: int) -> list[float]:
    """Seconds each request took, over keep-alive connections of CLIENTS clients."""
    taken: list[float] = []

    def client() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(requests // CLIENTS):
            started = time.perf_counter()
            connection.request("GET", "/api/auth/me", headers={"Authorization": f"Bearer {bearer}"})
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise SystemExit(f"answered {response.status}")
            taken.append(time.perf_counter() - started)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def measure(name: str, *words: str, port: int, bearer: str) -> None:
    with serving(*words, port=port) as server:
        load(port, bearer, 400)
        before, started = cpu_seconds(server.pid), time.perf_counter()
        taken = load(port, bearer, REQUESTS)
        elapsed = time.perf_counter() - started
        figures = {
            "cpu_ms_per_request": (cpu_seconds(server.pid) - before) * 1000 / len(taken),
            "requests_per_second": len(taken) / elapsed,
            "p50_ms": statistics.median(taken) * 1000,
            "p99_ms": statistics.quantiles(taken, n=100)[98] * 1000,
            "memory_mb": memory_mb(server.pid),
        }
    keep(name, figures)


def main() -> None:
    bearer = token()
    port = free_port()
    granian = ["granian", "--interface", "wsgi", "--workers", "1", "--blocking-threads", "2", "--port", str(port)]
    measure("trivial-granian", *granian, "--no-access-log", "vectragrow.wsgi:application", port=port, bearer=bearer)
    port = free_port()
    measure("trivial-one-process", "vectragrow.server", port=port, bearer=bearer)


if __name__ == "__main__":
    sys.exit(main())
