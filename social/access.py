"""
Who may read and change what in the community. What somebody may not see is answered like what does not exist.

Posts have one rule (`PostQuerySet.visible_to`, docs/visibility.md), for every way to reach one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, UUIDField, Value

from accounts.access import access_person
from accounts.models import User
from core.api.errors import NotFound
from core.data.locks import lock
from social.errors import ChannelRoleRequired, GroupRoleRequired, MembersOnly, NotBelowYou, NotTheAuthor
from social.group_rights import RIGHTS, Action, outranks, roles_with
from social.models import Channel, ChannelMember, Comment, Group, Membership, Post, Story
from social.permissions import MODERATE


def asker(person: Any) -> dict[str, Any]:
    """Who asks, for the statements of `social/sql` (visible_post.part.sql)."""
    if person.pk is None:
        return {"anonymous": True, "viewer": None}
    return {"viewer": person.pk, "moderator" if MODERATE.held_by(person) else "reader": True}


def reader(person: Any) -> dict[str, Any]:
    """Somebody who reads without the rights that they may have as a moderator: their feed is that of a person."""
    return {"viewer": person.pk, "reader": True}


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
    A post that the person wrote, or may take away as a moderator, also of its group; locked as `access_own_post` does.

    :raises NotFound: :raises NotTheAuthor:
    """
    post = lock(Post.objects.visible_to(person).filter(pk=post_id)).first()
    if post is None:
        raise NotFound()
    if post.author_id != person.pk and not MODERATE.held_by(person) and not can_remove_in_group(person, post):
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
    locked = _lock_with_parent(post, comment_id)
    seen = Comment.objects.visible_to(person).filter(pk=comment_id, post=post)
    if comment_id not in locked or not seen.exists():
        raise NotFound()
    return locked[comment_id]


def _lock_with_parent(post: Post, comment_id: UUID) -> dict[UUID, Comment]:
    above = Comment.objects.filter(pk=comment_id).values("parent_id")
    thread = Comment.objects.filter(Q(pk=comment_id) | Q(pk__in=above), post=post)
    locked = {comment.pk: comment for comment in lock(thread.order_by("pk"))}
    for comment in locked.values():
        comment.post = post
    return locked


def access_comment_to_delete(person: Any, post_id: UUID, comment_id: UUID) -> Comment:
    """
    A comment that the person wrote, or may take away as a moderator, also of the group; locked as `lock_thread` does.
    One's own also where one may not read the post any more: its author blocks one, or one has left the group.

    :raises NotFound: :raises NotTheAuthor:
    """
    own = Comment.objects.filter(pk=comment_id, post=post_id, author=person.pk, post__deleted_at__isnull=True)
    if (written := own.select_related("post").first()) is not None:
        return _lock_with_parent(written.post, comment_id)[comment_id]
    post = access_post(person, post_id)
    comment = lock_thread(person, post, comment_id)
    if comment.author_id != person.pk and not MODERATE.held_by(person) and not can_remove_in_group(person, post):
        raise NotTheAuthor()
    return comment


def access_group(person: Any, group_id: UUID) -> Group:
    """:raises NotFound: missing, or secret and the person neither member nor invited"""
    group = Group.objects.visible_to(person).filter(pk=group_id).first()
    if group is None:
        raise NotFound()
    return group


@dataclass(frozen=True)
class PlaceInGroup:
    """A group, and what somebody is in it."""

    group: Group
    membership: Membership | None

    @property
    def role(self) -> str | None:
        """None for who is no member."""
        is_member = self.membership is not None and self.membership.status == Membership.Status.MEMBER
        return self.membership.role if is_member and self.membership else None

    def may(self, action: Action) -> bool:
        return self.role is not None and self.role in RIGHTS[action]

    def require(self, action: Action) -> None:
        """:raises GroupRoleRequired: the role is not one that may do it"""
        if not self.may(action):
            raise GroupRoleRequired(roles=", ".join(roles_with(action)))

    def require_above(self, other: Membership | None) -> None:
        """Whoever is no member is below everybody. :raises NotBelowYou: the same role or a higher one, or oneself"""
        if other is None or other.status != Membership.Status.MEMBER:
            return
        if self.role is None or not outranks(self.role, other.role):
            raise NotBelowYou()

    def of(self, user_id: UUID) -> Membership | None:
        """What another person is in the group."""
        return Membership.objects.filter(group=self.group, user=user_id).first()


def access_place(person: Any, group_id: UUID) -> PlaceInGroup:
    """:raises NotFound: as `access_group`"""
    group = access_group(person, group_id)
    return PlaceInGroup(group, Membership.objects.filter(group=group, user=person.pk).first())


def lock_place(person: Any, group_id: UUID) -> PlaceInGroup:
    """
    The same, with the group locked until the caller's transaction ends: whoever changes who is in a group, as what, or
    how many, holds this lock.

    :raises NotFound: as `access_group`
    """
    lock_group(group_id)
    return access_place(person, group_id)


def lock_group(group_id: UUID) -> Group:
    """:raises NotFound: there is none"""
    group = lock(Group.objects.filter(pk=group_id)).first()
    if group is None:
        raise NotFound()
    return group


def access_staff_list(person: Any, group_id: UUID, action: Action) -> Group:
    """
    A group whose requests or bans the person may look through: who decides on them, and moderators of the platform.

    :raises NotFound: as `access_group`
    :raises GroupRoleRequired: another role, or none
    """
    place = access_place(person, group_id)
    if not MODERATE.held_by(person):
        place.require(action)
    return place.group


def access_member_list(person: Any, group_id: UUID) -> Group:
    """
    A group whose members the person may look through: those of a public group everybody but who is banned, others its
    members, all of them moderators of the platform.

    :raises NotFound: as `access_group`
    :raises MembersOnly: anybody else
    """
    place = access_place(person, group_id)
    if place.role is not None or MODERATE.held_by(person):
        return place.group
    is_banned = place.membership is not None and place.membership.status == Membership.Status.BANNED
    if is_banned or place.group.visibility != Group.Visibility.PUBLIC:
        raise MembersOnly()
    return place.group


def can_remove_in_group(person: Any, post: Post) -> bool:
    """Whether somebody may delete a post of others, and comments under it, because of their role in its group."""
    if post.group_id is None:
        return False
    membership = Membership.objects.members().filter(group=post.group_id, user=person.pk).first()
    return membership is not None and membership.role in RIGHTS[Action.REMOVE_CONTENT]


def access_channel(person: Any, channel_id: UUID) -> Channel:
    """:raises NotFound: missing, hidden, or of an owner who is hidden from the person"""
    channel = Channel.objects.visible_to(person).filter(pk=channel_id).first()
    if channel is None:
        raise NotFound()
    return channel


@dataclass(frozen=True)
class PlaceInChannel:
    """A channel, and what somebody is in it."""

    channel: Channel
    membership: ChannelMember | None

    @property
    def role(self) -> str | None:
        return self.membership.role if self.membership else None

    def require(self, *roles: str) -> None:
        """:raises ChannelRoleRequired: the role is another one"""
        if self.role not in roles:
            raise ChannelRoleRequired(roles=", ".join(roles))

    def of(self, user_id: UUID) -> ChannelMember | None:
        """What another person is in the channel."""
        return ChannelMember.objects.filter(channel=self.channel, user=user_id).first()


def access_channel_place(person: Any, channel_id: UUID) -> PlaceInChannel:
    """:raises NotFound: as `access_channel`"""
    channel = access_channel(person, channel_id)
    return PlaceInChannel(channel, ChannelMember.objects.filter(channel=channel, user=person.pk).first())


def lock_channel_place(person: Any, channel_id: UUID) -> PlaceInChannel:
    """
    The same, with the channel locked until the caller's transaction ends: whoever changes its subscribers, editors,
    owner or pins holds this lock.

    :raises NotFound: as `access_channel`
    """
    lock_channel(channel_id)
    return access_channel_place(person, channel_id)


def lock_channel(channel_id: UUID) -> Channel:
    """:raises NotFound: there is none"""
    channel = lock(Channel.objects.filter(pk=channel_id)).first()
    if channel is None:
        raise NotFound()
    return channel


def access_profile(viewer: Any, user_id: UUID) -> User:
    """:raises NotFound: nobody, erased, suspended, or hidden from the viewer by a block"""
    person = access_person(viewer.pk, user_id)
    if not person.is_active:
        raise NotFound()
    return person


def access_story(viewer: Any, story_id: UUID, now: datetime, *, is_locked: bool = False) -> Story:
    """
    :param is_locked: until the caller's transaction ends
    :raises NotFound: ended, missing, or not theirs to see
    """
    stories = Story.objects.visible_to(viewer, now).filter(pk=story_id).select_related("file")
    story = (lock(stories) if is_locked else stories).first()
    if story is None:
        raise NotFound()
    return story


def access_own_story(person: Any, story_id: UUID, now: datetime, *, is_locked: bool = False) -> Story:
    """
    The person's own story.

    :param is_locked: until the caller's transaction ends
    :raises NotFound: ended, missing, or not theirs to see
    :raises NotTheAuthor: somebody else's
    """
    story = access_story(person, story_id, now, is_locked=is_locked)
    if story.author_id != person.pk:
        raise NotTheAuthor()
    return story


def access_story_to_delete(person: Any, story_id: UUID, now: datetime) -> Story:
    """As `access_own_story`, locked, and anybody's for a moderator."""
    if not MODERATE.held_by(person):
        return access_own_story(person, story_id, now, is_locked=True)
    story = lock(Story.objects.live_at(now).filter(pk=story_id)).select_related("file").first()
    if story is None:
        raise NotFound()
    return story
