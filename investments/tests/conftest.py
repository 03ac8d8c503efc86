from collections import Counter
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.testing import WAIT_LIMIT
from investments import providers
from investments.models import HOLDING, UNDER_WAY, FeeLine, Investment, PaymentMethod, WaitingEntry
from investments.testing import StandIn, make_card
from investments.tests.stripe_line import StripeLine
from ledger import oracle
from ledger.models import LedgerAccount
from ledger.selectors import balances


@pytest.fixture(autouse=True)
def providers_are_asked() -> None:
    """However silent they were in the test before."""
    for breaker in providers.breakers.values():
        breaker.reset()


@pytest.fixture
def founder(person: Callable[..., User]) -> User:
    return person("founder", identity=True)


@pytest.fixture
def backer(person: Callable[..., User]) -> User:
    return person("backer", identity=True)


@pytest.fixture
def friend(person: Callable[..., User]) -> User:
    return person("friend", identity=True)


@pytest.fixture
def stranger(person: Callable[..., User]) -> User:
    return person("stranger", identity=True)


@pytest.fixture
def moderator(person: Callable[..., User]) -> User:
    return person("moderator", role="moderator")


@pytest.fixture
def campaign(founder: User) -> Campaign:
    """Live, goal 1,000.00 USD, at most 1,200.00, at least 10.00 each."""
    return make_campaign(founder, max_amount="1200", min_investment="10")


@pytest.fixture
def card(backer: User) -> PaymentMethod:
    return make_card(backer)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The sandbox behind a line that can be made bad."""
    stand_in = StandIn()
    monkeypatch.setitem(providers.PROVIDERS, "sandbox", lambda: stand_in)
    return stand_in


@pytest.fixture(scope="session")
def stripe_process() -> Iterator[StripeLine]:
    line = StripeLine()
    yield line
    line.end()


@pytest.fixture
def stripe_line(stripe_process: StripeLine, settings: Settings) -> StripeLine:
    """The stand-in for Stripe, new, and settings that lead to it."""
    stripe_process.tell("reset")
    stripe_process.tell("webhooks", url="", secret="whsec_tests", mode="send")
    settings.STRIPE_API_BASE = stripe_process.address
    settings.STRIPE_API_KEY = "sk_test_tests"
    settings.STRIPE_WEBHOOK_SECRET = ["whsec_older", "whsec_tests"]
    settings.STRIPE_WAIT = WAIT_LIMIT
    return stripe_process


def invest_url(campaign: Campaign) -> str:
    return f"/api/campaigns/{campaign.pk}/invest"


def refusal(response: Any) -> Any:
    return response.status_code, response.json()["code"]


def minor(code: str) -> int:
    """What is posted on an account, in minor units; 0 before it is opened."""
    found = balances([code]).get(code)
    return found.posted.minor if found else 0


def books_agree() -> bool:
    """
    The ledger is sound, also for an oracle that shares no code with it, and every campaign's columns say what its
    investments and its escrow say.
    """
    call_command("ledger_verify", stdout=StringIO())
    books = StringIO()
    call_command("ledger_export", stdout=books)
    assert oracle.check(books.getvalue().splitlines())[0] == []
    fees_agree()
    for campaign in Campaign.objects.all():
        investments = Investment.objects.filter(campaign=campaign).select_related("payment")
        held = sum(i.payment.held_minor for i in investments if i.status in HOLDING)
        assert campaign.settled_minor in (0, campaign.raised_minor)
        reserved = sum(i.amount_minor for i in investments if i.status in UNDER_WAY)
        assert (campaign.raised_minor, campaign.reserved_minor) == (held, reserved)
        waiting = WaitingEntry.objects.in_list().filter(campaign=campaign)
        assert campaign.offered_minor == sum(entry.offered_minor for entry in waiting)
        assert campaign.waiting_count == sum(1 for entry in waiting if entry.status == "waiting")
        backers = {i.investor_id: 0 for i in investments}
        for i in investments:
            backers[i.investor_id] += i.payment.held_minor
        assert campaign.investor_count == sum(1 for amount in backers.values() if amount)
        assert {b.backer_id: b.committed_minor for b in campaign.backings.all() if b.committed_minor} == {
            backer: amount for backer, amount in backers.items() if amount
        }
        escrow = balances([f"escrow:campaign:{campaign.pk}"]).get(f"escrow:campaign:{campaign.pk}")
        if escrow is not None:
            settled = campaign.status == "settled" or Investment.objects.filter(campaign=campaign, status="invested")
            assert escrow.available.minor == (0 if settled else held)
            assert escrow.pending_in.minor == reserved
    return True


def fees_agree() -> None:
    """What is on the accounts of fees is what the lines of all payments and releases say."""
    expected: Counter[str] = Counter()
    for line in FeeLine.objects.select_related("campaign", "payment"):
        kept = line.amount_minor - line.refunded_minor
        if line.payment is None or line.campaign.status == "settled":
            code = f"fees:{line.kind}:{line.currency}"
        else:
            code = f"fees:held:campaign:{line.campaign_id}"
        expected[code] += kept if line.payment is None or line.payment.status == "captured" else 0
    accounts = LedgerAccount.objects.filter(code__startswith="fees:")
    assert {one.code: one.posted - one.pending_out for one in accounts} == {
        one.code: expected[one.code] for one in accounts
    }
    assert set(filter(expected.get, expected)) <= {one.code for one in accounts}
