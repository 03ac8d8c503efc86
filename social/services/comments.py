"""Comments and replies: writing, deleting, liking."""

from datetime import datetime
from typing import Any
from uuid import UUID

from campaigns.roles import author_role
from core import events
from core.api.errors import NotFound
from core.data import sql
from core.data.ids import uuid7
from core.data.statements import load
from core.data.transactions import retrying
from core.models import Event
from social.access import access_comment_to_delete, access_post, asker, lock_thread
from social.errors import CommentDeleted
from social.models import Comment
from social.services.mentions import check_mentions, mention_in_comment

_LIKE = load("social/sql/add_comment_like.sql")
_UNLIKE = load("social/sql/remove_comment_like.sql")

COUNT_ON_POST = "UPDATE social_postcounts SET comment_count = comment_count + %s WHERE post_id = %s"
COUNT_ON_COMMENT = "UPDATE social_comment SET replies_count = replies_count + %s WHERE id = %s"
COUNT_LIKE = "UPDATE social_comment SET like_count = like_count + %s WHERE id = %s"


@retrying
def write_comment(
    *, author: Any, post_id: UUID, content: str, now: datetime, answers_id: UUID | None = None
) -> Comment:
    """
    Comment on a post, or reply to a comment. A reply to a reply joins the replies of the comment above it, and tells
    the person whom it answers.

    :param answers_id: the comment or reply that it answers
    :raises NotFound: no such post, or no such comment, that the author may see
    :raises CommentDeleted: what it answers is gone
    :raises TooManyMentions:
    """
    check_mentions(content)
    post = access_post(author, post_id)
    answered, parent_id = None, None
    if answers_id is not None:
        answered = lock_thread(author, post, answers_id)
        if answered.is_gone:
            raise CommentDeleted()
        parent_id = answered.parent_id or answered.pk
    comment = Comment(
        id=uuid7(),
        created_at=now,
        post=post,
        parent_id=parent_id,
        author=author,
        content=content,
        author_role=author_role(author, post.campaign) if post.campaign else "",
    )
    sql.insert(comment)
    mentioned = mention_in_comment(comment, post, now=now)
    with sql.together():
        events.record("comment.added", comment, actor=author, now=now, **_facts(comment, answered, mentioned))
        count_comment(comment, 1)
    return comment


def _facts(comment: Comment, answered: Comment | None, mentioned: list[UUID]) -> dict[str, Any]:
    """Whom a comment is told: each person once, for the reason that comes first here."""
    told = {comment.author_id}
    groups = {
        "answered_ids": [answered.author_id] if answered else [],
        "mentioned_ids": mentioned,
        "post_author_ids": [comment.post.author_id],
    }
    facts: dict[str, Any] = {"post_id": comment.post_id, "parent_id": comment.parent_id}
    for name, people in groups.items():
        facts[name] = [person for person in people if person not in told]
        told.update(people)
    return facts


@retrying
def delete_comment(*, person: Any, post_id: UUID, comment_id: UUID, now: datetime) -> None:
    """
    Leave a tombstone in place of a comment; its replies stay. Safe to repeat.

    :raises NotFound: no such comment that the person wrote or may see
    :raises NotTheAuthor: somebody else's, and the person is no moderator
    """
    bury_comment(access_comment_to_delete(person, post_id, comment_id), actor=person, now=now)


def bury_comment(comment: Comment, *, actor: Any, now: datetime) -> None:
    """
    The same for a comment that the caller has locked together with the one above it (`access.lock_thread`).

    :param actor: who deletes it: its author, a moderator, or None when its author is erased
    """
    if comment.deleted_at is not None:
        return
    is_counted = comment.hidden_at is None
    comment.deleted_at, comment.content = now, ""
    comment.save(update_fields=["deleted_at", "content"])
    comment.mentions.all().delete()
    told = Event.objects.filter(kind="comment.added", subject_id=comment.pk).values_list("facts", flat=True).first()
    with sql.together():
        events.record(
            "comment.deleted",
            comment,
            actor=actor,
            now=now,
            post_id=comment.post_id,
            author_id=comment.author_id,
            answered_ids=[UUID(one) for one in (told or {}).get("answered_ids", [])],
            post_author_ids=[UUID(one) for one in (told or {}).get("post_author_ids", [])],
        )
        if is_counted:
            count_comment(comment, -1)


def count_comment(comment: Comment, step: int) -> None:
    """
    Count a comment that comes (1) or goes (-1), on the comment above it and then on its post; in the transaction of
    what it does, as its last locks. One that is deleted or hidden is not counted.
    """
    if comment.parent_id:
        sql.change(COUNT_ON_COMMENT, [step, comment.parent_id])
    sql.change(COUNT_ON_POST, [step, comment.post_id])


@retrying
def like_comment(*, person: Any, post_id: UUID, comment_id: UUID, now: datetime) -> None:
    """
    Doing it twice changes nothing.

    :raises NotFound: no such comment that the person may see
    :raises CommentDeleted:
    """
    names = {"post": post_id, "comment": comment_id, "id": uuid7(), "now": now}
    rows = _LIKE.rows(**asker(person), **names)
    if not rows:
        raise NotFound()
    if rows[0].is_gone:
        raise CommentDeleted()
    if rows[0].is_new:
        _count_like("comment.liked", 1, person, post_id, comment_id, rows[0].author_id, now)


@retrying
def unlike_comment(*, person: Any, post_id: UUID, comment_id: UUID, now: datetime) -> None:
    """:raises NotFound: no such comment that the person may see"""
    rows = _UNLIKE.rows(**asker(person), post=post_id, comment=comment_id)
    if not rows:
        raise NotFound()
    if rows[0].was_liked:
        _count_like("comment.unliked", -1, person, post_id, comment_id, rows[0].author_id, now)


def _count_like(
    kind: str, step: int, person: Any, post_id: UUID, comment_id: UUID, author_id: UUID, now: datetime
) -> None:
    with sql.together():
        if author_id != person.pk:
            comment = Comment(pk=comment_id)
            events.record(kind, comment, actor=person, now=now, post_id=post_id, author_id=author_id)
        count_comment_like(comment_id, step)


def count_comment_like(comment_id: UUID, step: int) -> None:
    """Count a like that comes (1) or goes (-1), in its transaction, as its last lock."""
    sql.change(COUNT_LIKE, [step, comment_id])
