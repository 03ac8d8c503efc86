from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q

from core.models import Entity


class Visibility(models.TextChoices):
    PUBLIC = "public"
    PRIVATE = "private"


class State(models.TextChoices):
    PROCESSING = "processing"
    """The worker has not made its sizes yet, or has not checked and rewritten the video yet."""
    READY = "ready"
    FAILED = "failed"
    """The worker gave up. A picture is shown as it is, without sizes; a video cannot be shown."""


class KeptBytes(Entity):
    """
    Bytes in a store under `storage_name`: sealed in the private store if there is a `wrapped_key`, otherwise in the
    public one.
    """

    content_type = models.CharField(max_length=40)
    size = models.PositiveBigIntegerField()
    """Bytes as kept, before sealing."""
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    storage_name = models.CharField(max_length=100, unique=True)
    wrapped_key = models.BinaryField(null=True)
    """The key of sealed bytes, itself encrypted; destroyed when the file is deleted."""

    kind_of_seal: ClassVar = ""

    class Meta:
        abstract = True

    @property
    def is_sealed(self) -> bool:
        return self.wrapped_key is not None

    @property
    def sealed_as(self) -> str:
        """What the seal is bound to (core.crypto.envelopes, `about`)."""
        return f"{self.kind_of_seal}:{self.pk}"


class StoredFiles(models.QuerySet["StoredFile"]):
    def with_renditions(self) -> "StoredFiles":
        """For `MediaCard.of`: one more query for all of them."""
        return self.prefetch_related(Prefetch("renditions", Rendition.objects.shown()))

    def with_bytes(self) -> "StoredFiles":
        """Those whose bytes are kept: not deleted, or held (`FileHold`)."""
        return self.filter(Q(deleted_at__isnull=True) | Exists(FileHold.objects.filter(file=OuterRef("pk"))))


class StoredFile(KeptBytes):
    """
    A file we keep: a public one at a lasting address, or a private one that is sealed and opened by signed links only.

    What it means is known by the row of the app that points here.
    """

    owner_id = models.UUIDField()
    """The person who sent it. No foreign key: `accounts` is an upper app."""
    purpose = models.CharField(max_length=40)
    visibility = models.CharField(max_length=7, choices=Visibility)
    """Who may open it, from the commit on. Its bytes may still lie in the other store while it is `moving_since`."""
    moving_since = models.DateTimeField(null=True, blank=True)
    """Since when the worker has to move the bytes to the store of this visibility."""
    state = models.CharField(max_length=10, choices=State, default=State.READY, db_default=State.READY)
    placeholder = models.CharField(max_length=60, default="", db_default="", blank=True)
    """A ThumbHash in base64 (uploads.thumbhash); empty while there is none."""
    duration_ms = models.PositiveIntegerField(null=True)
    """Of a video."""
    alt = models.CharField(max_length=1000, default="", db_default="", blank=True)
    """What is to be seen, in words, for people who do not see it."""
    is_counted = models.BooleanField(default=True, db_default=True)
    """Whether `size` counts in the owner's quota (`StorageUse`)."""
    fingerprint = models.BinaryField(max_length=32)
    """Keyed hash of the bytes as they were sent (core.crypto.keys), to find the same file again."""
    deleted_at = models.DateTimeField(null=True, blank=True)

    kind_of_seal = "file"
    source: "Rendition | None" = None
    """Of a video that is just being stored: what was sent. `keep_files` writes its row."""

    objects = StoredFiles.as_manager()

    class Meta:
        db_table = "uploads"
        constraints = [
            models.CheckConstraint(
                condition=Q(visibility=Visibility.PUBLIC, wrapped_key__isnull=True)
                | Q(visibility=Visibility.PRIVATE, wrapped_key__isnull=False)
                | Q(deleted_at__isnull=False, wrapped_key__isnull=True)
                | Q(moving_since__isnull=False),
                name="private_file_is_sealed_or_moving",
            )
        ]
        indexes = [
            models.Index(fields=["owner_id", "created_at"], name="upload_by_owner"),
            models.Index(fields=["fingerprint"], name="upload_by_fingerprint"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"

    @property
    def is_private(self) -> bool:
        return self.visibility == Visibility.PRIVATE

    @property
    def is_image(self) -> bool:
        return self.content_type.startswith("image/")

    @property
    def is_public(self) -> bool:
        """Whether its bytes are at a lasting address now."""
        is_there = self.state == State.READY or not self.is_video
        return not self.is_private and not self.is_sealed and is_there

    @property
    def is_video(self) -> bool:
        return self.content_type.startswith("video/")


class Renditions(models.QuerySet["Rendition"]):
    def shown(self) -> "Renditions":
        """What clients get, the smallest first."""
        return self.exclude(kind=Rendition.Kind.SOURCE).order_by("width", "id")


class Rendition(KeptBytes):
    """Further bytes of a file: a smaller size of a picture, the poster of a video, or a video as it was sent."""

    class Kind(models.TextChoices):
        SIZE = "size"
        POSTER = "poster"
        SOURCE = "source"
        """A video as it was sent: always sealed, shown to nobody, deleted when the worker has rewritten it."""

    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="renditions")
    kind = models.CharField(max_length=6, choices=Kind)

    kind_of_seal = "rendition"

    objects = Renditions.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind="source") | Q(wrapped_key__isnull=False), name="source_of_a_video_is_sealed"
            ),
            models.UniqueConstraint(fields=["file", "kind", "width"], name="one_rendition_of_a_width"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.width} of {self.file_id}"


class FileHold(Entity):
    """
    Somebody else needs the bytes of a file, whatever its owner does: while there is one, deleting the file seals it and
    destroys nothing. Nobody opens it then but through `open_held`, whose callers ask who may.
    """

    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="holds", db_index=False)
    holder_id = models.UUIDField()
    """For what it is needed, such as a case of moderation. No foreign key: its app is an upper one."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "holder_id"], name="file_is_held_once")]
        indexes = [models.Index(fields=["holder_id"], name="hold_by_holder")]

    def __str__(self) -> str:
        return f"{self.file_id} for {self.holder_id}"


class StorageUse(models.Model):
    """How many bytes of a person's files are kept: the sum over those that are counted and not deleted."""

    owner_id = models.UUIDField(primary_key=True)
    used = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(used__gte=0), name="storage_use_is_not_negative")]

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.used}"
