"""Who blocks and who mutes whom."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from accounts.models.people import User
from core.models import Entity


class Block(Entity):
    """One person blocks another. It hides both from each other, whoever of them blocked (`accounts/relations.py`)."""

    blocker = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    blocked = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="person_blocks_another_once"),
            models.CheckConstraint(condition=~Q(blocker=F("blocked")), name="nobody_blocks_themselves"),
        ]
        indexes = [
            models.Index(fields=["blocked", "blocker"], name="block_by_blocked"),
            models.Index(fields=["blocker", "-id"], name="block_list"),
        ]

    def __str__(self) -> str:
        return f"{self.blocker_id} blocks {self.blocked_id}"


class MuteQuerySet(models.QuerySet["Mute"]):
    def in_force(self, now: datetime) -> Self:
        return self.filter(Q(until__isnull=True) | Q(until__gt=now))


class Mute(Entity):
    """One person does not want to hear of another, who is not told. It hides nothing that is opened by its address."""

    muter = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    muted = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField(null=True, blank=True)
    """UTC; null for one without an end."""

    objects = MuteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["muter", "muted"], name="person_mutes_another_once"),
            models.CheckConstraint(condition=~Q(muter=F("muted")), name="nobody_mutes_themselves"),
        ]
        indexes = [
            models.Index(fields=["muter", "-id"], name="mute_list"),
            models.Index(fields=["until"], condition=Q(until__isnull=False), name="mute_end"),
        ]

    def __str__(self) -> str:
        return f"{self.muter_id} mutes {self.muted_id}"
