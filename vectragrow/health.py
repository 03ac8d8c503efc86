"""
Health of each part of the platform, checked live and within two seconds, whatever hangs.

Without the database (and its migrations) the platform is unavailable; without the others it is degraded: their work
waits in the database and is done later (docs/outbox.md, docs/realtime.md).
"""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError as NoAnswer
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse
from django.utils.cache import add_never_cache_headers
from environ import Env

from core import clock
from core.api.rendering import to_json
from core.jobs import heartbeat
from core.models import OutboxEvent
from core.redis import client
from investments.selectors import latest_reconciliations
from vectragrow.outputs import AliveOutput, PartOutput, ReadinessOutput

DEADLINE = 2.0
"""Seconds that all parts together have to answer."""
KEPT = 2.0
"""Seconds for which an answer is given again, so that the page cannot be used to keep the servers busy."""


class Down(Exception):
    """Raised by a failed check; its text is public."""


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    title: str
    is_up: bool
    detail: str
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    parts: tuple[Part, ...]

    @property
    def is_ready(self) -> bool:
        return all(part.is_up for part in self.parts if part.is_needed)

    @property
    def missing(self) -> list[str]:
        return [part.name for part in self.parts if not part.is_up]

    @property
    def status(self) -> Literal["ready", "degraded", "unavailable"]:
        """`ready`, `degraded` (something waits) or `unavailable`."""
        if not self.is_ready:
            return "unavailable"
        return "degraded" if self.missing else "ready"

    def output(self) -> ReadinessOutput:
        parts = {
            part.name: PartOutput(status="up" if part.is_up else "down", detail=part.detail, title=part.title)
            for part in self.parts
        }
        return ReadinessOutput(status=self.status, missing=self.missing, parts=parts)


def alive() -> HttpResponse:
    """`/healthz`: the process answers; nothing else is asked."""
    return _never_kept(HttpResponse(to_json(AliveOutput(status="alive")), content_type="application/json"))


def ready() -> HttpResponse:
    """
    `/readyz`: 200 while requests can be served, 503 without the database; `missing` names every part that is not there.
    """
    found = report()
    status = 200 if found.is_ready else 503
    answer = HttpResponse(to_json(found.output()), status=status, content_type="application/json")
    if not found.is_ready:
        answer["Retry-After"] = "5"
    return _never_kept(answer)


def _never_kept(answer: HttpResponse) -> HttpResponse:
    add_never_cache_headers(answer)
    return answer


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        cursor.fetchone()
    return "PostgreSQL answers"


_is_migrated = False


def _migrations() -> str:
    """Code and tables fit; asked until they do, since a process never sees them part again."""
    global _is_migrated
    if not _is_migrated:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if waiting:
            raise Down(f"{len(waiting)} to apply: manage.py migrate")
        _is_migrated = True
    return "All applied"


def _redis() -> str:
    client().ping()
    return "Answers"


def _worker() -> str:
    if not heartbeat.is_alive("worker"):
        raise Down("No heartbeat for 30 seconds")
    return "Works, on schedule"


def _realtime() -> str:
    if not heartbeat.is_alive("realtime"):
        raise Down("No heartbeat for 30 seconds")
    return "Listens at /ws/"


def _mail() -> str:
    if not settings.EMAIL_URL:
        return "Kept in the development mailbox"
    server = Env.email_url_config(settings.EMAIL_URL)
    with socket.create_connection((server["EMAIL_HOST"], server["EMAIL_PORT"] or 587), timeout=1):
        return "The SMTP server answers"


def _outbox() -> str:
    parked = OutboxEvent.objects.filter(parked_at__isnull=False).count()
    if parked:
        raise Down(f"{parked} events are parked after ten tries")
    return "Nothing is stuck"


def _reconciliation() -> str:
    """Whether business rows, books and the payment provider's statement agreed when they were last compared."""
    found = latest_reconciliations()
    if not found:
        return "Not compared yet"
    oldest = min(one.finished_at for one in found)
    hours = int((clock.now() - oldest).total_seconds() // 3600)
    age = f"compared {hours} h ago" if hours else "compared within the hour"
    if findings := sum(one.finding_count for one in found):
        raise Down(f"{findings} findings, {age}")
    return f"Clean, {age}"


CHECKS: tuple[tuple[str, str, Callable[[], str], bool], ...] = (
    ("database", "Database", _database, True),
    ("migrations", "Migrations", _migrations, True),
    ("redis", "Cache and broker", _redis, False),
    ("worker", "Worker", _worker, False),
    ("realtime", "Realtime", _realtime, False),
    ("mail", "Mail", _mail, False),
    ("outbox", "Outbox", _outbox, False),
    ("reconciliation", "Books and provider", _reconciliation, False),
)

_threads = ThreadPoolExecutor(max_workers=len(CHECKS), thread_name_prefix="health")
_running: dict[str, Future[str]] = {}
_lock = threading.Lock()
_last: tuple[float, Report] | None = None


def report() -> Report:
    """The state of every part, at most two seconds old."""
    global _last
    with _lock:
        if _last and time.monotonic() - _last[0] < KEPT:
            return _last[1]
        for name, _, check, _ in CHECKS:
            # A check that still hangs from the last time is waited for, not started a second time.
            if name not in _running:
                _running[name] = _threads.submit(_released, check)
        end = time.monotonic() + DEADLINE
        found = Report(tuple(_part(*row, end=end) for row in CHECKS))
        _last = (time.monotonic(), found)
        return found


def forget() -> None:
    """Ask anew next time."""
    global _last
    _last = None


def _released(check: Callable[[], str]) -> str:
    try:
        return check()
    finally:
        connection.close()


def _part(name: str, title: str, check: Callable[[], str], is_needed: bool, *, end: float) -> Part:
    try:
        detail, is_up = _running[name].result(timeout=max(0.0, end - time.monotonic())), True
    except NoAnswer:
        # The socket's own TimeoutError is the same class: that check is over and may start again.
        if not _running[name].done():
            return Part(name, title, False, "No answer in time", is_needed)
        detail, is_up = "No answer in time", False
    except Down as fault:
        detail, is_up = str(fault), False
    except Exception:  # noqa: BLE001  (whatever a client raises)
        detail, is_up = "Cannot be reached", False
    del _running[name]
    return Part(name, title, is_up, detail, is_needed)
