"""Tokens that are sent by mail."""

from django.db import models

from accounts.models.people import User
from core.models import Entity


class MailedToken(Entity):
    """A single-use token that went out by mail, kept as SHA-256; a newer one of the same purpose replaces it."""

    class Purpose(models.TextChoices):
        VERIFY_EMAIL = "verify_email"
        RESET_PASSWORD = "reset_password"
        STAFF_FACTOR = "staff_factor"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mailed_tokens")
    purpose = models.CharField(max_length=20, choices=Purpose)
    email = models.EmailField(max_length=254)
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="mailed_token_is_unique"),
            models.UniqueConstraint(
                fields=["user", "purpose"],
                condition=models.Q(used_at__isnull=True),
                name="only_the_newest_mailed_token_works",
            ),
        ]
