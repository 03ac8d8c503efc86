"""What clients send about campaigns."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    DecimalField,
    DictField,
    FileField,
    ListField,
)

from campaigns.key_information import Instrument
from campaigns.models import FIELD_CLASSES, DocumentKind, FieldClass, Phase, Status, Update
from campaigns.rules import Rules
from campaigns.selectors import SORTS
from core.api.names import to_camel
from core.api.serializers import (
    AmountField,
    CountryField,
    CurrencyField,
    LineField,
    MomentField,
    ProseField,
    Serializer,
    TimeZoneField,
    YearlyDayField,
)

MAX_PICTURES = 10


CLEARED = "Empty text clears it."


class CampaignInput(Serializer):
    title = LineField(max_length=120)
    summary = ProseField(max_length=300)
    description = ProseField(max_length=20_000)
    category = CharField(max_length=60, help_text="The slug of a category.")
    goal_amount = AmountField()
    max_amount = AmountField(required=False, allow_null=True, help_text=CLEARED)
    min_investment = AmountField(required=False, allow_null=True, help_text=CLEARED)
    currency = CurrencyField()
    starts_at = MomentField(required=False, allow_null=True, help_text=CLEARED)
    ends_at = MomentField()
    expected_return_percent = DecimalField(
        required=False,
        allow_null=True,
        max_digits=6,
        decimal_places=2,
        min_value=0,
        coerce_to_string=False,
        help_text=CLEARED,
    )
    rules = ChoiceField(
        choices=Rules.choices, required=False, help_text="The rule set that holds for it; fixed when it is submitted."
    )
    country = CountryField(required=False, help_text="Of the owner's business.")
    time_zone = TimeZoneField(required=False, help_text="In which days are counted.")
    fiscal_year_end = YearlyDayField(required=False, help_text="The last day of the owner's fiscal year.")
    media = ListField(child=FileField(), required=False, max_length=MAX_PICTURES)


class KeyInformationInput(Serializer):
    instrument = ChoiceField(choices=Instrument.choices, help_text="What investors get.")
    has_vehicle = BooleanField(
        required=False, default=False, help_text="Whether a special purpose vehicle stands in between."
    )
    texts = DictField(child=ProseField(max_length=4_000, allow_blank=True), help_text="By the id of the field.")


class KeyInformationQuery(Serializer):
    format = ChoiceField(choices=["html", "pdf"], required=False, help_text="Without it: its fields, as JSON.")


class DocumentInput(Serializer):
    kind = ChoiceField(choices=DocumentKind.choices)
    title = LineField(max_length=120)
    file = FileField(help_text="A PDF of at most 10 MB.")


class NewTermsInput(Serializer):
    """Material fields; every other one is refused."""

    goal_amount = AmountField(required=False)
    max_amount = AmountField(required=False, allow_null=True, help_text=CLEARED)
    min_investment = AmountField(required=False, allow_null=True, help_text=CLEARED)
    ends_at = MomentField(required=False)
    expected_return_percent = DecimalField(
        required=False,
        allow_null=True,
        max_digits=6,
        decimal_places=2,
        min_value=0,
        coerce_to_string=False,
        help_text=CLEARED,
    )

    def to_internal_value(self, data: Any) -> Any:
        refused = {}
        for name in data if isinstance(data, Mapping) else ():
            if name not in self.fields:
                code, message = _why_not_amended(name)
                refused[name] = [ErrorDetail(message, code)]
        if refused:
            raise ValidationError(refused)
        return super().to_internal_value(data)


def _why_not_amended(name: str) -> tuple[str, Any]:
    match _CLASSES.get(name):
        case FieldClass.MINOR:
            return "field_is_minor", _("This may change at any time: PUT the campaign.")
        case FieldClass.FIXED:
            return "field_is_fixed", _("This cannot change any more.")
    return "unknown_field", _("This is no field of the terms.")


_CLASSES = {to_camel(name): kind for name, kind in FIELD_CLASSES.items()}


class AmendmentInput(Serializer):
    changes = NewTermsInput()
    reason = ProseField(max_length=1000, help_text="Why, for staff and investors.")


class EarlyCloseInput(Serializer):
    ends_at = MomentField(help_text="The new deadline.")


class CampaignQuery(Serializer):
    category = CharField(required=False, max_length=60)
    status = ChoiceField(choices=Status.choices, required=False)
    phase = ChoiceField(
        choices=[Phase.UPCOMING, Phase.OPEN, Phase.ENDED],
        required=False,
        help_text="Of those that are live, the ones that are there by the clock.",
    )
    rules = ChoiceField(choices=Rules.choices, required=False)
    q = CharField(required=False, max_length=200)
    sort = ChoiceField(choices=list(SORTS), required=False)


class UpdateInput(Serializer):
    title = LineField(max_length=120, required=False, allow_blank=True)
    content = ProseField(max_length=20_000)
    audience = ChoiceField(choices=Update.Audience.choices)
    kind = ChoiceField(
        choices=Update.Kind.choices, required=False, help_text="`update` if absent. An annual report is public."
    )
    publish_at = MomentField(
        required=False, allow_null=True, help_text="When others may read it, at most 365 days ahead; at once if absent."
    )
    media = ListField(child=FileField(), required=False, max_length=MAX_PICTURES)
    media_alt = ListField(
        child=LineField(max_length=1000, allow_blank=True),
        required=False,
        max_length=MAX_PICTURES,
        help_text="What each picture shows, in words, in the order of `media`.",
    )
