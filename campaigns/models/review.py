"""What moderators write to owners."""

from django.db import models

from core.models import Entity


class ReviewPhrase(Entity):
    """Ready-made words to an owner whose campaign is sent back; moderators edit them in the admin."""

    text = models.TextField(max_length=500)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = "ready-made words"
        verbose_name_plural = "ready-made words"

    def __str__(self) -> str:
        return self.text[:80]
