"""Reads shaped for one screen each."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core.api.errors import NotFound
from core.data.statements import load
from social.access import asker
from social.outputs.posts import PostOutput

_POSTS = load("social/sql/post_list.sql")


def post_rows(person: Any, **where: Any) -> list[Any]:
    """
    Posts that the person may read, newest first, for `PostOutput.of_row`.

    :param where: `author`, `group` or `channel`, and `core.api.pages.Part.parameters`, by `id`
    """
    return _POSTS.rows(**asker(person), **where)


def post_page(person: Any, post_id: UUID, now: datetime) -> PostOutput:
    """:raises NotFound: missing, deleted, or not theirs to read"""
    rows = post_rows(person, id=post_id, limit=1)
    if not rows:
        raise NotFound()
    return PostOutput.of_row(rows[0], now)
