"""The key investment information sheet of a campaign, as its owner writes it."""

from django.db import models

from campaigns.key_information import Instrument, Sheet
from campaigns.models.campaigns import Campaign
from core.models import Entity


class KeyInformation(Entity):
    """The newest text; what investors accept is the document that is made of it when the campaign is submitted."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="key_information")
    instrument = models.CharField(max_length=25, choices=Instrument)
    has_vehicle = models.BooleanField(default=False)
    texts = models.JSONField(default=dict)
    """By the id of the field (`campaigns.key_information`)."""
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "key information"

    def __str__(self) -> str:
        return f"key information of {self.campaign_id}"

    def sheet(self) -> Sheet:
        return Sheet(
            title=self.campaign.title, instrument=self.instrument, has_vehicle=self.has_vehicle, texts=self.texts
        )
