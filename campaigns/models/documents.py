"""What investors read and accept before they invest, in versions, and who has accepted which."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from campaigns.models.campaigns import Campaign
from core.models import Entity


class DocumentKind(models.TextChoices):
    TERMS = "terms"
    KEY_INFORMATION = "key_information"
    AGREEMENT = "agreement"


class CampaignDocument(Entity):
    """One version of a document. The newest of each kind is the one to accept; versions are never changed."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="documents", db_index=False)
    kind = models.CharField(max_length=15, choices=DocumentKind)
    version = models.PositiveSmallIntegerField()
    """Of its kind in its campaign, from 1."""
    title = models.CharField(max_length=120)
    file = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    """Of the file's bytes, in hexadecimal digits."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "kind", "version"], name="document_version_is_there_once"),
            models.CheckConstraint(condition=Q(kind__in=DocumentKind.values), name="document_kind_is_known"),
            models.CheckConstraint(condition=Q(sha256__regex="^[0-9a-f]{64}$"), name="document_has_a_hash"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version} of {self.campaign_id}"


class DocumentConsent(Entity):
    """A person accepted one version of a document."""

    document = models.ForeignKey(CampaignDocument, on_delete=models.PROTECT, related_name="consents", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    sha256 = models.CharField(max_length=64)
    """Of the file that was accepted."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "person"], name="document_is_accepted_once_by_a_person"),
        ]
        indexes = [models.Index(fields=["person", "-id"], name="document_consent_by_person")]

    def __str__(self) -> str:
        return f"{self.person_id} accepted {self.document_id}"
