"""
Reactions and likes.

The hot writes of the community are two exchanges: a statement that asks the visibility rule and writes the row, then
the event and the counts. So a row that everybody counts on (`PostCounts`) is locked for one exchange and the commit.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.access import lock_person
from core import events
from core.api.errors import NotFound
from core.data import sql
from core.data.ids import uuid7
from core.data.statements import load
from core.data.transactions import retrying
from social.access import asker
from social.emojis import LIKE
from social.errors import TooManyReactions
from social.models import Post

MOST_REACTIONS = 20
"""Different emoji of one person under one post, beside 👍."""

_ADD = load("social/sql/add_reaction.sql")
_REMOVE = load("social/sql/remove_reaction.sql")
COUNT = """
UPDATE social_postcounts SET like_count = like_count + new.likes, reactions = CASE
    WHEN COALESCE((reactions ->> new.emoji)::integer, 0) + new.step > 0
    THEN jsonb_set(reactions, ARRAY[new.emoji], to_jsonb(COALESCE((reactions ->> new.emoji)::integer, 0) + new.step))
    ELSE reactions - new.emoji
END FROM (SELECT %s::uuid AS post_id, %s::text AS emoji, %s::integer AS step, %s::integer AS likes) new
WHERE social_postcounts.post_id = new.post_id
"""


@retrying
def react(*, person: Any, post_id: UUID, emoji: str, now: datetime) -> None:
    """
    React to a post with an emoji; doing it twice changes nothing.

    :param emoji: as `emojis.one_emoji` gives it; the like is `LIKE`
    :raises NotFound: no such post that the person may read
    :raises TooManyReactions: they have reacted with too many emoji already
    """
    limit: dict[str, Any] = {}
    if emoji != LIKE:
        lock_person(person.pk)  # two of theirs at once must not both be the last that is allowed
        limit = {"most": MOST_REACTIONS}
    rows = _ADD.rows(**asker(person), **limit, post=post_id, emoji=emoji, id=uuid7(), now=now)
    if not rows:
        raise NotFound()
    (row,) = rows
    if row.is_new:
        _count(1, person, post_id, row.author_id, emoji, now)
    elif limit and not row.was_there:
        raise TooManyReactions(most=MOST_REACTIONS)


@retrying
def take_back(*, person: Any, post_id: UUID, emoji: str, now: datetime) -> None:
    """
    Take a reaction back; doing it twice changes nothing.

    :raises NotFound: no such post that the person may read
    """
    rows = _REMOVE.rows(**asker(person), post=post_id, emoji=emoji)
    if not rows:
        raise NotFound()
    if rows[0].is_gone:
        _count(-1, person, post_id, rows[0].author_id, emoji, now)


def _count(step: int, person: Any, post_id: UUID, author_id: UUID, emoji: str, now: datetime) -> None:
    with sql.together():
        if author_id != person.pk:
            _record(step > 0, person, Post(pk=post_id), author_id, emoji, now)
        count_reaction(post_id, emoji, step)


def count_reaction(post_id: UUID, emoji: str, step: int) -> None:
    """Count a reaction that comes (1) or goes (-1), in its transaction, as its last lock."""
    sql.change(COUNT, [post_id, emoji, step, step if emoji == LIKE else 0])


def _record(is_new: bool, person: Any, post: Post, author_id: UUID, emoji: str, now: datetime) -> None:
    if emoji == LIKE:
        events.record("post.liked" if is_new else "post.unliked", post, actor=person, now=now, author_id=author_id)
    else:
        kind = "post.reacted" if is_new else "post.reaction_removed"
        act = f"{person.pk} {emoji}"
        events.record(kind, post, actor=person, now=now, author_id=author_id, emoji=emoji, act=act)
