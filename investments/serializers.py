"""Bodies in and out of /api/investments and what is mounted beside it."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    Field,
    FloatField,
    IntegerField,
    UUIDField,
)

from accounts.outputs.people import UserCard
from campaigns.serializers import CampaignCard
from core.api.names import to_camel
from core.api.openapi import Page
from core.api.serializers import AmountField, CurrencyField, IdField, MoneyText, Serializer
from investments.models import InvestmentEvent, PaymentMethod, Refund, Status


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


class PaymentMethodCard(Serializer):
    id = UUIDField()
    type = ChoiceField(choices=PaymentMethod.Type.choices)
    brand = CharField()
    last4 = CharField()
    expiry_month = IntegerField(allow_null=True)
    expiry_year = IntegerField(allow_null=True)
    is_default = BooleanField()
    created_at = DateTimeField()


class PaidWith(Serializer):
    id = UUIDField()
    type = ChoiceField(choices=PaymentMethod.Type.choices)
    brand = CharField()
    last4 = CharField()


class NextAction(Serializer):
    type = ChoiceField(choices=["redirect"])
    url = CharField(help_text="Where the investor confirms the payment (3-D Secure).")


class InvestmentCard(Serializer):
    id = UUIDField()
    campaign = CampaignCard()
    amount = MoneyText()
    refunded_amount = MoneyText(help_text="What went back or is on its way back.")
    currency = CharField()
    status = ChoiceField(choices=Status.choices)
    reference = CharField()
    payment_method = PaidWith()
    next_action = NextAction(allow_null=True)
    failure_code = CharField(allow_null=True)
    cancellable_until = DateTimeField()
    created_at = DateTimeField()


class InvestmentEventCard(Serializer):
    id = UUIDField()
    kind = ChoiceField(choices=InvestmentEvent.Kind.choices)
    amount = MoneyText()
    currency = CharField()
    note = CharField(allow_null=True)
    at = DateTimeField()


class ReturnCard(Serializer):
    id = UUIDField()
    kind = CharField()
    amount = MoneyText()
    currency = CharField()
    paid_at = DateTimeField()


class InvestmentOutput(InvestmentCard):
    events = InvestmentEventCard(many=True)
    returns = ReturnCard(many=True)


class BackerCard(Serializer):
    id = UUIDField()
    investor = UserCard()
    amount = MoneyText()
    refunded_amount = MoneyText()
    currency = CharField()
    status = ChoiceField(choices=Status.choices)
    created_at = DateTimeField()


class PortfolioTotal(Serializer):
    currency = CharField()
    invested = MoneyText()
    pending = MoneyText()
    returned = MoneyText()
    refunded = MoneyText()


class PortfolioCard(Serializer):
    id = UUIDField()
    campaign = CampaignCard()
    amount = MoneyText()
    refunded_amount = MoneyText()
    currency = CharField()
    status = ChoiceField(choices=Status.choices)
    progress_percent = FloatField()
    campaign_status = CharField()
    created_at = DateTimeField()


class PortfolioOutput(Page):
    totals = PortfolioTotal(many=True)
    items = PortfolioCard(many=True)


class WithdrawalOutput(Serializer):
    id = UUIDField()
    investment_id = UUIDField()
    amount = MoneyText()
    currency = CharField()
    status = ChoiceField(choices=[*Refund.Status.values, "cancelled"])
    created_at = DateTimeField()
