"""People and hashtags in what is written, resolved when it is written."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import brakes
from accounts.models import Status, User
from accounts.relations import hidden_among
from social.access import readers_among
from social.errors import TooManyMentions, TooManyTags
from social.models import Comment, CommentMention, Post, PostMention, PostTag
from social.texts import hashtags, mentioned_ids

MAX_MENTIONS = 20
MAX_TAGS = 30


def check_mentions(content: str) -> None:
    """:raises TooManyMentions:"""
    if len(mentioned_ids(content)) > MAX_MENTIONS:
        raise TooManyMentions(field="content", most=MAX_MENTIONS)


def brake_words(person: Any, content: str, now: datetime) -> None:
    """
    What somebody new may write in one text: links, and how many people in an hour.

    :raises TooManyLinks: :raises SlowDown:
    """
    brakes.require_few_links(person, content, now)
    brakes.require_brake(person, brakes.Action.MENTIONS, len(mentioned_ids(content)), now)


def check_tags(content: str) -> None:
    """:raises TooManyTags:"""
    if len(hashtags(content)) > MAX_TAGS:
        raise TooManyTags(field="content", most=MAX_TAGS)


def mention_in_post(post: Post, *, now: datetime) -> list[UUID]:
    """
    Write whom a post names, as it stands, and its tags. Who may not read it stays plain text.

    :returns: whom it names and did not name before
    """
    named = _readers(post, mentioned_ids(post.content))
    before = set(post.mentions.values_list("user_id", flat=True))
    post.mentions.exclude(user__in=named).delete()
    fresh = [user_id for user_id in named if user_id not in before]
    PostMention.objects.bulk_create(PostMention(post=post, user_id=user_id, created_at=now) for user_id in fresh)
    tags = hashtags(post.content)
    post.tags.exclude(tag__in=tags).delete()
    PostTag.objects.bulk_create((PostTag(post=post, tag=tag, created_at=now) for tag in tags), ignore_conflicts=True)
    return fresh


def mention_in_comment(comment: Comment, post: Post, *, now: datetime) -> list[UUID]:
    """
    Write whom a new comment names. Who may not read the post, or is hidden from the comment's author, stays plain text.

    :returns: whom it names
    """
    ids = mentioned_ids(comment.content)
    if not ids:
        return []
    hidden = hidden_among(comment.author_id, ids)
    named = [user_id for user_id in _readers(post, ids) if user_id not in hidden]
    CommentMention.objects.bulk_create(
        CommentMention(comment=comment, user_id=user_id, created_at=now) for user_id in named
    )
    return named


def _readers(post: Post, ids: list[UUID]) -> list[UUID]:
    """Those of the people who may read the post, in the order that was given."""
    if not ids:
        return []
    people = list(User.objects.filter(pk__in=ids, status=Status.ACTIVE))
    readers = readers_among(post.pk, people)
    return [user_id for user_id in ids if user_id in readers]
