"""What investors declare, answer and acknowledge (docs/eligibility.md). Rows are added and never changed."""

import logging
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.crypto.sealing import CannotOpen, seal, unseal
from core.models import Entity
from investments.models.investments import Investment

logger = logging.getLogger("vectragrow.investors")

_PURPOSE = "investor figures"


@dataclass(frozen=True, slots=True, repr=False)
class Figures:
    """What a person has declared, in minor units of `currency`. Has no repr, so that no log shows it."""

    annual_income: int
    net_worth: int
    invested_elsewhere: int
    """Under the same rules on other platforms, in the last twelve months."""
    currency: str

    def sealed(self) -> bytes:
        return seal([self.annual_income, self.net_worth, self.invested_elsewhere, self.currency], purpose=_PURPOSE)

    @classmethod
    def opened(cls, sealed: bytes | memoryview) -> Self | None:
        """None when the key is gone: then the person declares again."""
        try:
            return cls(*unseal(sealed, purpose=_PURPOSE))
        except CannotOpen:
            logger.exception("declared figures cannot be opened")
            return None


class InvestorDeclaration(Entity):
    """The figures of one declaration, sealed; the newest in a currency counts."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    figures = models.BinaryField()
    """`Figures.sealed`."""

    class Meta:
        indexes = [
            models.Index(fields=["person", "currency", "-created_at", "-id"], name="declaration_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.currency}"

    def open(self) -> Figures | None:
        return Figures.opened(self.figures)


class KnowledgeTry(Entity):
    """One try of the entry knowledge test; the newest counts."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.CharField(max_length=10)
    """Of the test."""
    answers = models.JSONField()
    """The id of the chosen option by that of the question."""
    score = models.PositiveSmallIntegerField()
    """Percent."""
    pass_percent = models.PositiveSmallIntegerField()
    passed = models.BooleanField()

    class Meta:
        verbose_name_plural = "knowledge tries"
        constraints = [
            models.CheckConstraint(
                condition=Q(score__lte=100)
                & (
                    Q(passed=True, score__gte=models.F("pass_percent"))
                    | Q(passed=False, score__lt=models.F("pass_percent"))
                ),
                name="knowledge_try_passes_by_its_score",
            ),
        ]
        indexes = [models.Index(fields=["person", "-created_at", "-id"], name="knowledge_try_by_person")]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.score} %"


class Acknowledgement(Entity):
    """A person acknowledged a text, or consented to a warning, in one version of its words."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    text_id = models.CharField(max_length=40)
    version = models.CharField(max_length=10)
    sha256 = models.CharField(max_length=64)
    """Of the words."""
    investment = models.ForeignKey(
        Investment, on_delete=models.PROTECT, null=True, blank=True, related_name="acknowledgements"
    )
    """For a warning that is given before each investment."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex="^[0-9a-f]{64}$"), name="acknowledgement_has_a_hash"),
        ]
        indexes = [models.Index(fields=["person", "text_id", "-created_at", "-id"], name="acknowledgement_by_person")]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.text_id} {self.version}"
