"""
What may be reported: how to find it, what moderators read of it, and what they can do with it.

A new kind of thing needs a value in `TargetType` and a class here.
"""

import hashlib
from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.db.models import QuerySet

from accounts.access import access_person
from accounts.models import Status, User
from campaigns.access import access_campaign
from campaigns.models import Campaign
from core.api.errors import NotFound
from core.data.locks import lock
from social.access import access_channel, access_group, access_post
from social.models import Channel, ChannelPin, Comment, Group, Membership, Post
from social.models.moderation import TargetType
from social.services.comments import count_comment
from social.services.posts import is_for_everyone
from uploads.services import publish_file, seal_file


class Target(ABC):
    """A kind of thing that may be reported."""

    type: ClassVar[TargetType]
    can_be_hidden: ClassVar[bool] = True
    can_be_held: ClassVar[bool] = False
    """Whether it can be hidden until a moderator has decided."""

    @abstractmethod
    def find(self, viewer: Any, id: UUID) -> Any:
        """
        The thing, for somebody who may see it.

        :raises NotFound: missing, or not theirs to see
        """

    @abstractmethod
    def there(self) -> QuerySet[Any]:
        """All that are there, hidden or not."""

    def lock(self, id: UUID) -> Any | None:
        """The thing as it is now, locked; None if it is gone."""
        return lock(self.there().filter(pk=id)).first()

    @abstractmethod
    def person_id(self, thing: Any) -> UUID | None:
        """Whose it is: who is told of a decision about it."""

    @abstractmethod
    def describe(self, thing: Any) -> dict[str, Any]:
        """
        What moderators compare, as JSON: `title` and `words`, and `pictures` with their ids.
        """

    def reach(self, thing: Any) -> int:
        """About how many people it reached, for the order of the queue."""
        return 0

    def set_hidden(self, thing: Any, at: datetime | None, now: datetime) -> None:
        """:param at: since when it is hidden; None: it is shown again"""
        thing.hidden_at = at
        thing.save(update_fields=["hidden_at"])

    def set_held(self, thing: Any, at: datetime | None, now: datetime) -> None:
        """:param at: since when it waits for a moderator, hidden; None: it does not"""
        raise NotImplementedError

    def is_hidden(self, thing: Any) -> bool:
        return getattr(thing, "hidden_at", None) is not None


class PostTarget(Target):
    type = TargetType.POST
    can_be_held = True

    def find(self, viewer: Any, id: UUID) -> Post:
        return access_post(viewer, id)

    def there(self) -> QuerySet[Post]:
        return Post.objects.filter(deleted_at__isnull=True)

    def person_id(self, thing: Post) -> UUID:
        return thing.author_id

    def describe(self, thing: Post) -> dict[str, Any]:
        pictures = [
            {"id": str(media.file_id), "alt": media.file.alt}
            for media in thing.media.select_related("file").order_by("position")
        ]
        return {"title": "", "words": thing.content, "pictures": pictures}

    def reach(self, thing: Post) -> int:
        return thing.counts.like_count + thing.counts.comment_count

    def set_hidden(self, thing: Post, at: datetime | None, now: datetime) -> None:
        if at is not None:
            ChannelPin.objects.filter(post=thing).delete()
        self._conceal(thing, now, hidden_at=at)

    def set_held(self, thing: Post, at: datetime | None, now: datetime) -> None:
        self._conceal(thing, now, held_at=at)

    def _conceal(self, post: Post, now: datetime, **since: datetime | None) -> None:
        """Its pictures leave their lasting addresses and come back with it."""
        for name, moment in since.items():
            setattr(post, name, moment)
        post.save(update_fields=list(since))
        move = publish_file if is_for_everyone(post) else seal_file
        for media in post.media.select_related("file"):
            move(media.file, now=now)


class CommentTarget(Target):
    type = TargetType.COMMENT
    can_be_held = True

    def find(self, viewer: Any, id: UUID) -> Comment:
        comment = Comment.objects.visible_to(viewer).filter(pk=id, deleted_at__isnull=True).first()
        if comment is None or (comment.hidden_at is not None and comment.author_id != viewer.pk):
            raise NotFound()
        access_post(viewer, comment.post_id)
        return comment

    def there(self) -> QuerySet[Comment]:
        return Comment.objects.filter(deleted_at__isnull=True)

    def lock(self, id: UUID) -> Comment | None:
        """The comment above it is locked with it, since it counts it."""
        above = Comment.objects.filter(pk=id).values_list("parent_id", flat=True).first()
        locked = {row.pk: row for row in lock(Comment.objects.filter(pk__in=[id, above or id]).order_by("pk"))}
        comment = locked.get(id)
        return comment if comment is not None and comment.deleted_at is None else None

    def person_id(self, thing: Comment) -> UUID:
        return thing.author_id

    def describe(self, thing: Comment) -> dict[str, Any]:
        return {"title": "", "words": thing.content, "pictures": []}

    def reach(self, thing: Comment) -> int:
        return thing.like_count + thing.replies_count

    def set_hidden(self, thing: Comment, at: datetime | None, now: datetime) -> None:
        """A hidden comment is not counted; its replies stay."""
        is_change = (thing.hidden_at is None) != (at is None)
        super().set_hidden(thing, at, now)
        if is_change:
            count_comment(thing, -1 if at is not None else 1)

    def set_held(self, thing: Comment, at: datetime | None, now: datetime) -> None:
        thing.held_at = at
        thing.save(update_fields=["held_at"])


class PersonTarget(Target):
    type = TargetType.USER
    can_be_hidden = False

    def find(self, viewer: Any, id: UUID) -> User:
        return access_person(viewer.pk, id)

    def there(self) -> QuerySet[User]:
        return User.objects.exclude(status=Status.DELETED)

    def lock(self, id: UUID) -> User | None:
        """Only read: the caller has locked the person already, as whom the case is about."""
        return self.there().filter(pk=id).first()

    def person_id(self, thing: User) -> UUID:
        return thing.pk

    def describe(self, thing: User) -> dict[str, Any]:
        about = [thing.bio, thing.location, thing.website]
        pictures = [{"url": url} for url in (thing.profile_photo, thing.cover_photo) if url]
        return {"title": thing.name, "words": "\n\n".join(filter(None, about)), "pictures": pictures}

    def reach(self, thing: User) -> int:
        profile = getattr(thing, "profile", None)
        return profile.followers_count if profile else 0


class GroupTarget(Target):
    type = TargetType.GROUP

    def find(self, viewer: Any, id: UUID) -> Group:
        return access_group(viewer, id)

    def there(self) -> QuerySet[Group]:
        return Group.objects.all()

    def person_id(self, thing: Group) -> UUID | None:
        owners = Membership.objects.filter(group=thing, role=Membership.Role.OWNER)
        return owners.order_by("pk").values_list("user_id", flat=True).first()

    def describe(self, thing: Group) -> dict[str, Any]:
        pictures = [{"id": str(id)} for id in (thing.cover_image_id, thing.profile_image_id) if id]
        return {"title": thing.name, "words": thing.description, "pictures": pictures}

    def reach(self, thing: Group) -> int:
        return thing.member_count


class ChannelTarget(Target):
    type = TargetType.CHANNEL

    def find(self, viewer: Any, id: UUID) -> Channel:
        return access_channel(viewer, id)

    def there(self) -> QuerySet[Channel]:
        return Channel.objects.all()

    def person_id(self, thing: Channel) -> UUID:
        return thing.owner_id

    def describe(self, thing: Channel) -> dict[str, Any]:
        images = (thing.cover_image_id, thing.profile_image_id, thing.banner_id)
        pictures = [{"id": str(id)} for id in images if id]
        return {"title": thing.name, "words": thing.description, "pictures": pictures}

    def reach(self, thing: Channel) -> int:
        return thing.subscriber_count


class CampaignTarget(Target):
    """Campaigns are stopped by those who moderate them (`campaigns.moderate`), not here."""

    type = TargetType.CAMPAIGN
    can_be_hidden = False

    def find(self, viewer: Any, id: UUID) -> Campaign:
        return access_campaign(viewer, id)

    def there(self) -> QuerySet[Campaign]:
        return Campaign.objects.all()

    def lock(self, id: UUID) -> Campaign | None:
        """Only read: nothing is changed in it."""
        return self.there().filter(pk=id).first()

    def person_id(self, thing: Campaign) -> UUID:
        return thing.owner_id

    def describe(self, thing: Campaign) -> dict[str, Any]:
        return {"title": thing.title, "words": f"{thing.summary}\n\n{thing.description}", "pictures": []}

    def reach(self, thing: Campaign) -> int:
        return thing.investor_count


TARGETS: dict[str, Target] = {
    target.type.value: target
    for target in (PostTarget(), CommentTarget(), PersonTarget(), GroupTarget(), ChannelTarget(), CampaignTarget())
}


def fingerprint(description: dict[str, Any] | None) -> str:
    """A short text that changes with what moderators read of a thing; of None, which is gone, too."""
    return hashlib.sha256(orjson.dumps(description, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
