"""Passkeys and the challenges that they answer."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models.people import User
from core.models import Entity


class Passkey(Entity):
    """
    A public key of a person, whose private half an authenticator keeps for this site alone (WebAuthn Level 3): a second
    factor, and a sign-in of its own.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=80)
    credential_id = models.BinaryField(max_length=1023)
    public_key = models.BinaryField(max_length=2048)
    """COSE_Key, CBOR."""
    sign_count = models.BigIntegerField(default=0)
    """Counts its uses, where the authenticator counts; going back would mean that there is a copy (§6.1.1)."""
    transports = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    """How a browser may reach it; a hint that is passed on as the browser gave it."""
    backed_up = models.BooleanField(default=False)
    """Whether its owner's password manager carries it to their other devices."""
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["credential_id"], name="passkey_is_registered_once")]

    def __str__(self) -> str:
        return self.name


class PasskeyChallenge(Entity):
    """
    Random bytes that one answer of a passkey has to sign, kept as SHA-256: once, within five minutes, for one purpose,
    by one person unless it is for signing in, where nobody is known yet.
    """

    class Purpose(models.TextChoices):
        REGISTER = "register"
        SIGN_IN = "sign_in"
        SECOND_STEP = "second_step"
        STEP_UP = "step_up"

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="passkey_challenges")
    purpose = models.CharField(max_length=11, choices=Purpose)
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="passkey_challenge_is_unique"),
            models.CheckConstraint(
                condition=models.Q(purpose="sign_in", user__isnull=True)
                | ~models.Q(purpose="sign_in") & models.Q(user__isnull=False),
                name="only_a_sign_in_is_by_nobody_yet",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="passkey_challenge_age")]
