"""What clients see about investments and payment methods."""

from rest_framework.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    FloatField,
    IntegerField,
    UUIDField,
)

from accounts.outputs.people import UserCard
from campaigns.outputs import CampaignCard
from core.api.openapi import Page
from core.api.serializers import MoneyText, Serializer
from investments.models import InvestmentEvent, PaymentMethod, Refund, Status


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
