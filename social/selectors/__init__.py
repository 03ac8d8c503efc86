"""Reads shaped for one screen each."""

from datetime import datetime
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Status
from accounts.outputs.people import card_columns
from accounts.relations import not_hidden_from
from core.api.errors import NotFound
from core.api.outputs import Page
from core.api.pages import Part, first_part
from core.data.statements import load
from social.access import asker
from social.models import ChannelMember, Comment, Decision, Follow, Post, PostEdit, Reaction
from social.outputs.comments import CommentOutput, decode_comments
from social.outputs.posts import PostOutput, PostPageOutput
from social.permissions import MODERATE

_POSTS = load("social/sql/post_list.sql")
_POST_PAGE = load("social/sql/post_page.sql")
_COMMENTS = load("social/sql/comment_list.sql")
_REPLIES = load("social/sql/reply_list.sql")


def post_rows(person: Any, **where: Any) -> list[Any]:
    """
    Posts that the person may read, newest first, for `PostOutput.of_row`.

    :param where: `author`, `group`, `channel` or `tag`, and `core.api.pages.Part.parameters`, by `id`; `of_readers` or
        `of_visible` for nothing at all where the person reads no others in the group, or does not see the channel
    """
    return _POSTS.rows(**asker(person), untagged="tag" not in where, **where)


def post_output(person: Any, post_id: UUID, now: datetime) -> PostOutput:
    """:raises NotFound: missing, deleted, or not theirs to read"""
    rows = post_rows(person, id=post_id, limit=1)
    if not rows:
        raise NotFound()
    return PostOutput.of_row(rows[0], now)


def post_page(person: Any, post_id: UUID, now: datetime, *, comments_at: str) -> PostPageOutput:
    """
    A post with the first page of its comments, in one exchange with the database.

    :param comments_at: the address of the list of comments, which the page's cursor leads into
    :raises NotFound: missing, deleted, or not theirs to read
    """
    part = first_part(comments_at, keys=("id",))
    rows = _POST_PAGE.rows(**asker(person), id=post_id, limit=part.parameters["limit"])
    if not rows:
        raise NotFound()
    found = decode_comments(rows[0].comments or "[]")
    comments = part.page_of(found, partial(CommentOutput.of_row, viewer=person), whole=Post.objects.none)
    return PostPageOutput.of_row(rows[0], now, comments=comments)


def comment_rows(person: Any, post_id: UUID, **part: Any) -> list[Any]:
    """Comments on a post, newest first; one row of None if there is none, no row if the post is not theirs to read."""
    return _COMMENTS.rows(**asker(person), post=post_id, top=True, **part)


def reply_rows(person: Any, post_id: UUID, comment_id: UUID, **part: Any) -> list[Any]:
    """Replies to a comment, oldest first; as `comment_rows`."""
    return _REPLIES.rows(**asker(person), post=post_id, parent=comment_id, **part)


def comment_page(person: Any, post_id: UUID, part: Part) -> Page[CommentOutput]:
    """
    Comments on a post, newest first.

    :raises NotFound: no such post that the person may read
    """
    rows = comment_rows(person, post_id, **part.parameters)
    return _page_of_comments(rows, part, person, {"post": post_id, "parent__isnull": True})


def reply_page(person: Any, post_id: UUID, comment_id: UUID, part: Part) -> Page[CommentOutput]:
    """
    Replies to a comment, oldest first.

    :raises NotFound: no such comment that the person may see
    """
    rows = reply_rows(person, post_id, comment_id, **part.parameters)
    return _page_of_comments(rows, part, person, {"post": post_id, "parent": comment_id})


def _page_of_comments(rows: list[Any], part: Part, person: Any, where: dict[str, Any]) -> Page[CommentOutput]:
    if not rows:
        raise NotFound()
    found = [row for row in rows if row.id is not None]
    return part.page_of(
        found,
        partial(CommentOutput.of_row, viewer=person),
        whole=lambda: Comment.objects.visible_to(person).filter(**where),
    )


def comment_output(person: Any, post_id: UUID, comment_id: UUID) -> CommentOutput:
    """:raises NotFound: no such comment that the person may see"""
    rows = _COMMENTS.rows(**asker(person), post=post_id, id=comment_id, limit=1)
    if not rows or rows[0].id is None:
        raise NotFound()
    return CommentOutput.of_row(rows[0], person)


def reactions(person: Any, post: Post, emoji: str | None = None) -> QuerySet[Reaction, dict[str, Any]]:
    """
    Who reacted to a post that the person may read, without those who are hidden from them.

    :param emoji: only this one
    """
    given = Reaction.objects.filter(not_hidden_from(person.pk, "user_id"), post=post, user__status=Status.ACTIVE)
    if emoji is not None:
        given = given.filter(emoji=emoji)
    return cast("QuerySet[Reaction, dict[str, Any]]", given.values("id", "emoji", "created_at", *card_columns("user")))


def edits(person: Any, post: Post) -> QuerySet[PostEdit]:
    """
    What a post said before, as far as the person could have read it then: words that were written for fewer people stay
    with them when the post is opened to more.
    """
    earlier = PostEdit.objects.filter(post=post)
    if post.author_id == person.pk:
        return earlier
    read = [Post.Visibility.PUBLIC]
    if MODERATE.held_by(person) or _follows(person, post):
        read.append(Post.Visibility.FOLLOWERS)
    return earlier.filter(visibility__in=read)


def _follows(person: Any, post: Post) -> bool:
    """Whether what is for followers is for the person, where the post is."""
    if person.pk is None:
        return False
    if post.channel_id:
        return ChannelMember.objects.filter(channel=post.channel_id, user=person.pk).exists()
    return Follow.objects.filter(follower=person.pk, followed=post.author_id).exists()


def sanctions(person_id: UUID) -> QuerySet[Decision]:
    """What was decided about a person, for `SanctionOutput.of`."""
    return Decision.objects.sanctions_of(person_id).select_related("case", "appeal", "undone_by")
