"""Personal data in the community (core.privacy). What somebody published goes with them; counts of others follow."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.services.counts import count
from core.data import sql
from core.data.locks import lock
from core.privacy import Cascade, Delete, DeleteAfter, Kept, Withheld, declare, declare_impersonal
from social.models import (
    AuthorCounts,
    Channel,
    ChannelMember,
    ChannelPin,
    Comment,
    CommentLike,
    CommentMention,
    Follow,
    Group,
    Membership,
    Post,
    PostCounts,
    PostEdit,
    PostMedia,
    PostMention,
    PostTag,
    Reaction,
)
from social.services.comments import bury_comment, count_comment_like
from social.services.reactions import count_reaction
from uploads.services import delete_file

AS_LONG_AS_THE_ACCOUNT = Kept("as long as the account")
BATCH = 500
"""Rows that an erasure takes back in one exchange with the database."""
KEPT_AFTER_DELETION = timedelta(days=30)
"""How long a deleted post or comment stays as an empty row, for reports about it that are still open."""


def posts_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    said = Post.objects.filter(author_id=person_id, deleted_at__isnull=True).order_by("pk")
    for post in said.prefetch_related("media__file", "edits", "tags"):
        yield {
            "id": post.pk,
            "content": post.content,
            "visibility": post.visibility,
            "groupId": post.group_id,
            "channelId": post.channel_id,
            "campaignId": post.campaign_id,
            "authorRole": post.author_role or None,
            "media": [{"fileId": media.file_id, "alt": media.file.alt} for media in post.media.all()],
            "tags": [tag.tag for tag in post.tags.all()],
            "edits": [{"content": edit.content, "replacedAt": edit.replaced_at} for edit in post.edits.all()],
            "createdAt": post.created_at,
            "editedAt": post.edited_at,
            "hiddenAt": post.hidden_at,
        }


def delete_posts(*, person_id: UUID, now: datetime) -> None:
    """With everything under them; pictures leave the store too."""
    posts = Post.objects.filter(author_id=person_id)
    count(user_id=person_id, posts=-posts.filter(deleted_at__isnull=True).count())
    for media in PostMedia.objects.filter(post__in=posts).select_related("file"):
        media.delete()
        delete_file(media.file, now=now)
    posts.delete()


def delete_reactions(*, person_id: UUID, now: datetime) -> None:
    given = Reaction.objects.filter(user_id=person_id).order_by("post_id", "emoji")
    while some := list(given[:BATCH]):
        Reaction.objects.filter(pk__in=[reaction.pk for reaction in some]).delete()
        with sql.together():
            for reaction in some:
                count_reaction(reaction.post_id, reaction.emoji, -1)


def delete_comment_likes(*, person_id: UUID, now: datetime) -> None:
    given = CommentLike.objects.filter(user_id=person_id).order_by("comment_id")
    while some := list(given[:BATCH]):
        CommentLike.objects.filter(pk__in=[like.pk for like in some]).delete()
        with sql.together():
            for like in some:
                count_comment_like(like.comment_id, -1)


def bury_comments(*, person_id: UUID, now: datetime) -> None:
    """Tombstones stay, so that what others replied has its place."""
    own = Comment.objects.filter(author_id=person_id, deleted_at__isnull=True)
    above = own.filter(parent__isnull=False).values("parent_id")
    list(lock(Comment.objects.filter(Q(pk__in=own.values("pk")) | Q(pk__in=above)).order_by("pk")))
    for comment in own.select_related("post").order_by("post_id", "pk"):
        bury_comment(comment, actor=None, now=now)


def delete_follows(*, person_id: UUID, now: datetime) -> None:
    for follow in Follow.objects.filter(Q(follower=person_id) | Q(followed=person_id)).order_by("pk"):
        others_is_followed = follow.follower_id == person_id
        other = follow.followed_id if others_is_followed else follow.follower_id
        follow.delete()
        count(user_id=other, followers=-1 if others_is_followed else 0, following=0 if others_is_followed else -1)


declare(
    Follow,
    person="follower_id",
    export=("followed_id", "created_at"),
    erase=delete_follows,
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(
    Group,
    export=Withheld("exported as the person's memberships"),
    erase=Kept("belongs to its members"),
    retention=Kept("as long as its members"),
)
declare(
    Membership,
    person="user_id",
    export=("group_id", "group__name", "role", "status", "created_at", "changed_at"),
    erase=Delete(),
    retention=Cascade("group"),
)
declare(
    Channel,
    person="owner_id",
    export=("id", "name", "description", "subscriber_count", "created_at"),
    erase=Delete(),
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(
    ChannelMember,
    person="user_id",
    export=("channel_id", "channel__name", "role", "created_at"),
    erase=Delete(),
    retention=Cascade("channel"),
)
declare(
    Post,
    export=posts_of,
    erase=delete_posts,
    retention=DeleteAfter(KEPT_AFTER_DELETION, since="deleted_at"),
)
declare(
    PostMedia,
    export=Withheld("exported with its post, and among the files"),
    erase=Cascade("post"),
    retention=Cascade("post"),
)
declare(
    AuthorCounts,
    export=Withheld("how many of the exported posts there are"),
    erase=Delete(),
    person="user_id",
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(PostEdit, export=Withheld("exported with its post"), erase=Cascade("post"), retention=Cascade("post"))
declare(
    PostMention,
    person="user_id",
    export=("post_id",),
    erase=Delete(),
    retention=Cascade("post"),
)
declare_impersonal(PostCounts, about="numbers of a post", retention=Cascade("post"))
declare_impersonal(PostTag, about="words that a post is found by", retention=Cascade("post"))
declare_impersonal(ChannelPin, about="which posts stand at the top of a channel", retention=Cascade("post"))
declare(
    Reaction,
    person="user_id",
    export=("post_id", "emoji", "created_at"),
    erase=delete_reactions,
    retention=Cascade("post"),
)
declare(
    Comment,
    person="author_id",
    export=("id", "post_id", "parent_id", "content", "author_role", "created_at", "edited_at", "deleted_at"),
    erase=bury_comments,
    retention=Cascade("post"),
)
declare(
    CommentMention,
    person="user_id",
    export=("comment_id",),
    erase=Delete(),
    retention=Cascade("comment"),
)
declare(
    CommentLike,
    person="user_id",
    export=("comment_id", "created_at"),
    erase=delete_comment_likes,
    retention=Cascade("comment"),
)
