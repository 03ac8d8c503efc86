"""
Who may read and change what in the community. What somebody may not see is answered like what does not exist.

Posts have one rule (`PostQuerySet.visible_to`, docs/visibility.md), for every way to reach one.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, UUIDField, Value

from accounts.models import User
from core.api.errors import NotFound
from core.data.locks import lock
from social.errors import NotTheAuthor
from social.models import Channel, Comment, Group, Post
from social.permissions import MODERATE


def asker(person: Any) -> dict[str, Any]:
    """Who asks, for the statements of `social/sql` (visible_post.part.sql)."""
    if person.pk is None:
        return {"anonymous": True, "viewer": None}
    return {"viewer": person.pk, "moderator" if MODERATE.held_by(person) else "reader": True}


def access_post(person: Any, post_id: UUID) -> Post:
    """:raises NotFound: missing, deleted, or not theirs to read"""
    post = Post.objects.visible_to(person).filter(pk=post_id).first()
    if post is None:
        raise NotFound()
    return post


def access_own_post(person: Any, post_id: UUID) -> Post:
    """
    The person's own post, locked until the caller's transaction ends.

    :raises NotFound: missing, deleted, or not theirs to read
    :raises NotTheAuthor: somebody else's
    """
    post = lock(Post.objects.visible_to(person).filter(pk=post_id)).first()
    if post is None:
        raise NotFound()
    if post.author_id != person.pk:
        raise NotTheAuthor()
    return post


def access_post_to_delete(person: Any, post_id: UUID) -> Post:
    """
    A post that the person wrote, or may take away as a moderator; locked as `access_own_post` does.

    :raises NotFound: :raises NotTheAuthor:
    """
    post = lock(Post.objects.visible_to(person).filter(pk=post_id)).first()
    if post is None:
        raise NotFound()
    if post.author_id != person.pk and not MODERATE.held_by(person):
        raise NotTheAuthor()
    return post


def readers_among(post_id: UUID, people: Sequence[User]) -> set[UUID]:
    """Those of some people who may read a post: the one rule, asked for all of them in one query."""
    readers: list[Any] = [
        Post.objects.visible_to(person)
        .filter(pk=post_id)
        .annotate(reader=Value(person.pk, UUIDField()))
        .values_list("reader", flat=True)
        for person in people
    ]
    return set(readers[0].union(*readers[1:], all=True)) if readers else set()


def lock_thread(person: Any, post: Post, comment_id: UUID) -> Comment:
    """
    A comment under a post, locked together with the one above it, which counts it.

    :param post: one that the person may read
    :raises NotFound: no such comment that the person may see
    """
    above = Comment.objects.filter(pk=comment_id).values("parent_id")
    thread = Comment.objects.filter(Q(pk=comment_id) | Q(pk__in=above), post=post)
    locked = {comment.pk: comment for comment in lock(thread.order_by("pk"))}
    seen = Comment.objects.visible_to(person).filter(pk=comment_id, post=post)
    if comment_id not in locked or not seen.exists():
        raise NotFound()
    comment = locked[comment_id]
    comment.post = post
    return comment


def access_comment_to_delete(person: Any, post: Post, comment_id: UUID) -> Comment:
    """
    A comment that the person wrote, or may take away as a moderator; locked as `lock_thread` does.

    :raises NotFound: :raises NotTheAuthor:
    """
    comment = lock_thread(person, post, comment_id)
    if comment.author_id != person.pk and not MODERATE.held_by(person):
        raise NotTheAuthor()
    return comment


def access_group(person: Any, group_id: UUID) -> Group:
    """:raises NotFound: missing, or secret and the person neither member nor invited"""
    group = Group.objects.visible_to(person).filter(pk=group_id).first()
    if group is None:
        raise NotFound()
    return group


def access_channel(person: Any, channel_id: UUID) -> Channel:
    """:raises NotFound: missing or hidden"""
    channel = Channel.objects.visible_to(person).filter(pk=channel_id).first()
    if channel is None:
        raise NotFound()
    return channel
