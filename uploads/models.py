from django.db import models
from django.db.models import Q

from core.models import Entity


class Visibility(models.TextChoices):
    PUBLIC = "public"
    PRIVATE = "private"


class StoredFile(Entity):
    """
    A file we keep: a public one at a lasting address, or a private one that is sealed and opened by signed links only.

    The bytes are in the store under `storage_name`; what they mean is known by the row of the app that points here.
    """

    owner_id = models.UUIDField()
    """The person who sent it. No foreign key: `accounts` is an upper app."""
    purpose = models.CharField(max_length=40)
    visibility = models.CharField(max_length=7, choices=Visibility)
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    """Bytes as kept, before sealing."""
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    fingerprint = models.BinaryField(max_length=32)
    """Keyed hash of the bytes as they were sent (core.crypto.keys), to find the same file again."""
    storage_name = models.CharField(max_length=100, unique=True)
    wrapped_key = models.BinaryField(null=True)
    """The key of a private file, itself encrypted; destroyed when the file is deleted."""
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "uploads"
        constraints = [
            models.CheckConstraint(
                condition=Q(visibility=Visibility.PUBLIC, wrapped_key__isnull=True)
                | Q(visibility=Visibility.PRIVATE, wrapped_key__isnull=False)
                | Q(deleted_at__isnull=False, wrapped_key__isnull=True),
                name="private_file_is_sealed",
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
    def sealed_as(self) -> str:
        """What the seal is bound to (core.crypto.envelopes, `about`)."""
        return f"file:{self.pk}"
