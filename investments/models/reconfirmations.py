"""What investors said about new terms of a campaign (docs/amendments.md)."""

from django.db import models
from django.db.models import Q

from core.models import Entity
from investments.models.investments import Investment


class Answer(models.TextChoices):
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    LAPSED = "lapsed"
    """The period ended without a word, which is no consent."""


class Reconfirmation(Entity):
    """One answer, kept for good. Who still has to answer is told by the versions of the terms, not by rows."""

    investment = models.ForeignKey(Investment, on_delete=models.PROTECT, related_name="reconfirmations")
    from_version = models.PositiveIntegerField()
    """The terms that the investor had agreed to."""
    terms_version = models.PositiveIntegerField()
    """The terms that the answer is about."""
    answer = models.CharField(max_length=10, choices=Answer)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["investment", "terms_version"], name="reconfirmation_is_one_per_version_of_the_terms"
            ),
            models.CheckConstraint(condition=Q(answer__in=Answer.values), name="reconfirmation_answer_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.investment_id} {self.terms_version} {self.answer}"
