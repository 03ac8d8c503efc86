"""
Pages of a list, by number or by cursor (API.md, lists).

A cursor holds the ordering values of the last row given, signed, so the next page starts right behind that row however
many were added or removed meanwhile. It is bound to the list it came from.
"""

import base64
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare
from msgspec import UNSET

from core.api.errors import InvalidCursor, InvalidPage
from core.api.outputs import DEEPEST, DEFAULT_LIMIT, MAX_LIMIT, Page
from core.api.requests import Request
from core.api.serializers import given_query
from core.crypto.keys import keys_for

PURPOSE = "page cursor"
OF_THE_PAGE = ("cursor", "limit", "page", "withTotal")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of a list that a client asks for: `asked_part(request)` reads it, `page_of` makes the answer."""

    keys: Sequence[str]
    page: int
    limit: int
    start: int
    """How many rows come before it; 0 with a cursor."""
    after: Sequence[Any] | None
    """The values of `keys` in the row that it comes after, with a cursor."""
    wants_total: bool
    scope: str

    @property
    def parameters(self) -> dict[str, Any]:
        """
        For a statement of `core.data.statements`: `limit`, which is a row more than the page so that it is known
        whether there are more; `start`; and `after_<key>` for each key, when there is a cursor.
        """
        values: dict[str, Any] = {"limit": self.limit + 1, "start": self.start or None}
        if self.after is not None:
            values.update(zip((f"after_{key}" for key in self.keys), self.after, strict=True))
        return values

    def page_of(
        self,
        rows: Sequence[Any],
        each: Callable[[Any], T] | None = None,
        *,
        together: Callable[[Sequence[Any]], list[T]] | None = None,
        whole: Callable[[], QuerySet[Any] | int],
    ) -> Page[T]:
        """
        :param rows: those that were found, up to one more than the page shows
        :param each: makes an item of a row
        :param together: makes the items of all rows of the page at once, in place of `each`
        :param whole: the whole list, to be counted, or how many there are in it; called only when asked for
        """
        shown = rows[: self.limit]
        has_more = len(rows) > self.limit
        return Page(
            items=together(shown) if together else [each(row) for row in shown] if each else list(shown),
            page=self.page,
            limit=self.limit,
            has_more=has_more,
            next_cursor=_seal([_value(shown[-1], key) for key in self.keys], self.scope) if has_more else None,
            total=_count(whole()) if self.wants_total else UNSET,
        )


def asked_part(request: Request, *, keys: Sequence[str], default_limit: int = DEFAULT_LIMIT) -> Part:
    """
    The part that `page`, `limit`, `cursor` and `withTotal` ask for.

    :param keys: the columns that the list is ordered by; the last, or all together, must be unique
    :raises InvalidPage: page or limit out of range or not a number
    :raises InvalidCursor: a cursor that we did not sign for this list
    """
    query = given_query(request)
    limit = _number(query.get("limit"), default_limit, MAX_LIMIT)
    cursor = query.get("cursor")
    page = 1 if cursor else _number(query.get("page"), 1, DEEPEST)
    if page * limit > DEEPEST:
        raise InvalidPage(most=MAX_LIMIT, deepest=DEEPEST)
    scope = _scope(request.path, query)
    return Part(
        keys=keys,
        page=page,
        limit=limit,
        start=(page - 1) * limit,
        after=_open(cursor, scope, len(keys)) if cursor else None,
        wants_total=query.get("withTotal") == "true",
        scope=scope,
    )


def first_part(path: str, *, keys: Sequence[str]) -> Part:
    """
    The first part of another list, for an answer that begins it; its cursor leads on in that list.

    :param path: the list's address; `keys` as it asks for them
    """
    return Part(keys=keys, page=1, limit=DEFAULT_LIMIT, start=0, after=None, wants_total=False, scope=_scope(path, {}))


def paginate(
    request: Request,
    rows: QuerySet[Any],
    each: Callable[[Any], T] | None = None,
    *,
    together: Callable[[Sequence[Any]], list[T]] | None = None,
    order: Sequence[str] = ("-created_at", "-id"),
    default_limit: int = DEFAULT_LIMIT,
) -> Page[T]:
    """
    One page of a queryset; the whole list is counted only when asked for.

    :param each: makes an item of a row, such as `CampaignCard.of`
    :param together: makes the items of all rows of the page at once, in place of `each`
    :param order: field names with `-` for descending; the last must be unique
    :raises InvalidPage: page or limit out of range or not a number
    :raises InvalidCursor: a cursor that we did not sign for this list
    """
    part = asked_part(request, keys=[name.lstrip("-") for name in order], default_limit=default_limit)
    ordered = rows.order_by(*order)
    if part.after is not None:
        ordered = ordered.filter(_behind(order, part.after))
    found = list(ordered[part.start : part.start + part.limit + 1])
    return part.page_of(found, each, together=together, whole=lambda: rows)


def _count(whole: QuerySet[Any] | int) -> int:
    return whole if isinstance(whole, int) else whole.order_by().count()


def _number(text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= most):
        raise InvalidPage(most=MAX_LIMIT, deepest=DEEPEST)
    return int(text)


def _scope(path: str, query: dict[str, str]) -> str:
    """The path and the filters, so that a cursor cannot be carried to another list."""
    filters = sorted((name, value) for name, value in query.items() if name not in OF_THE_PAGE)
    return json.dumps([path, filters])


def _value(row: Any, key: str) -> Any:
    value = row
    for part in key.split("__"):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    return value


def _behind(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows after `values`: (a < x) or (a = x and b < y) ..., with the first as a plain bound for the index."""
    condition = Q()
    equal = Q()
    for name, value in zip(order, values, strict=True):
        field, ahead = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{field}__{ahead}": value})
        equal &= Q(**{field: value})
    first, bound = order[0].lstrip("-"), "lte" if order[0].startswith("-") else "gte"
    return Q(**{f"{first}__{bound}": values[0]}) & condition


def _seal(values: list[Any], scope: str) -> str:
    packed = [
        ["t", v.isoformat()] if isinstance(v, datetime) else ["u", v.hex] if isinstance(v, UUID) else ["v", v]
        for v in values
    ]
    body = base64.urlsafe_b64encode(json.dumps(packed, separators=(",", ":")).encode()).decode().rstrip("=")
    return f"{body}.{_signature(body, scope, keys_for(PURPOSE)[0])}"


def _open(cursor: str, scope: str, size: int) -> list[Any]:
    body, _, signature = cursor.partition(".")
    if len(cursor) > 1000 or not any(
        constant_time_compare(signature, _signature(body, scope, key)) for key in keys_for(PURPOSE)
    ):
        raise InvalidCursor()
    packed = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if len(packed) != size:
        raise InvalidCursor()
    read: dict[str, Callable[[Any], Any]] = {"t": datetime.fromisoformat, "u": UUID, "v": lambda value: value}
    return [read[kind](value) for kind, value in packed]


def _signature(body: str, scope: str, key: bytes) -> str:
    """128 bits of an HMAC-SHA-256."""
    mac = hmac.digest(key, f"{body}|{scope}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")
