"""Staff look at investments; nobody changes them there."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from campaigns.models import Campaign
from core.testing import Api
from investments.testing import invest

PAGES = ("investment", "refund", "paymentmethod", "providerevent")


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


def test_a_moderator_has_no_place_here(person: Callable[..., User]) -> None:
    browser = Client()
    browser.force_login(person("mona", role="moderator"))
    assert browser.get(reverse("admin:investments_investment_changelist")).status_code == 403
