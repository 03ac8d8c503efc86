"""Identities at Google and LinkedIn, and the codes that finish a sign-in there."""

from django.db import models

from accounts.models.people import User
from core.models import Entity


class Platform(models.TextChoices):
    GOOGLE = "google", "Google"
    LINKEDIN = "linkedin", "LinkedIn"


class ExternalIdentity(Entity):
    """
    A person as a provider knows them: issuer and subject of its ID tokens, which neither changes nor passes on to
    somebody else (OpenID Connect Core §5.7). The address is the one the provider gave when it was linked, for display.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="external_identities")
    platform = models.CharField(max_length=20, choices=Platform)
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    email = models.CharField(max_length=254, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="external_identity_has_one_account"),
            models.UniqueConstraint(fields=["user", "platform"], name="one_identity_per_platform"),
        ]


class SignInCode(Entity):
    """What the front end exchanges after a provider's sign-in: 256 bits kept as SHA-256, once, within 60 seconds."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_codes")
    digest = models.BinaryField(max_length=32)
    method = models.CharField(max_length=20)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="sign_in_code_is_unique")]
