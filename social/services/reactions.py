"""
Reactions and likes.

The hot write of the community is a single statement: it asks the visibility rule, writes the row, counts it, records
the event and gives the post back (docs/social.md).
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
from social.outputs.posts import PostOutput

MAX_REACTIONS = 20
"""Different emoji of one person under one post, beside 👍."""

_ADD = load("social/sql/add_reaction.sql")
_REMOVE = load("social/sql/remove_reaction.sql")
UNCOUNT = """
UPDATE social_postcounts SET like_count = like_count - gone.likes, reactions = CASE
    WHEN (reactions ->> gone.emoji)::integer > 1
    THEN jsonb_set(reactions, ARRAY[gone.emoji], to_jsonb((reactions ->> gone.emoji)::integer - 1))
    ELSE reactions - gone.emoji
END FROM (SELECT %s::uuid AS post_id, %s::text AS emoji, %s::integer AS likes) gone
WHERE social_postcounts.post_id = gone.post_id
"""


def react(*, person: Any, post_id: UUID, emoji: str, now: datetime) -> PostOutput:
    """
    React to a post with an emoji; doing it twice changes nothing.

    :param emoji: as `emojis.one_emoji` gives it; the like is `LIKE`
    :returns: the post as the person sees it then
    :raises NotFound: no such post that the person may read
    :raises TooManyReactions: they have reacted with too many emoji already
    """
    if emoji == LIKE:
        return _add(person, post_id, emoji, now)
    return _add_if_few(person, post_id, emoji, now)


@retrying
def _add_if_few(person: Any, post_id: UUID, emoji: str, now: datetime) -> PostOutput:
    lock_person(person.pk)  # two of theirs at once must not both be the last that is allowed
    return _add(person, post_id, emoji, now, most=MAX_REACTIONS)


def _add(person: Any, post_id: UUID, emoji: str, now: datetime, most: int | None = None) -> PostOutput:
    kind = "post.liked" if emoji == LIKE else "post.reacted"
    facts = {**_facts(kind, person, post_id, emoji, now), "id": uuid7(), "now": now, "most": most}
    rows = _ADD.rows(**asker(person), **facts)
    if not rows:
        raise NotFound()
    (row,) = rows
    if not row.is_new and emoji not in row.mine and most is not None:
        raise TooManyReactions(most=most)
    return PostOutput.of_row(row._replace(mine=[*row.mine, emoji]), now)


def take_back(*, person: Any, post_id: UUID, emoji: str, now: datetime) -> PostOutput:
    """
    Take a reaction back; doing it twice changes nothing.

    :returns: the post as the person sees it then
    :raises NotFound: no such post that the person may read
    """
    kind = "post.unliked" if emoji == LIKE else "post.reaction_removed"
    rows = _REMOVE.rows(**asker(person), **_facts(kind, person, post_id, emoji, now))
    if not rows:
        raise NotFound()
    (row,) = rows
    return PostOutput.of_row(row._replace(mine=[one for one in row.mine if one != emoji]), now)


def uncount_reaction(reaction: Any) -> None:
    """Count a reaction no more that the caller deletes, in its transaction, as its last lock."""
    sql.change(UNCOUNT, [reaction.post_id, reaction.emoji, int(reaction.emoji == LIKE)])


def _facts(kind: str, person: Any, post_id: UUID, emoji: str, now: datetime) -> dict[str, Any]:
    """What both statements take; the post's author takes the place of `author_id` there."""
    facts: dict[str, Any] = {"author_id": person.pk}
    if emoji != LIKE:
        facts |= {"emoji": emoji, "act": f"{person.pk} {emoji}"}
    event = events.as_json(kind, Post(pk=post_id), actor=person, now=now, **facts)
    return {"post": post_id, "emoji": emoji, "likes": int(emoji == LIKE), **event}
