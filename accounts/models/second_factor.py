"""The second factor: authenticator app, recovery codes, and the challenge between password and code."""

from django.db import models

from accounts.models.people import User
from core.models import Entity


class AuthenticatorApp(Entity):
    """
    A person's TOTP secret (RFC 6238), sealed. It counts from `confirmed_at` on, when a first code was right.

    `last_step` makes a code work once across all processes; five failures lock the factor for a while.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="authenticator")
    secret = models.BinaryField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=-1)
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)


class RecoverySheet(Entity):
    """A person's set of ten recovery codes, and the salt that all are hashed with."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="recovery_sheet")
    salt = models.BinaryField(max_length=16)


class RecoveryCode(Entity):
    """One of ten codes that stand in for every other second factor, each once; kept as Argon2id."""

    sheet = models.ForeignKey(RecoverySheet, on_delete=models.CASCADE, related_name="codes")
    digest = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "digest"], name="recovery_code_is_unique")]


class LoginChallenge(Entity):
    """
    A login between its two steps: the first was right, the code is due. Its token is kept as SHA-256, good for nothing
    else, and gone once used or once the password or the second factor changes.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_challenges")
    digest = models.BinaryField(max_length=32)
    method = models.CharField(max_length=20)
    """How the first step was taken."""
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="login_challenge_is_unique")]
