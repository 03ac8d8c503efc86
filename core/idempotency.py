"""
Idempotency-Key on every POST: one key, one effect, one answer (API.md; SECURITY-GOALS 8 and 9; docs/idempotency.md).

A handler with a key runs in one transaction together with the row that keeps its answer, so effect and answer commit
as one. A handler that has to commit in the middle (a provider call between two commits) is marked `@multi_phase`: it
gets `request.ticket` and calls `ticket.bind(id)` in its first commit; a repeat after a crash finds that id in
`ticket.result_id` and goes on from there instead of beginning again. A handler that has something slow to do first,
such as taking files to the store, names it with `@prepared`: that runs before the transaction begins.

The stored answer is sealed with a key made from the client's own Idempotency-Key and body, which are kept as hashes
only: nobody who reads the table can open it, tokens and all.
"""

import hashlib
import hmac
import logging
import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.response import Response

from core.db import retrying
from core.errors import IdempotencyInProgress, IdempotencyKeyReused, InvalidIdempotencyKey, Refusal
from core.models import IdempotencyKey
from core.rendering import to_json
from core.requests import Request

logger = logging.getLogger("vectragrow.idempotency")

LIFETIME = timedelta(hours=24)
LEASE = timedelta(seconds=60)
"""How long a running request holds its key. One that takes longer is undone if a twin has taken over meanwhile."""

_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
Handler = Callable[..., Response]
H = TypeVar("H", bound=Callable[..., Any])


class Ticket(Protocol):
    result_id: UUID | None

    def bind(self, result_id: UUID) -> None: ...


class NoTicket:
    """What a multi-phase handler gets when the client sent no key."""

    result_id: UUID | None = None

    def bind(self, result_id: UUID) -> None:
        pass


class KeyTicket:
    def __init__(self, row: IdempotencyKey) -> None:
        self.row = row
        self.result_id = row.result_id

    def bind(self, result_id: UUID) -> None:
        """
        Remember, in the caller's transaction, what this request made.

        :raises IdempotencyInProgress: a twin has taken over meanwhile, and goes on instead
        """
        self.result_id = result_id
        if not _held(self.row).update(result_id=result_id):
            raise IdempotencyInProgress(retry_after=timedelta(seconds=1))


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
    row, reply = _claim(request, key, digest, timezone.now())
    if reply is not None:
        return _replayed(row, reply)
    request.ticket = KeyTicket(row)
    seal = _seals(key, digest)[0]
    try:
        kwargs = _with_preparation(handler, request, args, kwargs)
        if getattr(handler, "multi_phase", False):
            response = handler(request, *args, **kwargs)
            _store(row, response, seal)
        else:
            response = _in_one_commit(row, seal, lambda: handler(request, *args, **kwargs))
    except BaseException as error:
        _release(row, request.ticket, error)
        raise
    return response


@retrying
def _in_one_commit(row: IdempotencyKey, seal: bytes, call: Callable[[], Response]) -> Response:
    response = call()
    _store(row, response, seal)
    return response


def _claim(request: Request, key: str, digest: bytes, now: datetime) -> tuple[IdempotencyKey, bytes | None]:
    person = str(request.user.pk or "anyone")
    scope = hashlib.sha256("\n".join([person, request.method or "", request.path, key]).encode()).digest()
    fingerprint = hmac.digest(key.encode(), digest, "sha256")
    IdempotencyKey.objects.filter(scope=scope, created_at__lt=now - LIFETIME).delete()
    try:
        with transaction.atomic():
            row = IdempotencyKey.objects.create(
                scope=scope, fingerprint=fingerprint, created_at=now, locked_until=now + LEASE
            )
        return row, None
    except IntegrityError:
        known = IdempotencyKey.objects.filter(scope=scope).first()
    if known is None:  # its holder was refused and let go of it between our two statements
        raise IdempotencyInProgress(retry_after=timedelta(seconds=1))
    if bytes(known.fingerprint) != fingerprint:
        raise IdempotencyKeyReused()
    if known.reply is not None:
        return known, _open(bytes(known.reply), _seals(key, digest))
    taken_over = IdempotencyKey.objects.filter(
        pk=known.pk, reply__isnull=True, locked_until=known.locked_until, locked_until__lte=now
    ).update(locked_until=now + LEASE)
    if not taken_over:
        raise IdempotencyInProgress(retry_after=timedelta(seconds=1))
    known.locked_until = now + LEASE
    return known, None


def _held(row: IdempotencyKey) -> QuerySet[IdempotencyKey]:
    """The row, while it is this request's: nothing once its lease ended and a twin took over."""
    return IdempotencyKey.objects.filter(pk=row.pk, reply__isnull=True, locked_until=row.locked_until)


def _store(row: IdempotencyKey, response: Response, seal: bytes) -> None:
    """:raises IdempotencyInProgress: a twin has taken over; what was done in this transaction is undone with it"""
    nonce = os.urandom(12)
    body = to_json(response.data)
    stored = _held(row).update(status=response.status_code, reply=nonce + AESGCM(seal).encrypt(nonce, body, None))
    if not stored:
        raise IdempotencyInProgress(retry_after=timedelta(seconds=1))


def _release(row: IdempotencyKey, ticket: Ticket, error: BaseException) -> None:
    """A refusal does not use up the key; an accident after the first commit leaves it to be taken over."""
    mine = _held(row)
    try:
        if ticket.result_id is not None and not isinstance(error, Refusal):
            mine.update(locked_until=timezone.now())
        else:
            mine.delete()
    except Exception:  # the database is gone; the lease will end by itself
        logger.warning("could not release an idempotency key", exc_info=True)


def _replayed(row: IdempotencyKey, body: bytes) -> HttpResponse:
    return HttpResponse(
        body, status=row.status or 200, content_type="application/json", headers={"Idempotent-Replayed": "true"}
    )


def _seals(key: str, digest: bytes) -> list[bytes]:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [hmac.digest(secret.encode(), b"idempotent reply" + key.encode() + digest, "sha256") for secret in secrets]


def _open(sealed: bytes, seals: list[bytes]) -> bytes:
    for seal in seals:
        try:
            return AESGCM(seal).decrypt(sealed[:12], sealed[12:], None)
        except InvalidTag:
            continue
    raise IdempotencyInProgress(retry_after=LEASE)  # sealed under a secret that is gone; nothing is done twice


def _body_digest(request: Request) -> bytes:
    """SHA-256 of the content: raw bytes, or for multipart each part's name, type and bytes (boundaries differ)."""
    content_type = (request.content_type or "").partition(";")[0]
    total = hashlib.sha256(content_type.encode())
    if content_type != "multipart/form-data":
        total.update(request._request.body)
        return total.digest()
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
