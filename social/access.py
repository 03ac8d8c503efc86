"""
Who may read and change what in the community. What somebody may not see is answered like what does not exist.

Posts have one rule (`PostQuerySet.visible_to`, docs/visibility.md), for every way to reach one.
"""

from typing import Any
from uuid import UUID

from core.api.errors import NotFound
from core.data.locks import lock
from social.errors import NotTheAuthor
from social.models import Channel, Group, Post
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
