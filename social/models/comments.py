"""Comments and replies, two levels, and their likes."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Status
from accounts.relations import not_hidden_from
from campaigns.models import AuthorRole
from core.models import Entity
from social.models.posts import Post
from social.permissions import MODERATE


class CommentQuerySet(models.QuerySet["Comment"]):
    def visible_to(self, viewer: Any) -> Self:
        """
        Those under a post that the viewer may read; `social/sql/visible_comment.part.sql` says the same. A deleted one
        is there as a tombstone without an author, and so is a hidden one for everybody but its author and moderators;
        what somebody wrote on the other side of a block is not there at all.
        """
        if MODERATE.held_by(viewer):
            return self
        shown = Q(author__status=Status.ACTIVE, held_at__isnull=True) & not_hidden_from(viewer.pk, "author_id")
        tombstone = Q(deleted_at__isnull=False)
        return self.filter(tombstone | shown | Q(author_id=viewer.pk) if viewer.pk else tombstone | shown)


class Comment(Entity):
    """A comment on a post, or a reply to one (`parent`)."""

    lock_level: ClassVar = 80

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="comments", db_index=False)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="replies", db_index=False)
    """The comment that this answers; a reply has no replies (migrations/_rules.py)."""
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="comments", db_index=False
    )
    content = models.TextField(max_length=2000)
    """Empty once it was deleted."""
    author_role = models.CharField(max_length=8, choices=AuthorRole, default="", blank=True)
    """As in `Post`: about the post's campaign."""
    replies_count = models.PositiveIntegerField(default=0)
    """Replies that are neither deleted nor hidden."""
    like_count = models.PositiveIntegerField(default=0)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[CommentQuerySet] = CommentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True) | Q(content=""), name="deleted_comment_has_no_words"
            ),
        ]
        indexes = [
            models.Index(fields=["post", "-id"], condition=Q(parent__isnull=True), name="comment_by_post"),
            models.Index(fields=["parent", "id"], condition=Q(parent__isnull=False), name="reply_by_comment"),
            models.Index(fields=["author", "-id"], name="comment_by_author"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_gone(self) -> bool:
        """Whether only a tombstone is left of it for most people: nobody answers or likes it any more."""
        return self.deleted_at is not None or self.hidden_at is not None


class CommentMention(Entity):
    """Somebody whom a comment names, resolved when it was written."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="mentions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comment", "user"], name="comment_mentions_a_person_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.comment_id}"


class CommentLike(Entity):
    """Somebody likes a comment."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="likes", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comment", "user"], name="person_likes_a_comment_once")]

    def __str__(self) -> str:
        return f"{self.user_id} likes {self.comment_id}"
