"""What tests of every app use: a client that behaves like an app, and the outbox delivered on demand."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import time_machine
from django.db import connection, connections, transaction
from django.db.models import Model, Q
from django.test import TestCase
from rest_framework.test import APIClient

from core import clock
from core.events.delivery import DELIVER
from core.jobs import outbox
from core.jobs.runner import Job, Tally, run
from core.models import OutboxEvent
from core.privacy import retention
from core.privacy.declarations import every_declaration
from core.testing import documents

if TYPE_CHECKING:
    from accounts.models import User

T = TypeVar("T")
WAIT_LIMIT = 90.0
"""Seconds that tests wait for what has to happen: only a fault takes so long, however busy the machine is."""


class Api:
    """
    `api.as_user(person).post("/api/...", {...})`. Requests run over the whole stack, middleware included,
    and each answer has to be one that the API document describes.

    Inside a test's transaction whatever waits for the commit runs right after the request, as it does outside.
    """

    def __init__(self, token: str = "", address: str = "") -> None:
        extra: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
        if address:
            extra["REMOTE_ADDR"] = address
        # The stubs of `generic` take text only; tests send bytes too.
        self.client: Any = APIClient(raise_request_exception=False, **extra)

    def as_user(self, person: "User") -> "Api":
        from accounts.testing import sign_in

        return Api(sign_in(person))

    def with_token(self, token: str) -> "Api":
        return Api(token)

    def get(self, path: str, query: Any = None, **headers: Any) -> Any:
        return self._send("get", path, query, headers)

    def post(self, path: str, body: Any = None, **headers: Any) -> Any:
        return self._send("post", path, body, headers)

    def put(self, path: str, body: Any = None, **headers: Any) -> Any:
        return self._send("put", path, body, headers)

    def delete(self, path: str, body: Any = None, **headers: Any) -> Any:
        return self._send("delete", path, body, headers)

    def upload(self, path: str, body: dict[str, Any], method: str = "post", **headers: Any) -> Any:
        """The same as multipart/form-data."""
        return self._send(method, path, body, headers, format="multipart")

    def _send(self, method: str, path: str, body: Any, headers: dict[str, Any], **options: Any) -> Any:
        """Header keywords as in `idempotency_key="k"`, sent as `Idempotency-Key`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with commits():
            response = getattr(self.client, method)(path, body, headers=named, **options)
        documents.check(method, path, body if method == "get" else None, response)
        return response


@contextmanager
def commits() -> Iterator[None]:
    """Run `on_commit` callbacks at the end, when the test itself holds a transaction open."""
    if transaction.get_connection().in_atomic_block:
        with TestCase.captureOnCommitCallbacks(execute=True):
            yield
    else:
        yield


def together(*calls: Callable[[], Any]) -> list[Any]:
    """
    Run `calls` at the same time, each on a connection of its own. Returns what each returned or raised, in order.

    The test needs real commits (`transactional_db`).
    """

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Exception as error:  # noqa: BLE001  (handed to the test)
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def eventually(holds: Callable[[], T], within: float = WAIT_LIMIT) -> T:
    """What `holds()` returns, as soon as that is true. :raises AssertionError: it never was"""
    deadline = time.monotonic() + within
    while not (found := holds()):
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
    return found


def another_connection_waits() -> bool:
    """Whether another connection waits for a lock that this one holds; for tests that hold one and meet somebody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def drain_outbox(*, now: datetime | None = None, rounds: int = 20) -> int:
    """
    Deliver every waiting event as the worker would, until none is left. Returns how many were delivered.

    :param now: deliver what is due at this moment, delayed events included
    """
    delivered = 0
    for _ in range(rounds):
        moment = now or clock.now()
        waiting = OutboxEvent.objects.filter(delivered_at__isnull=True, parked_at__isnull=True)
        free = waiting.filter(Q(held_until__isnull=True) | Q(held_until__lte=moment))
        ids = list(free.order_by("id").values_list("pk", flat=True))
        ids = [pk for pk in ids if _is_ready(pk, moment)]
        if not ids:
            break
        with commits():
            delivered += outbox.deliver_all(ids, now=moment, patience=math.inf)
    return delivered


def run_until_quiet(job: Job, *, now: datetime, rounds: int = 20) -> Tally:
    """
    Run a job and deliver what waits in the outbox, again and again, as schedule and worker do, until there is nothing
    to deliver. The clock stands still at `now`.

    :returns: what the last run did
    """
    with time_machine.travel(now, tick=False):
        for _ in range(rounds):
            tally = run(job, now=now)
            if not drain_outbox():
                return tally
    raise AssertionError("the outbox is never empty")


def run_retention(*, now: datetime, only: type[Model] | None = None) -> dict[str, int]:
    """
    Carry out the retention rules, or those of one model, as the job does.

    :returns: how many rows were taken out, by the declaration's name
    """
    wanted = {declaration.name for declaration in every_declaration() if only in (None, declaration.model)}
    counts: dict[str, int] = {}
    for rule in retention.rules(now):
        name = rule.rpartition(" ")[0]
        if name in wanted:
            counts[name] = counts.get(name, 0) + retention.carry_out(rule, now=now)
    return counts


def deliver_events() -> None:
    """Deliver every recorded event as the worker would: inbox entries are there then, and nothing else is done."""
    waiting = OutboxEvent.objects.filter(topic=DELIVER, delivered_at__isnull=True).order_by("id")
    with commits():
        outbox.deliver_all(list(waiting.values_list("pk", flat=True)), now=clock.now(), patience=math.inf)


def _is_ready(event_id: UUID, moment: datetime) -> bool:
    event = OutboxEvent.objects.get(pk=event_id)
    first_message = event.attempts == 0 and event.due_at <= event.created_at + outbox.FIRST_LEASE
    return first_message or event.due_at <= moment
