"""Staff look at investments; nobody changes them there."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.testing import Api
from investments.models import FeeLine
from investments.testing import invest

PAGES = ("investment", "refund", "paymentmethod", "providerevent", "feeline", "providerfee")


@pytest.fixture
def admin(person: Callable[..., User]) -> Client:
    browser = Client()
    browser.force_login(person("ines", role="admin"))
    return browser


def test_an_admin_looks_and_changes_nothing(api: Api, admin: Client, backer: User, campaign: Campaign) -> None:
    investment = invest(api, backer, campaign, "100")
    for name in PAGES:
        assert admin.get(reverse(f"admin:investments_{name}_changelist")).status_code == 200
        assert admin.get(reverse(f"admin:investments_{name}_add")).status_code == 403
    one = reverse("admin:investments_investment_change", args=[investment.pk])
    page = admin.get(one).content.decode()
    assert investment.reference in page
    assert "Placed · $100.00" in page and "Committed · $100.00" in page, "its timeline"
    assert admin.post(one, {"status": "refunded"}).status_code == 403
    method = reverse("admin:investments_paymentmethod_change", args=[investment.method_id])
    assert b"tok_visa" not in admin.get(method).content


def test_an_admin_sees_fees(
    api: Api, admin: Client, founder: User, backer: User, settings: Settings, campaign: Campaign
) -> None:
    settings.FEE_SCHEDULE = "standard"
    with_fees = make_campaign(founder)
    investment = invest(api, backer, with_fees, "100")
    page = admin.get(reverse("admin:investments_investment_change", args=[investment.pk])).content.decode()
    assert "processing · $1.80 · back $0.00" in page
    line = FeeLine.objects.get()
    assert investment.reference in admin.get(reverse("admin:investments_feeline_changelist")).content.decode()
    assert "$1.80" in admin.get(reverse("admin:investments_feeline_change", args=[line.pk])).content.decode()
    review = admin.get(reverse("admin:campaigns_campaign_change", args=[with_fees.pk])).content.decode()
    assert "1.5 % + $0.30, at most $75.00" in review and "$94.00" in review, "what is left for the owner"
    schedules = admin.get(reverse("admin:campaigns_campaign_fees")).content.decode()
    assert "1 published campaign" in schedules and "€0.25" in schedules and "for new campaigns" in schedules


def test_a_moderator_has_no_place_here(person: Callable[..., User]) -> None:
    browser = Client()
    browser.force_login(person("mona", role="moderator"))
    assert browser.get(reverse("admin:investments_investment_changelist")).status_code == 403
