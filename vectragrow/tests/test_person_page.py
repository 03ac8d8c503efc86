"""The admin's page of a person, with what every app has about them; and the way from a sum to the row behind it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from chat.services.conversations import begin_group
from core.admin import SECTION_ROWS
from core.testing import Api
from investments.models import Investment, Payout, Refund
from investments.services.distributing import distribute
from investments.testing import approve, invest, make_card, propose, settle
from kyc.testing import submitted_case
from ledger.models import LedgerAccount
from social.testing import case_about, make_post

pytestmark = pytest.mark.django_db

SECTIONS = {
    "Money": "investments.read",
    "Payment methods": "investments.read",
    "Declined payments": "risk.review",
    "Identity cases": "kyc.review",
    "Campaigns": "campaigns.moderate",
    "Reports about what they published": "social.moderate",
    "Conversations": "chat.inspect",
    "Audit log": "audit.read",
}
"""By the right that shows them."""


@pytest.fixture
def backer(api: Api, person: Callable[..., User]) -> User:
    """Has something everywhere."""
    founder, backer = person("founder", identity=True), person("backer", identity=True)
    invest(api, backer, make_campaign(founder, min_investment="10"), "100")
    make_campaign(backer, title="A windmill on the hill")
    case_about(make_post(backer), founder)
    submitted_case(backer, number="C01X00T47")
    group = begin_group(starter=backer, participants=[founder.pk], title="Roof talk", now=timezone.now())
    said = api.as_user(backer).post(
        f"/api/chat/conversations/{group.conversation_id}/messages", {"content": "The secret word is plum"}
    )
    assert said.status_code == 201, said.content
    return backer


def page(staff: User, address: str) -> str:
    browser = Client()
    browser.force_login(staff)
    answer = browser.get(address, follow=True)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def person_page(staff: User, of: User) -> str:
    return page(staff, reverse("admin:accounts_user_change", args=[of.pk]))


def sections(text: str) -> set[str]:
    found = re.findall(r'<h2 id="section-\d+">(.*?)(?: <span|</h2>)', text)
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize("role", ["admin", "moderator", "reviewer"])
def test_each_section_is_for_those_who_hold_its_right(person: Callable[..., User], backer: User, role: str) -> None:
    staff = person("staff", role=role)
    assert sections(person_page(staff, backer)) == {title for title, right in SECTIONS.items() if staff.has_perm(right)}
    assert any(not staff.has_perm(right) for right in SECTIONS.values()) is (role != "admin")


def test_it_shows_what_there_is_and_no_message(person: Callable[..., User], backer: User) -> None:
    text = person_page(person("staff", role="admin"), backer)
    investment = Investment.objects.get()
    assert investment.reference in text
    assert reverse("admin:investments_investment_change", args=[investment.pk]) in text
    assert "A windmill on the hill" in text
    assert "100.00; under way 0.00" in text
    assert "plum" not in text


def test_nobody_sees_cases_about_themselves(person: Callable[..., User], backer: User) -> None:
    User.objects.filter(pk=backer.pk).update(role="admin")
    shown = sections(person_page(User.objects.get(pk=backer.pk), backer))
    assert "Money" in shown
    assert shown.isdisjoint({"Identity cases", "Reports about what they published"})


def test_the_page_is_bounded_and_takes_the_same_number_of_statements(
    api: Api, person: Callable[..., User], backer: User
) -> None:
    staff = person("staff", role="admin")
    client = Client()
    client.force_login(staff)
    address = reverse("admin:accounts_user_change", args=[backer.pk])

    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert client.get(address).status_code == 200
        return len(caught)

    statements()
    few = statements()
    campaign = Campaign.objects.get(title__startswith="A solar")
    card = make_card(backer)
    for number in range(SECTION_ROWS + 2):
        invest(api, backer, campaign, "10", card)
        make_card(backer)
        make_campaign(backer, title=f"Windmill {number}")
    assert statements() == few
    text = client.get(address).content.decode()
    assert text.count("VG-") == SECTION_ROWS
    assert f"({SECTION_ROWS + 3})" in text


# --- From a sum to the row behind it --------------------------------------------------------------------------------


def links(text: str, holds: str) -> list[str]:
    return [found.replace("&amp;", "&") for found in re.findall(r'href="([^"]+)"', text) if holds in found]


@pytest.fixture
def moved(api: Api, person: Callable[..., User]) -> dict[str, Any]:
    """Money went every way that it can."""
    founder, backer, admin = (
        person("founder", identity=True),
        person("backer", identity=True),
        person("ines", role="admin"),
    )
    soon = timezone.now() + timedelta(days=2)
    campaign = make_campaign(founder, goal_amount="100", min_investment="10", ends_at=soon)
    live = make_campaign(founder, title="Still open", min_investment="10")
    withdrawn = invest(api, backer, live, "50")
    taken = api.as_user(backer).post(
        f"/api/investments/{withdrawn.pk}/withdraw", {"amount": "50", "paymentMethodId": str(withdrawn.method_id)}
    )
    assert taken.json()["status"] == "refunded"
    investment = invest(api, backer, campaign, "100")
    invest(api, backer, live, "70")
    settle(campaign)
    distribution = propose(api, founder, campaign, "12.00")
    approve(admin, distribution)
    assert distribute(distribution.pk, now=timezone.now())
    paid = api.as_user(backer).post(
        f"/api/investments/{investment.pk}/withdraw", {"amount": "5", "paymentMethodId": str(investment.method_id)}
    )
    assert paid.json()["status"] == "paid"
    return {"admin": admin, "backer": backer, "live": live, "investment": investment, "distribution": distribution}


def test_every_sum_leads_to_its_entries_and_each_entry_to_its_row(moved: dict[str, Any]) -> None:
    """From every account over its entries and their postings to an investment, a distribution or a campaign."""
    admin, seen = moved["admin"], set()
    for account in LedgerAccount.objects.all():
        text = page(admin, reverse("admin:ledger_ledgeraccount_change", args=[account.pk]))
        shown = re.search(r"posted entries, added up.*?<div class=\"readonly\">(.*?)</div>", text, re.DOTALL | re.I)
        assert shown and shown[1] == f"{account.balance.text} {account.currency}"
        assert page(admin, links(text, "/ledger/entry/?")[0]).count('class="field-posting') == account.entries.count()
        for address in links(text, "/ledger/posting/"):
            if not address.endswith("/change/") or address in seen:
                continue
            seen.add(address)
            posting = page(admin, address)
            rows = [*links(posting, "/investments/"), *links(posting, "/campaigns/campaign/")]
            rows = [row for row in rows if row.endswith("/change/")]
            assert rows, address
            page(admin, rows[0])
    assert len(seen) >= 8


def test_each_row_leads_to_its_postings(moved: dict[str, Any]) -> None:
    admin = moved["admin"]
    rows = [
        ("admin:investments_investment_change", moved["investment"]),
        ("admin:investments_distribution_change", moved["distribution"]),
    ]
    for name, row in rows:
        (address,) = links(page(admin, reverse(name, args=[row.pk])), "reference__exact")
        assert "charge:" in page(admin, address)
    refund, payout = Refund.objects.get(), Payout.objects.get()
    for name, key, reservation in [
        ("admin:investments_refund_change", refund.pk, refund.reservation_id),
        ("admin:investments_payout_change", payout.pk, payout.reservation_id),
    ]:
        (address,) = links(page(admin, reverse(name, args=[key])), f"/ledger/posting/{reservation}")
        assert "resolved by" in page(admin, address).lower()


def test_from_the_home_and_from_a_campaign_to_its_escrow(moved: dict[str, Any]) -> None:
    admin, live = moved["admin"], moved["live"]
    (address,) = links(page(admin, "/admin/dashboard/"), "/ledger/ledgeraccount/?q=escrow")
    account = LedgerAccount.objects.get(code=f"escrow:campaign:{live.pk}")
    account_page = reverse("admin:ledger_ledgeraccount_change", args=[account.pk])
    assert account_page in "".join(links(page(admin, address), "/ledger/ledgeraccount/"))
    campaign_page = page(admin, reverse("admin:campaigns_campaign_change", args=[live.pk]))
    (books,) = links(campaign_page, "/books/")
    assert account.code in page(admin, books)
    assert "70.00 USD" in page(admin, books)


def test_the_way_to_the_books_is_for_those_who_may_read_them(
    moved: dict[str, Any], person: Callable[..., User]
) -> None:
    browser = Client()
    browser.force_login(person("mo", role="moderator"))
    live = moved["live"]
    assert browser.get(reverse("campaign-books", args=[live.pk])).status_code == 403
    shown = browser.get(reverse("admin:campaigns_campaign_change", args=[live.pk])).content.decode()
    assert "/books/" not in shown


def test_a_campaign_without_money_has_an_empty_list(person: Callable[..., User]) -> None:
    founder = person("founder", identity=True)
    assert "0 " in page(person("ines", role="admin"), reverse("campaign-books", args=[make_campaign(founder).pk]))
