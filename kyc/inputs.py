"""What clients send to the review of identities."""

from typing import Any

import orjson
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import (
    CharField,
    ChoiceField,
    FileField,
    ListField,
)

from core.api.serializers import CountryField, DayField, IdField, LineField, MomentField, ProseField, Serializer
from kyc.models import (
    DocumentStatus,
    DocumentType,
    Kind,
    Status,
)


class KindsField(ListField):
    """The form part repeated, or once with commas or as a JSON list: whatever the client's form library makes of it."""

    child = ChoiceField(choices=Kind.choices)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list) and len(data) == 1 and isinstance(data[0], str):
            data = _unpacked(data[0].strip())
        return super().to_internal_value(data)


def _unpacked(text: str) -> list[Any]:
    if text.startswith("["):
        try:
            listed = orjson.loads(text)
        except orjson.JSONDecodeError:
            return [text]
        return listed if isinstance(listed, list) else [text]
    return [part.strip() for part in text.split(",")]


class InitiateInput(Serializer):
    document_type = ChoiceField(choices=DocumentType.choices)
    document_number = CharField(max_length=60, write_only=True)
    country = CountryField(required=False, allow_blank=True)
    date_of_birth = DayField(required=False)


class DocumentsInput(Serializer):
    documents = ListField(
        child=FileField(allow_empty_file=True, max_length=None), min_length=1, max_length=5, allow_empty=False
    )
    kinds = KindsField(min_length=1, max_length=5, allow_empty=False)


class JudgeInput(Serializer):
    status = ChoiceField(choices=[DocumentStatus.VERIFIED.value, DocumentStatus.REJECTED.value])
    reason = LineField(max_length=60, required=False, allow_blank=True)
    notes = ProseField(max_length=2000, required=False, allow_blank=True)
    message = ProseField(max_length=1000, required=False, allow_blank=True)


class DecideInput(Serializer):
    user_id = IdField(required=False)
    verification_id = IdField(required=False)
    status = ChoiceField(choices=[Status.VERIFIED.value, Status.REJECTED.value, Status.RESUBMIT.value])
    notes = ProseField(max_length=2000, required=False, allow_blank=True)
    message = ProseField(max_length=1000, required=False, allow_blank=True)

    default_error_messages = {"no_case_named": _("Name the case by verificationId or userId.")}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("user_id") and not attrs.get("verification_id"):
            raise serializers.ValidationError(
                {"verificationId": [self.error_messages["no_case_named"]]}, code="no_case_named"
            )
        return attrs


class QueueQuery(Serializer):
    assignee = CharField(max_length=36, required=False, help_text="A reviewer's id, `me`, or `none`.")

    default_error_messages = {"invalid_assignee": _("An assignee is a person's id, `me` or `none`.")}

    def validate_assignee(self, value: str) -> str:
        return value if value in ("me", "none") else str(IdField().run_validation(value))


class WhyQuery(Serializer):
    why = LineField(max_length=200, required=False, allow_blank=True, help_text="Kept in the history of the case.")


class BadgeInput(Serializer):
    user_id = IdField()
    expires_at = MomentField(required=False)


class PersonQuery(Serializer):
    user_id = IdField(required=False, help_text="The person; in a list: yourself when left out.")
