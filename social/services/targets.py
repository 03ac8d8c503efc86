"""What of the community, and of the apps below it, may be reported: how it is found, described and hidden."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Sum

from accounts.access import access_person
from accounts.models import Block, Status, User
from accounts.relations import not_hidden_from
from accounts.reportable import Target, TargetType, picture_facts, register
from accounts.services.profiles import SHOWN
from campaigns.access import access_campaign
from campaigns.models import Campaign
from core.api.errors import NotFound
from core.data.locks import lock
from social.access import access_channel, access_group, access_post, access_story
from social.models import Ad, Channel, Comment, Group, Membership, Post, Story
from social.services.comments import count_comment
from social.services.posts import is_for_everyone
from uploads.services import publish_file, seal_file


@register
class PostTarget(Target):
    type = TargetType.POST
    can_be_held = True

    def find(self, viewer: Any, id: UUID, now: datetime) -> Post:
        return access_post(viewer, id)

    def there(self) -> QuerySet[Post]:
        return Post.objects.filter(deleted_at__isnull=True)

    def person_id(self, thing: Post) -> UUID:
        return thing.author_id

    def describe(self, thing: Post) -> dict[str, Any]:
        files = [media.file for media in thing.media.select_related("file").order_by("position")]
        return {"title": "", "words": thing.content, "pictures": picture_facts(files)}

    def reach(self, thing: Post) -> int:
        return thing.counts.like_count + thing.counts.comment_count

    def set_hidden(self, thing: Post, at: datetime | None, now: datetime) -> None:
        """Its pin stays while nobody needs the place (`services.pins`), and so do its places in feeds."""
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


@register
class CommentTarget(Target):
    type = TargetType.COMMENT
    can_be_held = True

    def find(self, viewer: Any, id: UUID, now: datetime) -> Comment:
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


@register
class PersonTarget(Target):
    type = TargetType.USER
    can_be_hidden = False

    def find(self, viewer: Any, id: UUID, now: datetime) -> User:
        """Also one whom the viewer blocks: people block first and report then."""
        blocks = Block.objects.filter(blocker=viewer.pk, blocked=OuterRef("pk"))
        return self.there().filter(Exists(blocks), pk=id).first() or access_person(viewer.pk, id)

    def there(self) -> QuerySet[User]:
        return User.objects.exclude(status=Status.DELETED)

    def lock(self, id: UUID) -> User | None:
        """Only read: the caller has locked the person already, as whom the case is about."""
        return self.there().filter(pk=id).first()

    def person_id(self, thing: User) -> UUID:
        return thing.pk

    def describe(self, thing: User) -> dict[str, Any]:
        about = [thing.bio, thing.location, thing.website]
        pictures = thing.pictures.select_related("file").order_by("-kind")
        files = [picture.file for picture in pictures if picture.size == SHOWN[picture.kind]]
        return {"title": thing.name, "words": "\n\n".join(filter(None, about)), "pictures": picture_facts(files)}

    def reach(self, thing: User) -> int:
        profile = getattr(thing, "profile", None)
        return profile.followers_count if profile else 0


@register
class GroupTarget(Target):
    type = TargetType.GROUP

    def find(self, viewer: Any, id: UUID, now: datetime) -> Group:
        return access_group(viewer, id)

    def there(self) -> QuerySet[Group]:
        return Group.objects.all()

    def person_id(self, thing: Group) -> UUID | None:
        owners = Membership.objects.filter(group=thing, role=Membership.Role.OWNER)
        return owners.order_by("pk").values_list("user_id", flat=True).first()

    def describe(self, thing: Group) -> dict[str, Any]:
        files = [image for image in (thing.cover_image, thing.profile_image) if image]
        return {"title": thing.name, "words": thing.description, "pictures": picture_facts(files)}

    def reach(self, thing: Group) -> int:
        return thing.member_count


@register
class ChannelTarget(Target):
    type = TargetType.CHANNEL

    def find(self, viewer: Any, id: UUID, now: datetime) -> Channel:
        return access_channel(viewer, id)

    def there(self) -> QuerySet[Channel]:
        return Channel.objects.all()

    def person_id(self, thing: Channel) -> UUID:
        return thing.owner_id

    def describe(self, thing: Channel) -> dict[str, Any]:
        files = [image for image in (thing.cover_image, thing.profile_image, thing.banner) if image]
        return {"title": thing.name, "words": thing.description, "pictures": picture_facts(files)}

    def reach(self, thing: Channel) -> int:
        return thing.subscriber_count


@register
class CampaignTarget(Target):
    """Campaigns are stopped by those who moderate them (`campaigns.moderate`), not here."""

    type = TargetType.CAMPAIGN
    can_be_hidden = False

    def find(self, viewer: Any, id: UUID, now: datetime) -> Campaign:
        return access_campaign(viewer, id)

    def there(self) -> QuerySet[Campaign]:
        return Campaign.objects.all()

    def lock(self, id: UUID) -> Campaign | None:
        """Only read: nothing is changed in it."""
        return self.there().filter(pk=id).first()

    def person_id(self, thing: Campaign) -> UUID:
        return thing.owner_id

    def describe(self, thing: Campaign) -> dict[str, Any]:
        files = [media.file for media in thing.media.select_related("file").order_by("position")]
        return {
            "title": thing.title,
            "words": f"{thing.summary}\n\n{thing.description}",
            "pictures": picture_facts(files),
        }

    def reach(self, thing: Campaign) -> int:
        return thing.investor_count


@register
class StoryTarget(Target):
    type = TargetType.STORY

    def find(self, viewer: Any, id: UUID, now: datetime) -> Story:
        return access_story(viewer, id, now)

    def there(self) -> QuerySet[Story]:
        return Story.objects.all()

    def person_id(self, thing: Story) -> UUID:
        return thing.author_id

    def describe(self, thing: Story) -> dict[str, Any]:
        return {"title": "", "words": thing.caption, "pictures": picture_facts([thing.file])}

    def reach(self, thing: Story) -> int:
        return thing.views_count


@register
class AdTarget(Target):
    type = TargetType.AD

    def find(self, viewer: Any, id: UUID, now: datetime) -> Ad:
        """One that is shown in feeds, or was until its advertiser paused it."""
        shown = Ad.objects.filter(
            status__in=[Ad.Status.APPROVED, Ad.Status.PAUSED],
            starts_at__lte=now,
            ends_at__gt=now,
            hidden_at__isnull=True,
            advertiser__status=Status.ACTIVE,
        )
        own = Ad.objects.filter(advertiser=viewer.pk)
        ad = (shown.filter(not_hidden_from(viewer.pk, "advertiser_id")) | own).filter(pk=id).first()
        if ad is None:
            raise NotFound()
        return ad

    def there(self) -> QuerySet[Ad]:
        return Ad.objects.all()

    def person_id(self, thing: Ad) -> UUID:
        return thing.advertiser_id

    def describe(self, thing: Ad) -> dict[str, Any]:
        words = "\n\n".join(filter(None, [thing.body, thing.target_url]))
        return {"title": thing.title, "words": words, "pictures": picture_facts([thing.file])}

    def reach(self, thing: Ad) -> int:
        return thing.days.aggregate(shown=Sum("impressions"))["shown"] or 0
