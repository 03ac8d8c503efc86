"""Walking through lists as clients do, to compare them with what they should hold."""

import json
from typing import Any

from core.api.rendering import to_json
from core.testing import Api


def as_json(outputs: Any) -> Any:
    """Outputs as a client gets them."""
    return json.loads(to_json(outputs))


def by_cursor(client: Api, path: str, query: dict[str, Any], limit: int) -> list[Any]:
    """The items of all pages, each reached by the cursor of the one before."""
    items: list[Any] = []
    cursor = None
    while True:
        page = client.get(path, {**query, "limit": limit, **({"cursor": cursor} if cursor else {})}).json()
        items += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            return items


def by_number(client: Api, path: str, query: dict[str, Any], limit: int) -> list[Any]:
    """The items of all pages, each reached by its number."""
    items: list[Any] = []
    number = 0
    while True:
        number += 1
        page = client.get(path, {**query, "limit": limit, "page": number}).json()
        items += page["items"]
        if not page["hasMore"]:
            return items
