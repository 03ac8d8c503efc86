"""
Every counter of the community, and what it counts: `manage.py social_verify` compares the two.

A counter changes in the transaction of what it counts, so at any moment, for whoever reads both in one statement, they
are equal.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, models

from accounts.models import Profile, User
from core.data.locks import lock
from core.data.transactions import retrying
from social.models import AuthorCounts, Channel, Comment, Group, Post, PostCounts

BATCH = 1000
_NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Counter:
    """Columns of a model that count rows of others."""

    model: type[models.Model]
    of: type[models.Model]
    """The rows that have such counts, by their ids; the same model, or one whose id is the model's key."""
    counted: Mapping[str, str]
    """By column, the SQL of what it should be; `k.id` is the id."""
    is_required: bool = True
    """Whether a row must be there; otherwise none means zero."""

    @property
    def name(self) -> str:
        return str(self.model._meta.verbose_name_plural)


@dataclass(frozen=True)
class Difference:
    """A row whose counts are not what they should be."""

    counter: Counter
    id: UUID
    kept: dict[str, Any] | None
    """None: there is no row."""
    counted: dict[str, Any]

    def __str__(self) -> str:
        if self.kept is None:
            return f"{self.counter.name} {self.id}: no row"
        pairs = [f"{name} {self.kept[name]} is {right}" for name, right in self.counted.items()]
        return f"{self.counter.name} {self.id}: {', '.join(pairs)}"


def _own_posts(visibility: str) -> str:
    return (
        f"(SELECT count(*) FROM social_post p WHERE p.author_id = k.id AND p.visibility = '{visibility}'"
        " AND p.group_id IS NULL AND p.channel_id IS NULL"
        " AND p.deleted_at IS NULL AND p.hidden_at IS NULL AND p.held_at IS NULL)"
    )


COUNTERS = (
    Counter(
        PostCounts,
        of=Post,
        counted={
            "like_count": "(SELECT count(*) FROM social_reaction r WHERE r.post_id = k.id AND r.emoji = '👍')",
            "comment_count": "(SELECT count(*) FROM social_comment c"
            " WHERE c.post_id = k.id AND c.deleted_at IS NULL AND c.hidden_at IS NULL)",
            "reactions": "(SELECT COALESCE(jsonb_object_agg(e.emoji, e.n), '{}') FROM ("
            "SELECT r.emoji, count(*) AS n FROM social_reaction r WHERE r.post_id = k.id GROUP BY r.emoji) e)",
        },
    ),
    Counter(
        Comment,
        of=Comment,
        counted={
            "replies_count": "(SELECT count(*) FROM social_comment c"
            " WHERE c.parent_id = k.id AND c.deleted_at IS NULL AND c.hidden_at IS NULL)",
            "like_count": "(SELECT count(*) FROM social_commentlike l WHERE l.comment_id = k.id)",
        },
    ),
    Counter(
        AuthorCounts,
        of=User,
        counted={"public_posts": _own_posts("public"), "followers_posts": _own_posts("followers")},
        is_required=False,
    ),
    Counter(
        Profile,
        of=User,
        counted={
            "posts_count": "(SELECT count(*) FROM social_post p WHERE p.author_id = k.id AND p.deleted_at IS NULL)",
            "followers_count": "(SELECT count(*) FROM social_follow f WHERE f.followed_id = k.id)",
            "following_count": "(SELECT count(*) FROM social_follow f WHERE f.follower_id = k.id)",
        },
        is_required=False,
    ),
    Counter(
        Group,
        of=Group,
        counted={
            "member_count": "(SELECT count(*) FROM social_membership m WHERE m.group_id = k.id AND m.status = 'member')"
        },
    ),
    Counter(
        Channel,
        of=Channel,
        counted={"subscriber_count": "(SELECT count(*) FROM social_channelmember m WHERE m.channel_id = k.id)"},
    ),
)


def batches(counter: Counter) -> Iterator[tuple[int, list[Difference]]]:
    """
    All rows of a counter, a batch in each statement.

    :returns: how many were looked at, and which of them differ
    """
    after = _NOBODY
    while rows := _rows(counter, "k.id > %s ORDER BY k.id LIMIT %s", [after, BATCH]):
        yield len(rows), [found for row in rows if (found := _compared(counter, row))]
        after = rows[-1][0]


@retrying
def correct(counter: Counter, differences: Sequence[Difference]) -> None:
    """
    Count rows of a batch again, under their locks: whoever changes what they count waits for these to count. A few
    statements, however many there are.
    """
    ids = [difference.id for difference in differences]
    manager = counter.model._default_manager
    missing = [counter.model(pk=difference.id) for difference in differences if difference.kept is None]
    manager.bulk_create(missing, ignore_conflicts=True)
    list(lock(manager.filter(pk__in=ids).order_by("pk")).values_list("pk", flat=True))
    names, key = list(counter.counted), _key(counter)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {counter.model._meta.db_table} n SET {', '.join(f'{name} = truth.{name}' for name in names)}"
            f" FROM (SELECT k.id, {', '.join(f'{counter.counted[name]} AS {name}' for name in names)}"
            f" FROM {counter.of._meta.db_table} k WHERE k.id = ANY(%s)) truth WHERE n.{key} = truth.id",
            [ids],
        )


def _rows(counter: Counter, where: str, values: list[Any]) -> list[tuple[Any, ...]]:
    key = _key(counter)
    kept = ", ".join(f"n.{name}" for name in counter.counted)
    right = ", ".join(counter.counted.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT k.id, n.{key}, {kept}, {right} FROM {counter.of._meta.db_table} k"
            f" LEFT JOIN {counter.model._meta.db_table} n ON n.{key} = k.id WHERE {where}",
            values,
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _key(counter: Counter) -> str:
    """The column that holds the ids."""
    key = counter.model._meta.pk
    assert key is not None
    return str(key.column)


def _compared(counter: Counter, row: tuple[Any, ...]) -> Difference | None:
    """:param row: the id, the key, what is kept, what it should be"""
    names = list(counter.counted)
    id, key, *values = row
    kept = dict(zip(names, map(_plain, values[: len(names)]), strict=True))
    right = dict(zip(names, map(_plain, values[len(names) :]), strict=True))
    if key is None and not counter.is_required:
        kept = dict.fromkeys(names, 0)
    wrong = {name: value for name, value in right.items() if kept[name] != value}
    if not wrong:
        return None
    return Difference(counter, id, None if key is None else kept, wrong)


def _plain(value: Any) -> Any:
    """Django leaves JSON as text in cursors."""
    return json.loads(value) if isinstance(value, str) else value
