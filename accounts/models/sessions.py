"""Signed-in devices, their refresh tokens, and the history of sign-ins."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models

from accounts.models.people import User
from core.models import Entity


class SessionQuerySet(models.QuerySet["Session"]):
    def live_at(self, now: Any) -> Self:
        return self.filter(revoked_at__isnull=True, expires_at__gt=now)


class Session(Entity):
    """One signed-in device. Access tokens name it, every request looks it up, revoking it ends everything at once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    device = models.CharField(max_length=200, default="", blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    method = models.CharField(max_length=40, default="password")
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    authenticated_at = models.DateTimeField()
    """When the person last proved who they are on this device; what step-up asks for."""
    second_factor_at = models.DateTimeField(null=True, blank=True)
    """When they last proved it with their second factor; what step-up asks for once one is on."""
    unused_successor_id = models.UUIDField(null=True, blank=True, editable=False)
    """The newest refresh token, while neither it nor an access token issued with it has been used: its answer may have
    been lost, and the token before it gives it again. No foreign key, since every request reads and few write it."""
    successor_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When an access token issued with the newest refresh token was used first."""
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=40, default="", blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "revoked_at"], name="session_by_user")]

    def is_recent_at(self, now: datetime) -> bool:
        """
        Whether the person proved who they are within REAUTHENTICATION_WINDOW before `now`.

        Once a second factor is on, only its code proves it: whoever got hold of a session and of the password must not
        be able to move money, or to switch the factor off (ASVS 7.5.3).
        """
        proven_at = self.second_factor_at if self.user.two_factor_enabled else self.authenticated_at
        return proven_at is not None and now - proven_at <= settings.REAUTHENTICATION_WINDOW


class RefreshToken(Entity):
    """
    A link of a session's chain. Kept as SHA-256; the newest link is the one without `used_at`.

    `successor` is the next token, sealed with a key made from this one: only someone who holds this token can open it,
    so that a repeat after a lost answer gets the same next token and the chain stays one line.
    """

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="refresh_tokens")
    digest = models.BinaryField(max_length=32)
    used_at = models.DateTimeField(null=True)
    successor = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="refresh_token_is_unique"),
            models.UniqueConstraint(
                fields=["session"], condition=models.Q(used_at__isnull=True), name="session_has_one_current_token"
            ),
        ]


class LoginAttempt(Entity):
    """A line of a person's login history: a sign-in, or somebody's failure to sign in as this person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_attempts")
    address = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=200, default="")
    """The `User-Agent` header as it was sent; shown by `core.devices.device_name`."""
    fingerprint = models.CharField(max_length=120)
    """Kind of device and network, coarse: what makes a sign-in familiar (`services.history`)."""
    method = models.CharField(max_length=40)
    success = models.BooleanField()
    reason = models.CharField(max_length=40, default="")
    """The code of the refusal; empty for a sign-in."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(success=True, reason="") | models.Q(success=False) & ~models.Q(reason=""),
                name="only_a_failed_login_has_a_reason",
            )
        ]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="login_history"),
            models.Index(fields=["user", "fingerprint"], condition=models.Q(success=True), name="login_is_familiar"),
            models.Index(fields=["created_at"], name="login_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method}, {self.created_at:%Y-%m-%d %H:%M}"
