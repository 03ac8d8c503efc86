"""Amendments in the admin: what they change, and the decision."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from campaigns.models import Amendment, Campaign
from campaigns.services.amendments import propose_amendment
from campaigns.testing import make_campaign
from core import clock
from core.money import parse_decimal

QUEUE = reverse("admin:campaigns_amendment_changelist")


def page(amendment: Amendment) -> str:
    return reverse("admin:campaigns_amendment_change", args=[amendment.pk])


def propose(campaign: Campaign, **changes: Any) -> Amendment:
    return propose_amendment(
        owner=campaign.owner, campaign_id=campaign.pk, changes=changes, reason="Panels <cost> more.", now=clock.now()
    )


@pytest.fixture
def admin(moderator: User) -> Client:
    browser = Client()
    browser.force_login(moderator)
    return browser


@pytest.fixture
def proposed(founder: User) -> Amendment:
    campaign = make_campaign(founder, title="Windmill on the hill", max_amount="2000")
    return propose(campaign, goal_amount=parse_decimal("1500"), expected_return_percent=parse_decimal("2.5"))


def test_the_page_shows_what_changes_and_the_next_one_follows(
    admin: Client, founder: User, campaign: Campaign, proposed: Amendment
) -> None:
    assert "Windmill on the hill" in admin.get(QUEUE).content.decode()
    shown = admin.get(page(proposed)).content.decode()
    assert "<del>$1,000.00</del> → <ins>$1,500.00</ins>" in shown
    assert "<del>none</del> → <ins>2.5 %</ins>" in shown
    assert "Panels &lt;cost&gt; more." in shown
    other = propose(campaign, goal_amount=parse_decimal("900"))
    answer = admin.post(page(proposed), {"decision": "approve"})
    assert (answer.status_code, answer["Location"]) == (302, page(other))
    proposed.refresh_from_db()
    assert (proposed.status, proposed.terms_version) == ("approved", 2)
    again = admin.post(page(proposed), {"decision": "approve"})
    assert again.status_code == 409 and b"decided already" in again.content


def test_rejecting_needs_words(admin: Client, proposed: Amendment) -> None:
    refused = admin.post(page(proposed), {"decision": "reject", "reason": " "})
    assert refused.status_code == 400 and b"why" in refused.content
    assert admin.post(page(proposed), {"decision": "reject", "reason": "x" * 1001}).status_code == 400
    assert admin.post(page(proposed), {"decision": "nonsense"}).status_code == 404
    answer = admin.post(page(proposed), {"decision": "reject", "reason": "Not this year."})
    assert (answer.status_code, answer["Location"]) == (302, QUEUE)
    assert b"Not this year." in admin.get(page(proposed)).content


def test_nobody_decides_on_their_own(person: Any) -> None:
    owner = person("mod", role="moderator", identity=True)
    own = propose(make_campaign(owner), goal_amount=parse_decimal("900"))
    browser = Client()
    browser.force_login(owner)
    assert b"Someone else decides" in browser.get(page(own)).content
    assert browser.post(page(own), {"decision": "approve"}).status_code == 403
    own.refresh_from_db()
    assert own.status == "proposed"
