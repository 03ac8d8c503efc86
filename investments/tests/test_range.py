"""The ends of the range: whatever is too large is refused as such, and nobody uses up a currency for others."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.money import MAX_MINOR, Money
from core.testing import Api
from investments.models import Investment, PaymentMethod
from investments.services.investing import OPEN_PAYMENTS
from investments.testing import invest, make_card
from investments.tests.conftest import books_agree, invest_url, refusal
from ledger.errors import AccountFull
from ledger.services.accounts import open_account
from ledger.services.postings import BIGINT_MAX, credit, debit, post
from ledger.services.reservations import reserve

WHOLE = f"{MAX_MINOR // 100}"


def ask(api: Api, who: User, campaign: Campaign, amount: Any, card: PaymentMethod) -> Any:
    body = {"amount": amount, "paymentMethodId": str(card.pk)}
    return api.as_user(who).post(invest_url(campaign), body)


@pytest.mark.parametrize("amount", [f"{MAX_MINOR}", f"{MAX_MINOR // 100}.01", "9" * 40, "9" * 17, int("9" * 30)])
def test_amounts_beyond_the_range_are_invalid(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod, amount: Any
) -> None:
    answer = ask(api, backer, campaign, amount, card)
    assert refusal(answer)[0] == 400
    assert not Investment.objects.exists()


def test_a_campaign_without_a_cap_holds_no_more_than_its_columns(
    api: Api, founder: User, backer: User, friend: User
) -> None:
    campaign = make_campaign(founder, max_amount=None)
    invest(api, backer, campaign, WHOLE)
    refused = ask(api, friend, campaign, "0.01", make_card(friend))
    assert (refusal(refused), refused.json()["available"]) == ((409, "over_cap"), "0.00")
    assert Campaign.objects.get(pk=campaign.pk).raised_minor == MAX_MINOR
    assert books_agree()


def test_the_table_itself_keeps_a_campaign_within_its_range(campaign: Campaign) -> None:
    for column in ("raised_minor", "reserved_minor", "goal_minor"):
        with pytest.raises(DatabaseError), transaction.atomic():
            Campaign.objects.filter(pk=campaign.pk).update(max_minor=None, **{column: MAX_MINOR + 1})


def test_the_proof_holds(db: None) -> None:
    """`core.money.MAX_MINOR`: the numbers that its docstring gives."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 9223372036854775807::bigint")
        assert cursor.fetchone() == (BIGINT_MAX,)
    assert BIGINT_MAX // MAX_MINOR == 9_223
    assert BIGINT_MAX // (OPEN_PAYMENTS * MAX_MINOR) == 1_844


def test_open_payments_of_one_person_block_nobody(api: Api, founder: User, backer: User, friend: User) -> None:
    """All that one person may have under way, each as large as can be, in one currency."""
    strict = make_card(backer, "tok_3ds")
    for number in range(OPEN_PAYMENTS):
        campaign = make_campaign(founder, title=f"Tower {number}", max_amount=None)
        assert ask(api, backer, campaign, WHOLE, strict).json()["status"] == "requires_action"
    invest(api, friend, make_campaign(founder, title="Bench"), "100")
    assert books_agree()


@pytest.mark.parametrize("book", [post, reserve])
def test_the_books_refuse_what_they_cannot_hold(db: None, book: Any) -> None:
    now = timezone.now()
    cash = open_account("test:cash", kind="asset", currency="USD", now=now)
    debts = open_account("test:debts", kind="liability", currency="USD", now=now)
    half = Money(2**62, "USD")

    def lines() -> list[Any]:
        return [debit(cash, half), credit(debts, half)]

    with transaction.atomic():
        book(key="first", kind="test", lines=lines(), now=now)
        with pytest.raises(AccountFull):
            post(key="second", kind="test", lines=lines(), now=now)
    cash.refresh_from_db()
    assert cash.posted + cash.pending_in == 2**62


@pytest.mark.parametrize("number", ["9223372036854775808", "1" + "0" * 40, "-9223372036854775809"])
@pytest.mark.parametrize("path", ["/api/campaigns", "/api/investments", "/api/notifications"])
@pytest.mark.parametrize("parameter", ["page", "limit"])
def test_numbers_in_queries(api: Api, backer: User, path: str, parameter: str, number: str) -> None:
    assert api.as_user(backer).get(path, {parameter: number}).status_code == 400


def test_sequence_numbers_beyond_the_range(api: Api, backer: User, friend: User) -> None:
    client = api.as_user(backer)
    talk = client.post("/api/chat/conversations", {"participants": [str(friend.pk)], "type": "direct"}).json()
    url = f"/api/chat/conversations/{talk['id']}"
    for number in (2**63, 10**40, -1):
        assert client.get(f"{url}/messages", {"afterSeq": number}).status_code in (200, 400)
        assert client.get(f"{url}/messages", {"beforeSeq": number}).status_code in (200, 400)
        assert client.put(f"{url}/read", {"seq": number}).status_code in (200, 400)
