"""What clients send about investments and payment methods."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.fields import (
    CharField,
    ChoiceField,
    Field,
    IntegerField,
)

from core.api.names import to_camel
from core.api.serializers import AmountField, CurrencyField, IdField, Serializer
from investments.models import PaymentMethod, Status


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


class InvestInput(Serializer):
    amount = AmountField()
    payment_method_id = IdField()
    currency = CurrencyField(required=False, help_text="If given, it must be the campaign's.")


class WithdrawInput(Serializer):
    amount = AmountField()
    payment_method_id = IdField()


class InvestmentQuery(Serializer):
    status = ChoiceField(choices=Status.choices, required=False)
