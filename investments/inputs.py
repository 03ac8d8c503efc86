"""What clients send about investments and payment methods."""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.fields import (
    CharField,
    ChoiceField,
    DictField,
    Field,
    IntegerField,
    ListField,
)

from core.api.names import to_camel
from core.api.outputs import MONEY_PATTERN
from core.api.serializers import AmountField, CurrencyField, IdField, ProseField, Serializer
from investments.models import Dispute, Distribution, PaymentMethod, Status


class DetailsInput(Serializer):
    """A provider's token; or, with the sandbox provider only, one of its published test cards."""

    token = CharField(max_length=255, required=False)
    number = CharField(max_length=23, required=False, write_only=True, help_text="Sandbox only.")
    expiry_month = IntegerField(min_value=1, max_value=12, required=False)
    expiry_year = IntegerField(min_value=2000, max_value=2100, required=False)
    cvv = CharField(max_length=4, required=False, write_only=True, help_text="Sandbox only; dropped unread.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = ("expiry_month", "expiry_year", "cvv") if "number" in attrs else ("token",)
        missing = [name for name in needed if name not in attrs]
        if missing:
            raise ValidationError(
                {to_camel(name): Field.default_error_messages["required"] for name in missing}, "required"
            )
        return attrs


class PaymentMethodInput(Serializer):
    type = ChoiceField(choices=PaymentMethod.Type.choices)
    details = DetailsInput()


class SetupInput(Serializer):
    type = ChoiceField(
        choices=(PaymentMethod.Type.CARD, PaymentMethod.Type.BANK_ACCOUNT),
        default=PaymentMethod.Type.CARD,
        help_text="`bank_account`: what money is paid out to.",
    )


class AcknowledgementInput(Serializer):
    """A text, in the version that was read."""

    id = CharField(max_length=40)
    version = CharField(max_length=10)


_TOTAL = "What the investor was shown as the whole charge, fees included; another one is 409 `fee_changed`."
_ZERO = re.compile(r"0(\.0+)?", re.ASCII)


@extend_schema_field(
    {
        "oneOf": [{"type": "string", "pattern": MONEY_PATTERN}, {"type": "number", "minimum": 0}],
        "description": "Major units, exact: as an amount, and may be zero.",
        "examples": ["60000.00"],
    }
)
class FigureField(AmountField):
    """An amount that may be zero; gives a Decimal."""

    def to_internal_value(self, data: Any) -> Decimal:
        is_text = isinstance(data, int | str) and not isinstance(data, bool)
        if is_text and len(str(data)) <= 10 and _ZERO.fullmatch(str(data)):
            return Decimal(0)
        return super().to_internal_value(data)


class InvestorProfileInput(Serializer):
    annual_income = FigureField(help_text="Before tax, in a year.")
    net_worth = FigureField(help_text="What is owned less what is owed, without the home that is lived in.")
    invested_elsewhere = FigureField(help_text="On other platforms under the same rules, in the last twelve months.")
    currency = CurrencyField(help_text="USD or EUR.")
    answers = DictField(
        child=CharField(max_length=40),
        required=False,
        help_text="Takes the knowledge test: the id of the chosen option by that of the question, for all questions.",
    )
    acknowledgements = ListField(child=AcknowledgementInput(), required=False, max_length=20)


class PreviewQuery(Serializer):
    amount = AmountField()
    currency = CurrencyField(required=False, help_text="If given, it must be the campaign's.")


class WaitInput(Serializer):
    amount = AmountField()
    payment_method_id = IdField(help_text="What pays when an offer is accepted.")
    currency = CurrencyField(required=False, help_text="If given, it must be the campaign's.")
    accepted_warnings = ListField(
        child=AcknowledgementInput(),
        required=False,
        max_length=10,
        help_text="What `warning_consent_required` has named.",
    )


class InvestInput(WaitInput):
    payment_method_id = IdField()
    total = AmountField(required=False, help_text=_TOTAL)


class AcceptOfferInput(Serializer):
    payment_method_id = IdField(required=False, help_text="In place of the one that the entry names.")
    total = AmountField(required=False, help_text=_TOTAL)
    accepted_warnings = ListField(
        child=AcknowledgementInput(),
        required=False,
        max_length=10,
        help_text="What `warning_consent_required` has named.",
    )


class ReconfirmInput(Serializer):
    decision = ChoiceField(choices=("confirm", "decline"), required=False, help_text="`confirm` if absent.")
    terms_version = IntegerField(
        min_value=1, required=False, help_text="The terms that were read; others are not confirmed unseen."
    )


class WithdrawInput(Serializer):
    amount = AmountField()
    payment_method_id = IdField()


class DistributionInput(Serializer):
    amount = AmountField()
    kind = ChoiceField(choices=Distribution.Kind.choices)
    note = ProseField(max_length=500, required=False, allow_blank=True, help_text="For the investors.")
    payment_method_id = IdField()


class DisputeInput(Serializer):
    outcome = ChoiceField(choices=Dispute.Status.choices)


class PayoutTargetInput(Serializer):
    payment_method_id = IdField(help_text="An own payment method of type `bank_account`.")


class StatementQuery(Serializer):
    year = IntegerField(min_value=1970, max_value=9999, help_text="Of the calendar, in UTC.")
    format = ChoiceField(choices=["json", "csv", "pdf"], default="json")


class InvestmentQuery(Serializer):
    status = ChoiceField(choices=Status.choices, required=False)
