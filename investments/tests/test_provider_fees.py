"""What a provider takes for itself is booked once for each line of its statement, so the books hold what it holds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from core.money import Money
from core.testing import WAIT_LIMIT, Api, together
from investments.models import PaymentMethod, ProviderFee
from investments.providers.base import Move, StatementLine
from investments.providers.stripe import StripeGateway
from investments.reconciliation import Finding, reconcile
from investments.services.provider_fees import book_provider_fees
from investments.testing import StandIn, invest
from investments.tests.conftest import books_agree, minor
from investments.tests.stripe_line import StripeLine
from ledger.tests.test_commands import execute, guards_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def taken(provider: StandIn, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Fees that the provider has taken, by the keys of lines; those of other lines are 59."""
    fees: dict[str, int] = {}
    whole, held = provider.statement, provider.holdings

    def statement(*, since: datetime) -> Iterator[StatementLine]:
        for line in whole(since=since):
            fee = fees.get(line.key, 59 if line.move == Move.CHARGE else 0)
            yield replace(line, fee_minor=fee, id=f"txn_{line.key}")

    def holdings() -> dict[str, int]:
        sums = dict(held())
        for line in statement(since=timezone.now() - timedelta(days=1)):
            sums[line.amount.currency] -= line.fee_minor
        return sums

    monkeypatch.setattr(provider, "statement", statement)
    monkeypatch.setattr(provider, "holdings", holdings)
    return fees


@pytest.fixture
def story(api: Api, backer: User, friend: User, campaign: Campaign, card: PaymentMethod) -> list[str]:
    """Keys of two payments."""
    return [invest(api, who, campaign, "100").payment.key for who in (backer, friend)]


def found() -> list[Finding]:
    return list(reconcile("sandbox", now=timezone.now()).findings)


def names(findings: list[Finding]) -> list[tuple[str, str]]:
    return sorted((one.check.value, one.about) for one in findings)


def test_each_line_is_booked_once(taken: dict[str, int], story: list[str]) -> None:
    for _ in range(2):
        assert found() == []
    assert (minor("expenses:provider:sandbox:USD"), minor("provider:sandbox:USD")) == (118, 20_000 - 118)
    assert ProviderFee.objects.count() == 2
    assert books_agree()


def test_what_is_given_back_is_booked_the_other_way(taken: dict[str, int], story: list[str]) -> None:
    taken.update({story[0]: -59, story[1]: 20})
    assert found() == []
    assert (minor("expenses:provider:sandbox:USD"), minor("provider:sandbox:USD")) == (-39, 20_039)
    assert books_agree()


def test_a_fee_that_the_books_cannot_pay_yet_is_told_and_booked_later(
    api: Api, backer: User, campaign: Campaign, taken: dict[str, int], story: list[str]
) -> None:
    taken[story[0]] = 30_000
    assert names(found()) == [("unbooked", "fee"), ("unbooked", "fee")]
    for _ in range(2):
        invest(api, backer, campaign, "200")
    assert found() == []


def test_another_fee_than_before_is_found(taken: dict[str, int], story: list[str]) -> None:
    assert found() == []
    taken[story[0]] = 60
    assert names(found()) == [("differing", "fee"), ("sum", "provider")]


def test_a_line_that_has_gone_is_found(taken: dict[str, int], story: list[str]) -> None:
    gone = ProviderFee.objects.create(
        provider="sandbox", line_id="txn_gone", amount_minor=5, currency="USD", taken_at=timezone.now()
    )
    (missing,) = (one for one in found() if one.check == "missing")
    assert (missing.about, missing.reference, missing.ours) == ("fee", gone.line_id, "0.05")
    assert ("sum", "fee") in names(found())


def test_another_sum_in_the_ledger_is_found(taken: dict[str, int], story: list[str]) -> None:
    assert found() == []
    with guards_off():
        execute("UPDATE ledger_account SET posted = 119 WHERE code = 'expenses:provider:sandbox:USD'")
    assert names(found()) == [("sum", "fee")]


def test_a_kept_fee_is_not_changed(taken: dict[str, int], story: list[str]) -> None:
    assert found() == []
    for change in (lambda rows: rows.update(amount_minor=1), lambda rows: rows.delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change(ProviderFee.objects.all())


@pytest.mark.django_db(transaction=True)
def test_side_by_side_it_is_booked_once(taken: dict[str, int], story: list[str], provider: StandIn) -> None:
    together(*[booking(provider)] * 2)
    assert (ProviderFee.objects.count(), minor("expenses:provider:sandbox:USD")) == (2, 118)


@pytest.mark.django_db(transaction=True)
def test_side_by_side_it_is_booked_once_twin(
    taken: dict[str, int], story: list[str], provider: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who only looks first, without the unique row, books it twice."""
    barrier = Barrier(2)

    def insert_nothing(*rows: ProviderFee) -> set[Any]:
        barrier.wait(timeout=WAIT_LIMIT)
        return {row.pk for row in rows}

    monkeypatch.setattr("investments.services.provider_fees.sql.insert_missing", insert_nothing)
    together(*[booking(provider)] * 2)
    assert minor("expenses:provider:sandbox:USD") == 236


def booking(provider: StandIn) -> Callable[[], None]:
    now = timezone.now()
    lines = list(provider.statement(since=now - timedelta(days=1)))
    return lambda: book_provider_fees("sandbox", lines, now=now)


def test_a_line_of_stripe_that_is_a_fee_as_a_whole(stripe_line: StripeLine) -> None:
    stripe_line.tell("bill", amount=500, currency="usd")
    (line,) = StripeGateway().statement(since=timezone.now() - timedelta(hours=1))
    assert (line.move, line.amount, line.fee_minor) == (Move.FEE, Money(0, "USD"), 500)
    assert StripeGateway().holdings() == {"USD": -500}
