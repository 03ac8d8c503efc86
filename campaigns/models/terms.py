"""Every version of a campaign's terms since it went live, and what class each of its fields has."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import models

from campaigns.models.campaigns import Campaign
from core.models import Entity
from core.money import minor_text


class FieldClass(StrEnum):
    """When the owner of a live campaign may change a field."""

    MATERIAL = "material"
    """Only by an amendment that staff approve and investors confirm: what they have agreed to."""
    MINOR = "minor"
    """At any time, by an edit."""
    FIXED = "fixed"
    """Not any more."""
    KEPT = "kept"
    """The platform keeps it; owners never write it."""


FIELD_CLASSES: Mapping[str, FieldClass] = {
    **dict.fromkeys(
        ("goal_minor", "max_minor", "min_investment_minor", "ends_at", "expected_return_percent"), FieldClass.MATERIAL
    ),
    **dict.fromkeys(("title", "summary", "description", "category"), FieldClass.MINOR),
    **dict.fromkeys(
        ("owner", "currency", "starts_at", "rules", "country", "time_zone", "fiscal_year_end"), FieldClass.FIXED
    ),
    **dict.fromkeys(
        (
            *("id", "created_at", "updated_at", "slug", "version", "status", "review_note"),
            *(
                "rules_version",
                "fee_schedule",
                "fee_schedule_version",
                "terms_version",
                "first_ends_at",
                "reconfirm_until",
            ),
            *("published_at", "closed_at", "settled_at", "outcome"),
            *("raised_minor", "reserved_minor", "offered_minor", "waiting_count", "settled_minor"),
            *("investor_count", "trend"),
        ),
        FieldClass.KEPT,
    ),
}
"""The class of every column of a campaign; a test fails for one without."""
MATERIAL = tuple(name for name, kind in FIELD_CLASSES.items() if kind == FieldClass.MATERIAL)
PUBLIC_NAMES: Mapping[str, str] = {
    "goal_minor": "goalAmount",
    "max_minor": "maxAmount",
    "min_investment_minor": "minInvestment",
    "ends_at": "endsAt",
    "expected_return_percent": "expectedReturnPercent",
}
"""What clients call the material fields."""


def stored(value: Any) -> Any:
    """The value of a material field, as JSON keeps it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def read_stored(name: str, value: Any) -> Any:
    """The other way."""
    if value is None:
        return None
    if name == "ends_at":
        return datetime.fromisoformat(value)
    return Decimal(value) if name == "expected_return_percent" else value


def shown(name: str, value: Any, currency: str) -> str | None:
    """The value of a material field as clients see it: amounts in major units, moments in UTC."""
    if value is None:
        return None
    if name == "ends_at":
        moment: datetime = read_stored(name, value) if isinstance(value, str) else value
        return moment.isoformat().replace("+00:00", "Z")
    return minor_text(value, currency) if name.endswith("_minor") else f"{Decimal(value).normalize():f}"


class TermsReason(models.TextChoices):
    PUBLISHED = "published"
    EARLY_CLOSE = "early_close"
    EARLY_CLOSE_MISSED = "early_close_missed"
    """The goal was not reached any more at the earlier deadline, so that the first one holds again."""
    AMENDED = "amended"


class TermsVersion(Entity):
    """One version of the terms, kept for good. The campaign's own row has the newest."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="terms_versions", db_index=False)
    version = models.PositiveIntegerField()
    terms = models.JSONField()
    """The material fields by their columns, as `stored` writes them."""
    reason = models.CharField(max_length=20, choices=TermsReason)
    words = models.TextField(max_length=1000, default="", blank=True)
    """Why, in the owner's words."""
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    """Whose wish it was; empty when the clock did it."""
    reconfirm_until = models.DateTimeField(null=True, blank=True)
    """Until when those who had invested before have to confirm; empty where they need not."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "version"], name="terms_version_is_numbered_per_campaign"),
            models.CheckConstraint(condition=models.Q(reason__in=TermsReason.values), name="terms_reason_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.version}"
