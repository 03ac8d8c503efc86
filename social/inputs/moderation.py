"""What clients send about reports and appeals."""

from rest_framework.fields import ChoiceField

from accounts.reportable import TargetType
from core.api.serializers import IdField, ProseField, Serializer
from social.models.moderation import ReportReason

MAX_CHARACTERS = 2000


class ReportInput(Serializer):
    target_type = ChoiceField(choices=TargetType.choices)
    target_id = IdField()
    reason = ChoiceField(choices=ReportReason.choices)
    details = ProseField(max_length=MAX_CHARACTERS, required=False, allow_blank=True, default="")


class AppealInput(Serializer):
    text = ProseField(max_length=MAX_CHARACTERS)
