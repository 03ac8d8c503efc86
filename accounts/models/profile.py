"""What a person shows of themselves: words, pictures, invitations, a phone number's code."""

from django.db import models

from accounts.models.people import User
from core.models import Entity


class Profile(models.Model):
    """
    What belongs to a person's page and is not asked for with every request, one row each.

    The counts are kept by upper apps through `services.counts`, since this app does not import them. They
    stand here and not on the account, whose row is locked where money moves.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="profile")
    version = models.PositiveIntegerField(default=1)
    """Counts the person's own edits; it is the ETag."""
    followers_count = models.PositiveIntegerField(default=0)
    following_count = models.PositiveIntegerField(default=0)
    posts_count = models.PositiveIntegerField(default=0)
    campaigns_count = models.PositiveIntegerField(default=0)
    """The person's own campaigns, drafts included: as many as `/api/profile/campaigns` lists."""
    shows_backed_campaigns = models.BooleanField(default=False, db_default=False)
    """Whether others who back the same campaigns, and show it too, may learn of it."""
    share_token = models.CharField(max_length=22, unique=True, null=True)
    """What the public page is found by, once the person asked for a link. It is there to be passed on."""
    preview = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, null=True, related_name="+")
    """The picture that a chat shows for the link, and a hash of what it was drawn from."""
    preview_drawn_from = models.CharField(max_length=64, default="", blank=True)

    def __str__(self) -> str:
        return str(self.user_id)

    @property
    def etag(self) -> str:
        return f'"{self.version}"'


class ProfilePicture(Entity):
    """One size of a person's photo or cover; `User.profile_photo` and `cover_photo` repeat the address of one."""

    class Kind(models.TextChoices):
        PHOTO = "photo"
        COVER = "cover"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="pictures", db_index=False)
    kind = models.CharField(max_length=5, choices=Kind)
    size = models.CharField(max_length=6)
    file = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "size"], name="picture_has_each_size_once"),
            models.CheckConstraint(condition=models.Q(kind__in=["photo", "cover"]), name="picture_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.size} of {self.user_id}"


class Invitation(Entity):
    """Somebody asked somebody to join. Its token went out by mail, kept as SHA-256, and is used by one registration."""

    inviter = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    accepted_by = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, related_name="invited_through")
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="invitation_token_is_unique")]

    def __str__(self) -> str:
        return f"by {self.inviter_id}"


class PhoneCode(Entity):
    """The code that went to a person's number last, kept as a keyed fingerprint; for ten minutes and five tries."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="phone_code")
    fingerprint = models.BinaryField(max_length=32)
    """Of person, number and code together, so that a code proves the number it went to and no other."""
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
