"""What clients see about campaigns."""

from rest_framework.fields import (
    CharField,
    ChoiceField,
    DateTimeField,
    FloatField,
    IntegerField,
    ListField,
    UUIDField,
)

from accounts.outputs.people import UserCard
from campaigns.models import CLOSED, Status
from core.api.serializers import MoneyText, Serializer
from uploads.cards import MediaCard


class CategoryCard(Serializer):
    id = UUIDField()
    slug = CharField()
    name = CharField()


class CampaignCard(Serializer):
    id = UUIDField()
    title = CharField()
    slug = CharField()
    summary = CharField()
    category = CharField()
    status = ChoiceField(choices=Status.choices)
    outcome = ChoiceField(choices=list(CLOSED), allow_null=True, help_text="How it ended; it stays when settled.")
    owner = UserCard()
    goal_amount = MoneyText()
    max_amount = MoneyText(allow_null=True)
    min_investment = MoneyText(allow_null=True)
    currency = CharField()
    raised_amount = MoneyText(help_text="What backers have put in and not got back.")
    committed_amount = MoneyText(help_text="What is raised, and what payments under way may still add.")
    investor_count = IntegerField()
    progress_percent = FloatField(help_text="Raised as a share of the goal.")
    starts_at = DateTimeField(allow_null=True)
    ends_at = DateTimeField()
    cover_image = CharField(allow_null=True)
    created_at = DateTimeField()


class MyInvestment(Serializer):
    amount = MoneyText()
    currency = CharField()
    since = DateTimeField()


class CampaignOutput(CampaignCard):
    description = CharField()
    expected_return_percent = FloatField(allow_null=True)
    media = MediaCard(many=True)
    my_investment = MyInvestment(allow_null=True)
    allowed_actions = ListField(child=ChoiceField(choices=["edit", "submit", "delete", "cancel", "invest"]))
    review_note = CharField(allow_null=True, help_text="Why it was rejected; for the owner.")
    published_at = DateTimeField(allow_null=True)
    closed_at = DateTimeField(allow_null=True)
    settled_at = DateTimeField(allow_null=True)
    updated_at = DateTimeField()
    version = IntegerField()
