"""
Closing and distributing with everything that can break in between: the process ends before any statement, the
connection is lost at any COMMIT, two do the same at once, and somebody withdraws while the campaign closes.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.api.errors import OutcomeUnknown, Refusal
from core.api.idempotency import NoTicket
from core.data import locks as row_locks
from core.models import Event
from core.testing import WAIT_LIMIT, Api, drain_outbox, together
from investments import books
from investments.models import Distribution, Investment, Payment, PaymentMethod, Return, SandboxCharge
from investments.reconciliation import reconcile
from investments.services import closing, distributing, locks, withdrawals
from investments.services.closing import close_campaign
from investments.services.distributing import distribute
from investments.services.withdrawals import withdraw_from_investment
from investments.testing import approve, close_campaigns, invest, make_card, propose, settle
from investments.tests.conftest import books_agree, invest_url, minor
from investments.tests.test_money_model import scratch
from investments.tests.test_repeats import Cut
from ledger.errors import InsufficientFunds

WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")


class Death(BaseException):
    """The process ends here."""


def dying_before(number: int) -> Callable[..., Any]:
    """An execute wrapper that ends the process before the statement with this number (from 0) that writes."""
    left = [number]

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(WRITES):
            left[0] -= 1
            if left[0] < 0:
                raise Death
        return execute(sql, params, many, context)

    return count


@pytest.fixture
def admin(person: Callable[..., User]) -> User:
    return person("ines", role="admin")


def is_sound() -> bool:
    return books_agree() and not reconcile("sandbox", now=timezone.now()).findings


def owed(campaign: Campaign) -> int:
    return minor(f"payable:user:{campaign.owner_id}:USD")


def sent_back() -> int:
    return sum(SandboxCharge.objects.values_list("refunded_minor", flat=True))


# --- The process ends before any statement --------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("is_funded", [True, False])
def test_a_close_killed_before_any_statement_goes_on(
    api: Api, backer: User, friend: User, campaign: Campaign, monkeypatch: pytest.MonkeyPatch, is_funded: bool
) -> None:
    """Before its first statement that writes, in another try before the second, and so on to the last one."""
    monkeypatch.setattr(closing, "BATCH", 1)
    invest(api, backer, campaign, "600")
    invest(api, friend, campaign, "400" if is_funded else "300")
    died = 0
    while _close_dies_before(died, campaign, 1000_00 if is_funded else 900_00, is_funded):
        died += 1
    assert died >= 6


def _close_dies_before(number: int, campaign: Campaign, captured: int, is_funded: bool) -> bool:
    """Whether there is such a statement; whatever it leaves comes to the same end, then all is undone."""
    with scratch():
        died = False
        try:
            with connection.execute_wrapper(dying_before(number)):
                close_campaign(campaign.pk, now=campaign.ends_at)
        except Death:
            died = True
        assert minor(f"escrow:campaign:{campaign.pk}") + owed(campaign) == captured
        close_campaigns(now=campaign.ends_at)
        assert Campaign.objects.get(pk=campaign.pk).status == "settled"
        assert (owed(campaign), sent_back()) == ((captured, 0) if is_funded else (0, captured))
        final = "investment.invested" if is_funded else "investment.refunded"
        assert Event.objects.filter(kind=final).count() == 2
        if not died:
            assert books_agree()
        transaction.set_rollback(True)
    return died


# --- The connection is lost at any COMMIT ---------------------------------------------------------------------------


def cut_at_each_commit(monkeypatch: pytest.MonkeyPatch, begin: Callable[[], Callable[[], object]]) -> int:
    """
    Do something with the connection lost at its first COMMIT, do it again with another one, then at the second COMMIT,
    and so on: once with the COMMIT carried out, once without.

    :param begin: makes what is worked on; what it returns does the work
    :returns: how many COMMITs there were
    """
    at = 1
    while True:
        was_cut = False
        for carried_out in (True, False):
            work = begin()
            with monkeypatch.context() as cutting:
                cut = Cut(cutting, at, carried_out=carried_out)
                try:
                    work()
                except (OperationalError, OutcomeUnknown):
                    was_cut = True
                was_cut = was_cut or cut.seen >= at
            connection.close()
            work()
        if not was_cut:
            return at - 1
        at += 1


@pytest.mark.django_db(transaction=True)
def test_a_close_cut_at_any_commit_goes_on(
    api: Api, founder: User, backer: User, friend: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "BATCH", 1)
    card, other = make_card(backer), make_card(friend)
    soon = timezone.now() + timedelta(days=3)
    made: list[Campaign] = []

    def begin() -> Callable[[], object]:
        campaign = make_campaign(founder, goal_amount="100", min_investment="10", ends_at=soon)
        made.append(campaign)
        invest(api, backer, campaign, "60", card)
        invest(api, friend, campaign, "50", other)
        return partial(close_campaign, campaign.pk, now=soon)

    assert cut_at_each_commit(monkeypatch, begin) >= 4
    assert {one.status for one in Campaign.objects.all()} == {"settled"}
    assert owed(made[0]) == 110_00 * len(made)
    assert Event.objects.filter(kind="investment.invested").count() == 2 * len(made)
    assert is_sound()


@pytest.mark.django_db(transaction=True)
def test_a_distribution_cut_at_any_commit_goes_on(
    api: Api,
    founder: User,
    backer: User,
    friend: User,
    admin: User,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(distributing, "BATCH", 1)
    invest(api, backer, campaign, "700")
    invest(api, friend, campaign, "400")
    settle(campaign)
    card = make_card(founder)

    def begin() -> Callable[[], object]:
        distribution = propose(api, founder, campaign, "11", card)
        approve(admin, distribution)
        return partial(distribute, distribution.pk, now=timezone.now())

    assert cut_at_each_commit(monkeypatch, begin) >= 4
    count = Distribution.objects.count()
    assert set(Distribution.objects.values_list("status", flat=True)) == {"paid"}
    assert minor(f"returns:user:{backer.pk}:USD") == 7_00 * count
    assert minor(f"returns:user:{friend.pk}:USD") == 4_00 * count
    assert Event.objects.filter(kind="investment.returned").count() == 2 * count
    assert is_sound()


# --- Two distributions at once --------------------------------------------------------------------------------------


@pytest.fixture
def approved(
    api: Api, founder: User, backer: User, friend: User, admin: User, campaign: Campaign
) -> list[Distribution]:
    """Two of one campaign, paid in and approved."""
    invest(api, backer, campaign, "700")
    invest(api, friend, campaign, "400")
    settle(campaign)
    found = [propose(api, founder, campaign, "11"), propose(api, founder, campaign, "22")]
    for one in found:
        approve(admin, one)
    return found


def crediting(distribution: Distribution) -> partial[bool]:
    return partial(distribute, distribution.pk, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_two_distributions_side_by_side_and_each_of_them_twice(
    backer: User, friend: User, approved: list[Distribution], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributing, "BATCH", 1)
    outcomes = together(*[crediting(one) for one in approved * 2])
    assert not [one for one in outcomes if isinstance(one, Exception)]
    for one in approved:
        distribute(one.pk, now=timezone.now())
    assert (minor(f"returns:user:{backer.pk}:USD"), minor(f"returns:user:{friend.pk}:USD")) == (21_00, 12_00)
    assert Event.objects.filter(kind="investment.returned").count() == Return.objects.count() == 4
    assert Event.objects.filter(kind="distribution.paid").count() == 2
    assert is_sound()


@pytest.mark.django_db(transaction=True)
def test_a_distribution_twice_at_once_twin(
    backer: User, approved: list[Distribution], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the locks of the parts both credit them: holders are told twice, or the second one crashes."""
    distributing._split(approved[0].pk, timezone.now())
    barrier, lock, credit = Barrier(2), row_locks.lock, books.credit_returns

    def only_read(rows: Any, **options: Any) -> Any:
        if rows.model is not Return:
            return lock(rows, **options)
        barrier.wait(WAIT_LIMIT)
        return rows.all()

    def credit_together(**facts: Any) -> Any:
        barrier.wait(WAIT_LIMIT)
        return credit(**facts)

    monkeypatch.setattr(row_locks, "lock", only_read)
    monkeypatch.setattr(books, "credit_returns", credit_together)
    some = partial(distributing._credit_some, approved[0].pk, timezone.now())
    outcomes = together(some, some)
    crashed = [one for one in outcomes if isinstance(one, Exception)]
    assert crashed or Event.objects.filter(kind="investment.returned").count() == 4


# --- A withdrawal while the campaign closes -------------------------------------------------------------------------


def withdrawing(investment: Investment, now: Any) -> partial[Any]:
    return partial(
        withdraw_from_investment,
        investor=investment.investor,
        investment_id=investment.pk,
        amount=Decimal(investment.amount.text),
        payment_method_id=investment.method_id,
        ticket=NoTicket(),
        now=now,
    )


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_and_the_close_meet(
    api: Api, founder: User, backer: User, card: PaymentMethod, settings: Settings
) -> None:
    """Whoever comes first, the money is released or refunded, once."""
    settings.CANCEL_WINDOW = timedelta(0)
    soon = timezone.now() + timedelta(days=3)
    for _ in range(4):
        campaign = make_campaign(founder, goal_amount="100", min_investment="10", ends_at=soon)
        investment = invest(api, backer, campaign, "100", card)
        before = owed(campaign) + sent_back()
        withdrawn, _closed = together(
            withdrawing(investment, soon - timedelta(seconds=1)), partial(close_campaign, campaign.pk, now=soon)
        )
        assert not isinstance(withdrawn, Exception) or isinstance(withdrawn, Refusal), withdrawn
        close_campaigns(now=soon)
        campaign.refresh_from_db()
        assert campaign.status == "settled"
        assert owed(campaign) + sent_back() == before + 100_00
    assert books_agree()


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_and_the_close_twin(
    api: Api, founder: User, backer: User, card: PaymentMethod, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without its locks the withdrawal takes what it has read before the close for true, and crashes on the books, which
    have no more.
    """
    settings.CANCEL_WINDOW = timedelta(0)
    soon = timezone.now() + timedelta(days=3)
    campaign = make_campaign(founder, goal_amount="100", min_investment="10", ends_at=soon)
    investment = invest(api, backer, campaign, "100", card)

    def only_read(payment_id: Any) -> Any:
        payment = Payment.objects.select_related("investment__campaign", "investment__investor").get(pk=payment_id)
        return locks.Locked(payment.investment.campaign, payment.investment, payment)

    def read_and_wait_for_the_close(campaign_id: Any, now: Any) -> Campaign:
        read = Campaign.objects.get(pk=campaign_id)
        together(partial(close_campaign, campaign_id, now=soon))
        return read

    monkeypatch.setattr("core.data.locks.is_guarded", False)
    monkeypatch.setattr(withdrawals, "lock_payment", only_read)
    monkeypatch.setattr(withdrawals, "lock_backing", lambda *_: None)
    monkeypatch.setattr(withdrawals, "lock_by_clock", read_and_wait_for_the_close)
    with pytest.raises((InsufficientFunds, IntegrityError)):
        withdrawing(investment, soon - timedelta(seconds=1))()


# --- Fifty copies of one key ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_fifty_copies_of_one_key_are_one_investment(
    api: Api, backer: User, campaign: Campaign, card: PaymentMethod
) -> None:
    """The twin, without the key, is in `test_races.py`."""
    client, body = api.as_user(backer), {"amount": "100", "paymentMethodId": str(card.pk)}

    def ask(_: int) -> Any:
        try:
            return client.post(invest_url(campaign), body, idempotency_key="one")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(ask, range(50)))
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 200}
    others = [answer for answer in answers if answer.status_code != 200]
    assert len(ids) == 1
    assert all(answer.json()["code"] == "idempotency_in_progress" and "Retry-After" in answer for answer in others)
    assert (Investment.objects.count(), SandboxCharge.objects.count()) == (1, 1)
    assert ask(0).json()["id"] in ids
    drain_outbox()
    assert Campaign.objects.get().raised_minor == 100_00
    assert books_agree()
