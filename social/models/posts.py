"""Posts, their pictures, edits, mentions, tags, counts and reactions."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import Status
from accounts.relations import not_hidden_from
from campaigns.models import AuthorRole
from core.models import Entity
from social.models.channels import Channel, ChannelMember
from social.models.follows import Follow
from social.models.groups import Group, Membership
from social.permissions import MODERATE


class PostQuerySet(models.QuerySet["Post"]):
    def visible_to(self, viewer: Any) -> Self:
        """
        The one rule of who may read a post (docs/visibility.md); `social/sql/visible_post.part.sql` says the same.

        :param viewer: a person, or `core.api.principals.Anonymous`
        """
        there = self.filter(deleted_at__isnull=True)
        if MODERATE.held_by(viewer):
            return there.filter(~Q(visibility=Post.Visibility.PRIVATE) | Q(author_id=viewer.pk))
        return self.visible_to_reader(viewer)

    def visible_to_reader(self, viewer: Any) -> Self:
        """The same for somebody without the rights of a moderator, or who reads without them: in a feed."""
        there = self.filter(deleted_at__isnull=True)
        shown = Q(author__status=Status.ACTIVE, hidden_at__isnull=True, held_at__isnull=True)
        shown &= Q(channel__isnull=True) | Q(channel__hidden_at__isnull=True)
        shown &= Q(group__isnull=True) | Q(group__hidden_at__isnull=True)
        in_public_group = Q(group__visibility=Group.Visibility.PUBLIC)
        for_all = Q(visibility=Post.Visibility.PUBLIC) & (Q(group__isnull=True) | in_public_group)
        if viewer.pk is None:
            return there.filter(shown & for_all)
        members = Membership.objects.filter(group=OuterRef("group_id"), user=viewer.pk)
        member = Exists(members.filter(status=Membership.Status.MEMBER))
        banned = Exists(members.filter(status=Membership.Status.BANNED))
        subscriber = Exists(ChannelMember.objects.filter(channel=OuterRef("channel_id"), user=viewer.pk))
        follower = Exists(Follow.objects.filter(follower=viewer.pk, followed=OuterRef("author_id")))
        for_me = (
            (for_all & ~banned)
            | (Q(group__isnull=False) & member)
            | (Q(visibility=Post.Visibility.FOLLOWERS, group__isnull=True, channel__isnull=False) & subscriber)
            | (Q(visibility=Post.Visibility.FOLLOWERS, group__isnull=True, channel__isnull=True) & follower)
        )
        return there.filter(Q(author_id=viewer.pk) | (shown & for_me & not_hidden_from(viewer.pk, "author_id")))


class Post(Entity):
    """
    Something that a person published. Its audience is the group's where it is in a group; in a channel `followers` are
    its subscribers.
    """

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        FOLLOWERS = "followers"
        PRIVATE = "private"

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="posts", db_index=False)
    content = models.TextField(max_length=5000, blank=True)
    visibility = models.CharField(max_length=9, choices=Visibility, default=Visibility.PUBLIC)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, related_name="posts", db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, null=True, related_name="posts", db_index=False)
    campaign = models.ForeignKey(
        "campaigns.Campaign", on_delete=models.PROTECT, null=True, related_name="posts", db_index=False
    )
    """What it is about: a campaign that was public when this was written."""
    author_role = models.CharField(max_length=8, choices=AuthorRole, default="", blank=True)
    """Computed when it was written; nothing changes it afterwards (migrations/_rules.py)."""
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    """When moderation hid it: only its author and moderators read it."""
    held_at = models.DateTimeField(null=True, blank=True)
    """Since when it waits for a moderator, because trusted people reported it."""
    delivered_at = models.DateTimeField(null=True, blank=True)
    """When it was in the feeds of everyone who follows its source; until then feeds look for it themselves."""

    objects: ClassVar[PostQuerySet] = PostQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(visibility__in=["public", "followers", "private"]), name="post_visibility_is_known"
            ),
            models.CheckConstraint(
                condition=Q(group__isnull=True, channel__isnull=True)
                | Q(group__isnull=False, channel__isnull=True, visibility="public")
                | Q(group__isnull=True, channel__isnull=False, visibility__in=["public", "followers"]),
                name="post_has_one_audience",
            ),
            models.CheckConstraint(
                condition=Q(author_role__in=["", *AuthorRole.values]) & (Q(campaign__isnull=False) | Q(author_role="")),
                name="post_author_role_is_about_a_campaign",
            ),
        ]
        indexes = [
            models.Index(fields=["author", "-id"], condition=Q(deleted_at__isnull=True), name="post_by_author"),
            models.Index(
                fields=["group", "-id"], condition=Q(group__isnull=False, deleted_at__isnull=True), name="post_by_group"
            ),
            models.Index(
                fields=["channel", "-id"],
                condition=Q(channel__isnull=False, deleted_at__isnull=True),
                name="post_by_channel",
            ),
            models.Index(
                fields=["campaign", "-id"],
                condition=Q(campaign__isnull=False, deleted_at__isnull=True),
                name="post_by_campaign",
            ),
            models.Index(fields=["-id"], condition=Q(delivered_at__isnull=True), name="post_to_deliver"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


def etag_of(edited_at: datetime | None) -> str:
    """The version of a post: each edit has a moment of its own."""
    return f'"{int(edited_at.timestamp() * 1_000_000)}"' if edited_at else '"0"'


class PostCounts(models.Model):
    """What lists show of a post, kept apart since it changes often: its row is the lock of likes and comments."""

    lock_level: ClassVar = 85

    post = models.OneToOneField(Post, on_delete=models.CASCADE, primary_key=True, related_name="counts")
    like_count = models.PositiveIntegerField(default=0)
    """How many 👍 reactions there are."""
    comment_count = models.PositiveIntegerField(default=0)
    """Comments and replies that are neither deleted nor hidden."""
    reactions = models.JSONField(default=dict)
    """How many of each emoji: `{"👍": 3, "🎉": 1}`. `social_verify` compares it with the rows."""

    class Meta:
        verbose_name_plural = "post counts"

    def __str__(self) -> str:
        return str(self.post_id)


class AuthorCounts(models.Model):
    """
    How many posts of a person others may read at most: on their own page (neither in a group nor in a channel), neither
    deleted nor hidden nor held. A trigger keeps it (migrations/_rules_posts.py), whoever changes a post.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="post_counts"
    )
    public_posts = models.PositiveIntegerField(default=0)
    followers_posts = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "author counts"

    def __str__(self) -> str:
        return str(self.user_id)


class PostMedia(Entity):
    """A picture or video of a post, in its place. What it shows, in words, is kept with the file (`StoredFile.alt`)."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="media", db_index=False)
    file = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "post media"
        constraints = [models.UniqueConstraint(fields=["post", "position"], name="post_media_has_its_own_place")]

    def __str__(self) -> str:
        return f"{self.post_id} {self.position}"


class PostEdit(Entity):
    """What a post said before an edit; read by whoever sees the post."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="edits", db_index=False)
    content = models.TextField(max_length=5000, blank=True)
    visibility = models.CharField(max_length=9, choices=Post.Visibility)
    replaced_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["post", "-id"], name="post_history")]

    def __str__(self) -> str:
        return f"{self.post_id} until {self.replaced_at}"


class PostMention(Entity):
    """Somebody whom a post names, resolved when it was written."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="mentions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "user"], name="post_mentions_a_person_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.post_id}"


class PostTag(Entity):
    """A hashtag of a post, folded as search folds words."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="tags", db_index=False)
    tag = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "tag"], name="post_has_a_tag_once")]
        indexes = [models.Index(fields=["tag", "-post"], name="post_by_tag")]

    def __str__(self) -> str:
        return f"#{self.tag} of {self.post_id}"


class Reaction(Entity):
    """One emoji of one person under a post. A like is the 👍."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="reactions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    emoji = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "user", "emoji"], name="person_reacts_once_with_an_emoji"),
        ]
        indexes = [
            models.Index(fields=["post", "-id"], name="reaction_by_post"),
            models.Index(fields=["post", "emoji", "-id"], name="reaction_by_emoji"),
            models.Index(fields=["user", "-id"], name="reaction_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.emoji} of {self.user_id}"
