"""
Pages of a list, by number or by cursor (API.md, lists).

A cursor holds the ordering values of the last row given, signed, so the next page starts right behind that row however
many were added or removed meanwhile. It is bound to the list it came from.
"""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare
from msgspec import UNSET

from core.api.errors import InvalidCursor, InvalidPage
from core.api.outputs import DEEPEST, DEFAULT_LIMIT, MAX_LIMIT, Page
from core.api.requests import Request
from core.api.serializers import given_query

OF_THE_PAGE = ("cursor", "limit", "page", "withTotal")

T = TypeVar("T")


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
    One page of `rows`; the whole list is counted only when asked for.

    :param each: makes an item of a row, such as `CampaignCard.of`
    :param together: makes the items of all rows of the page at once, in place of `each`
    :param order: field names with `-` for descending; the last must be unique
    :raises InvalidPage: page or limit out of range or not a number
    :raises InvalidCursor: a cursor that we did not sign for this list
    """
    query = given_query(request)
    limit = _number(query.get("limit"), default_limit, MAX_LIMIT)
    cursor = query.get("cursor")
    page = 1 if cursor else _number(query.get("page"), 1, DEEPEST)
    if page * limit > DEEPEST:
        raise InvalidPage(most=MAX_LIMIT, deepest=DEEPEST)
    scope = _scope(request)
    ordered = rows.order_by(*order)
    if cursor:
        ordered = ordered.filter(_behind(order, _open(cursor, scope, len(order))))
    start = 0 if cursor else (page - 1) * limit
    found = list(ordered[start : start + limit + 1])
    has_more = len(found) > limit
    shown = found[:limit]
    return Page(
        items=together(shown) if together else [each(row) for row in shown] if each else shown,
        page=page,
        limit=limit,
        has_more=has_more,
        next_cursor=_seal([_value(shown[-1], name) for name in order], scope) if has_more else None,
        total=rows.order_by().count() if query.get("withTotal") == "true" else UNSET,
    )


def _number(text: str | None, default: int, most: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= most):
        raise InvalidPage(most=MAX_LIMIT, deepest=DEEPEST)
    return int(text)


def _scope(request: Request) -> str:
    """The path and the filters, so that a cursor cannot be carried to another list."""
    filters = sorted((k, v) for k, v in given_query(request).items() if k not in OF_THE_PAGE)
    return json.dumps([request.path, filters])


def _value(row: Any, name: str) -> Any:
    value = row
    for part in name.lstrip("-").split("__"):
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
    return f"{body}.{_signature(body, scope)}"


def _open(cursor: str, scope: str, size: int) -> list[Any]:
    body, _, signature = cursor.partition(".")
    if len(cursor) > 1000 or not constant_time_compare(signature, _signature(body, scope)):
        raise InvalidCursor()
    packed = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if len(packed) != size:
        raise InvalidCursor()
    read: dict[str, Callable[[Any], Any]] = {"t": datetime.fromisoformat, "u": UUID, "v": lambda value: value}
    return [read[kind](value) for kind, value in packed]


def _signature(body: str, scope: str) -> str:
    return signing.Signer(salt="core.api.pages").signature(f"{body}|{scope}")[:22]
