"""
Idempotency-Key on every POST: one key, one effect, one answer (API.md; SECURITY-GOALS 8 and 9; docs/idempotency.md).

A handler with a key runs in one transaction together with the row that keeps its answer, so effect and answer commit
as one. A handler that has to commit in the middle (a provider call between two commits) is marked `@multi_phase`: it
gets `request.ticket` and calls `ticket.bind(id)` in its first commit. From then on the key stays bound to that id,
whatever happens next: a repeat finds it in `ticket.result_id` and goes on from there instead of beginning again. While
the outcome is not known the handler answers `pending` and calls `ticket.leave_open()`, so that nothing is stored and
the next repeat looks again. A handler that has something slow to do first, such as taking files to the store, names it
with `@prepared`: that runs before the transaction begins.

A refusal before the first committed effect frees the key. A refusal that is an outcome (`Refusal.is_outcome`: a
decline, a taken address whose owner was notified) is stored and replayed like any other answer.

The stored answer is sealed with a key made from the client's own Idempotency-Key and body, which are kept as hashes
only: nobody who reads the table can open it, tokens and all.
"""

import hashlib
import hmac
import json
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.response import Response

from core import clock, context
from core.api import problems
from core.api.errors import IdempotencyInProgress, IdempotencyKeyReused, InvalidIdempotencyKey, Refusal
from core.api.parsing import NumberLiteral
from core.api.rendering import to_json
from core.api.requests import Request
from core.crypto import aes
from core.crypto.keys import keys_bound_to
from core.data import sql
from core.data.transactions import retrying
from core.models import IdempotencyKey

logger = logging.getLogger("vectragrow.idempotency")

LIFETIME = timedelta(hours=24)
LEASE = timedelta(seconds=60)
"""How long a running request holds its key. A slower one is rolled back if a repeat has taken over meanwhile."""

_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
Handler = Callable[..., Response]
H = TypeVar("H", bound=Callable[..., Any])


class NoTicket:
    """What a multi-phase handler gets when the client sent no key."""

    result_id: UUID | None = None

    def bind(self, result_id: UUID) -> None:
        pass

    def leave_open(self) -> None:
        pass


class KeyTicket:
    def __init__(self, row: IdempotencyKey) -> None:
        self.row = row
        self.result_id = row.result_id
        self.is_open = False

    def bind(self, result_id: UUID) -> None:
        """
        Remember, in the caller's transaction, what this request made. Binding again names what has come of it.

        :raises IdempotencyInProgress: a twin has taken over meanwhile, and goes on instead
        """
        self.result_id = result_id
        sql.change(_BIND, [result_id, self.row.pk, self.row.locked_until], check=_refuse_if_lost)

    def leave_open(self) -> None:
        """The answer is not final: do not store it, and let the next repeat go on at once."""
        self.is_open = True


@dataclass(frozen=True, slots=True)
class Reply:
    """The stored part of an answer: its status, its own headers, its bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, answer: Response) -> "Reply":
        return cls(answer.status_code, _own_headers(answer.headers), to_json(answer.data))

    @classmethod
    def refusing(cls, refusal: Refusal) -> "Reply":
        headers = {**_own_headers(refusal.headers), "Content-Type": problems.CONTENT_TYPE}
        return cls(refusal.status, headers, to_json(problems.problem(refusal)))

    def response(self) -> HttpResponse:
        headers = {"Content-Type": "application/json", **self.headers, "Idempotent-Replayed": "true"}
        return HttpResponse(self.body, status=self.status, headers=headers)


def _own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without those of one request or moment, such as `Date`: a replay gets its own."""
    passing = ("content-type", "ratelimit-", "retry-after", "x-request-id")
    return {name: value for name, value in headers.items() if not name.lower().startswith(passing)}


def multi_phase(handler: H) -> H:
    """Mark a POST handler whose service commits more than once; it reads `request.ticket`."""
    handler.multi_phase = True  # type: ignore[attr-defined]
    return handler


def prepared(prepare: Callable[..., Any]) -> Callable[[H], H]:
    """
    Mark a POST handler that needs something done before its transaction begins (SECURITY-GOALS 10): `prepare` is called
    as the handler would be, and what it returns comes to the handler as `prepared`.
    """

    def mark(handler: H) -> H:
        handler.prepare = prepare  # type: ignore[attr-defined]
        return handler

    return mark


def _with_preparation(handler: Any, request: Request, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    prepare = getattr(handler, "prepare", None)
    return {**kwargs, "prepared": prepare(handler.__self__, request, *args, **kwargs)} if prepare else kwargs


def run(request: Request, handler: Handler, *args: Any, **kwargs: Any) -> Response | HttpResponse:
    """
    Answer a POST once for its key, or simply answer it when it has none.

    :raises InvalidIdempotencyKey: not 1 to 255 visible ASCII characters
    :raises IdempotencyKeyReused: the key stands for another body
    :raises IdempotencyInProgress: a twin is still running
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        request.ticket = NoTicket()
        return handler(request, *args, **_with_preparation(handler, request, args, kwargs))
    if not _VISIBLE.fullmatch(key):
        raise InvalidIdempotencyKey()
    digest = _body_digest(request)
    row, reply = _claim(request, key, digest, clock.now())
    if reply is not None:
        return reply.response()
    ticket = request.ticket = KeyTicket(row)
    goes_on = ticket.result_id is not None
    seal = _seals(key, digest)[0]
    try:
        kwargs = _with_preparation(handler, request, args, kwargs)
        if getattr(handler, "multi_phase", False):
            response = _in_several_commits(ticket, seal, lambda: handler(request, *args, **kwargs))
        else:
            response = _in_one_commit(row, seal, lambda: handler(request, *args, **kwargs))
    except BaseException:
        _release(row)
        raise
    if goes_on:
        response.headers["Idempotent-Replayed"] = "true"
    return response


@retrying
def _in_one_commit(row: IdempotencyKey, seal: bytes, call: Callable[[], Response]) -> Response:
    try:
        response = call()
    except Refusal as refusal:
        if refusal.is_outcome:
            _store(row, Reply.refusing(refusal), seal)  # in the commit of what it keeps
        raise
    _store(row, Reply.of(response), seal)
    return response


def _in_several_commits(ticket: KeyTicket, seal: bytes, call: Callable[[], Response]) -> Response:
    """The last commit is made: if storing its answer fails, a repeat computes it again."""
    try:
        response = call()
    except Refusal as refusal:
        if refusal.is_outcome and (refusal.keeps_effects or ticket.result_id is not None):
            _try_to_store(ticket.row, Reply.refusing(refusal), seal)
        raise
    if ticket.is_open:
        _release(ticket.row)
    else:
        _try_to_store(ticket.row, Reply.of(response), seal)
    return response


def _try_to_store(row: IdempotencyKey, reply: Reply, seal: bytes) -> None:
    try:
        _store(row, reply, seal)
    except IdempotencyInProgress:
        raise
    except Exception:
        logger.warning("could not store an answer; a repeat of its key goes on", exc_info=True)
        _release(row)


_CLAIM = """
    INSERT INTO core_idempotencykey AS known (id, created_at, scope, fingerprint, locked_until)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (scope) DO UPDATE SET
        id = excluded.id, created_at = excluded.created_at, fingerprint = excluded.fingerprint,
        locked_until = excluded.locked_until, status = NULL, reply = NULL, result_id = NULL
    WHERE known.created_at < %s
    RETURNING id
"""
"""A new key, or one whose lifetime is over and which the job has not deleted yet."""
_HELD = "WHERE id = %s AND reply IS NULL AND locked_until = %s"
"""As `_held`."""
_BIND = f"UPDATE core_idempotencykey SET result_id = %s {_HELD}"
_STORE = f"UPDATE core_idempotencykey SET status = %s, reply = %s {_HELD}"


def _refuse_if_lost(changed: int) -> None:
    """:raises IdempotencyInProgress: a twin has taken over; what was done in this transaction is undone with it"""
    if not changed:
        raise IdempotencyInProgress(retry_after=timedelta(seconds=1))


def _claim(request: Request, key: str, digest: bytes, now: datetime) -> tuple[IdempotencyKey, Reply | None]:
    person = str(request.user.pk or f"anyone at {context.client_address.get()}")
    scope = hashlib.sha256("\n".join([person, request.method or "", request.path, key]).encode()).digest()
    fingerprint = hmac.digest(key.encode(), digest, "sha256")
    row = IdempotencyKey(scope=scope, fingerprint=fingerprint, created_at=now, locked_until=now + LEASE)
    try:
        is_ours = sql.execute((_CLAIM, [row.pk, now, scope, fingerprint, row.locked_until, now - LIFETIME]))
    except DatabaseError:
        _release(row)  # it may exist without a running request
        raise
    if is_ours:
        _release_abandoned(now)
        return row, None
    known = IdempotencyKey.objects.filter(scope=scope).first()
    if known is None:  # its holder was refused and released it between our two statements
        raise IdempotencyInProgress(retry_after=timedelta(seconds=1))
    if bytes(known.fingerprint) != fingerprint:
        raise IdempotencyKeyReused()
    if known.reply is not None:
        return known, _open(known, _seals(key, digest))
    rest = known.locked_until - now
    if rest > timedelta(0) and _abandoned.get(known.pk) != known.locked_until:
        raise IdempotencyInProgress(retry_after=rest)
    return _take_over(known, now), None


def _take_over(known: IdempotencyKey, now: datetime) -> IdempotencyKey:
    """:raises IdempotencyInProgress: another twin was faster"""
    mine = IdempotencyKey(pk=known.pk, locked_until=now + LEASE)
    try:
        # Waits for a commit that is still on its way, so that what it binds or stores is seen below.
        taken = _held(known).update(locked_until=mine.locked_until)
        found = IdempotencyKey.objects.filter(pk=known.pk, locked_until=mine.locked_until).first()
    except DatabaseError:
        _release(mine)
        raise
    if not taken or found is None or found.reply is not None:
        raise IdempotencyInProgress(retry_after=timedelta(seconds=1))
    _abandoned.pop(known.pk, None)
    _release_abandoned(now)
    return found


def _held(row: IdempotencyKey) -> QuerySet[IdempotencyKey]:
    """The row, while it is this request's: nothing once its lease ended and a twin took over."""
    return IdempotencyKey.objects.filter(pk=row.pk, reply__isnull=True, locked_until=row.locked_until)


def _store(row: IdempotencyKey, reply: Reply, seal: bytes) -> None:
    """:raises IdempotencyInProgress: a twin has taken over; what was done in this transaction is undone with it"""
    plain = to_json(dict(reply.headers)) + b"\n" + reply.body
    sealed = aes.encrypt(seal, plain)
    sql.change(_STORE, [reply.status, sealed, row.pk, row.locked_until], check=_refuse_if_lost)


_abandoned: OrderedDict[UUID, datetime] = OrderedDict()
"""Leases (key row, until) that requests of this process could not release, since the database was unavailable."""
_abandoned_lock = threading.Lock()
_MAX_ABANDONED = 10_000
_ABANDONED_AT_ONCE = 20


def _release(row: IdempotencyKey) -> None:
    """
    Give the key back: to whoever repeats it when it is bound, else to anyone.

    The row itself says which, not this request's memory: a commit whose answer was lost has bound it, or has not.
    Both statements wait for such a commit, since it holds the row.
    """
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    try:
        _give_back(row)
    except Exception:
        logger.warning("could not release an idempotency key; the next use of it will", exc_info=True)
        with _abandoned_lock:
            _abandoned[row.pk] = row.locked_until
            while len(_abandoned) > _MAX_ABANDONED:
                _abandoned.popitem(last=False)


def _give_back(row: IdempotencyKey) -> bool:
    deleted = _held(row).filter(result_id__isnull=True).delete()[0]
    return bool(deleted or _held(row).update(locked_until=clock.now()))


def _release_abandoned(now: datetime) -> None:
    """
    The database answers again: give back what could not be given back, for repeats that meet other processes.

    A row that is missing may still appear: the server executes what it received before it stopped answering. So an
    entry stays until its row was found or its lease is over.
    """
    with _abandoned_lock:
        entries = list(_abandoned.items())[:_ABANDONED_AT_ONCE]
    for pk, until in entries:
        try:
            settled = until <= now or _give_back(IdempotencyKey(pk=pk, locked_until=until))
        except Exception:  # noqa: BLE001  (whatever it is, the database is unavailable)
            return  # unavailable again
        if settled:
            _abandoned.pop(pk, None)


def _seals(key: str, digest: bytes) -> list[bytes]:
    return keys_bound_to(key.encode() + digest, "idempotent reply")


def _open(row: IdempotencyKey, seals: list[bytes]) -> Reply:
    try:
        headers, _, body = aes.decrypt(seals, bytes(row.reply or b"")).partition(b"\n")
    except aes.CannotOpen:  # sealed under a secret that was removed; the effect is still not repeated
        raise IdempotencyInProgress(retry_after=LEASE) from None
    return Reply(row.status or 200, json.loads(headers), body)


def _body_digest(request: Request) -> bytes:
    """
    SHA-256 of the content: JSON as a value (the order of members and blanks do not matter), multipart by each part's
    name, type and bytes (boundaries differ), anything else by its bytes.
    """
    content_type = (request.content_type or "").partition(";")[0].strip().lower()
    total = hashlib.sha256()
    if content_type != "multipart/form-data":
        raw = request._request.body
        if content_type == "application/json":
            raw = _canonical(request.data).encode() if raw.strip() else b""
        elif raw:
            total.update(content_type.encode() + b"\n")
        total.update(raw)
        return total.digest()
    total.update(content_type.encode() + b"\n")
    data: Any = request.data
    for name in sorted(data):
        for value in data.getlist(name):
            part = hashlib.sha256()
            if hasattr(value, "chunks"):
                part.update((value.content_type or "").encode() + b"\n")
                for chunk in value.chunks():
                    part.update(chunk)
                value.seek(0)
            else:
                part.update(b"text\n" + value.encode())
            total.update(hashlib.sha256(name.encode()).digest() + part.digest())
    return total.digest()


def _canonical(value: Any) -> str:
    """One text per JSON value: members in order of their names, numbers without what their value does not need."""
    match value:
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{_canonical(value[name])}" for name in sorted(value)) + "}"
        case list():
            return "[" + ",".join(map(_canonical, value)) + "]"
        case bool() | None:
            return json.dumps(value)
        case int() | NumberLiteral():
            return _canonical_number(str(value))
        case _:
            return json.dumps(value)


def _canonical_number(literal: str) -> str:
    sign, digits, exponent = Decimal(literal).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    whole = text.rstrip("0")
    if not whole:
        return "0"
    return f"{'-' if sign else ''}{whole}e{int(exponent) + len(text) - len(whole)}"
