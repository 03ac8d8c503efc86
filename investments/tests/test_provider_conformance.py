"""What every provider does, whatever its name (docs/payment-providers.md). A new one adds a `Bench` and its row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from core.data.ids import uuid7
from core.money import Money
from investments.errors import InvalidSignature, UnknownPaymentToken, UnreadableEvent
from investments.models import SandboxCharge, SandboxDispute
from investments.providers.base import (
    Charge,
    Event,
    Gateway,
    Move,
    RefundRefused,
    State,
    StatementLine,
    StillProcessing,
    TargetRejected,
    dispute_key,
)
from investments.providers.sandbox import SandboxGateway, event_about, event_about_dispute, sign
from investments.providers.stripe import StripeGateway
from investments.tests.stripe_line import StripeLine

TEN = Money(1000, "USD")
OLDEST = timedelta(seconds=300)
Signed = tuple[bytes, dict[str, str]]


class Bench:
    """A provider with what only its own side can do: the holder's answers, and the events that it sends."""

    gateway: Gateway
    works: str
    declined: str
    asks: str
    """Tokens of cards."""
    fee = 0
    """What it takes of a charge of 10.00 USD for itself, once it was told to."""

    def bank_account(self, person: User, *, is_verified: bool = True) -> str:
        """The token of a bank account of a person."""
        raise NotImplementedError

    def refused_account(self, person: User) -> str:
        """The token of one that the provider will never pay to."""
        raise NotImplementedError

    def answer(self, charge: Charge, answer: str) -> None:
        """What the holder of a card answers to 3-D Secure: approve or decline."""
        raise NotImplementedError

    def newest_event(self, key: str) -> Signed:
        """About the charge of a key, signed now."""
        raise NotImplementedError

    def dispute(self, key: str, minor: int) -> str:
        """The holder of the card contests a part of the charge of a key. Returns the provider's id of the dispute."""
        raise NotImplementedError

    def decide(self, key: str, outcome: str) -> None:
        """The bank decides on the newest dispute of a charge: won or lost."""
        raise NotImplementedError

    def newest_event_about_dispute(self, key: str) -> Signed:
        raise NotImplementedError

    def signed(self, body: bytes, *, age: timedelta = timedelta(0)) -> dict[str, str]:
        """Headers of an event that was signed some time ago."""
        raise NotImplementedError

    def take_fees(self) -> None:
        """From now on, if it can be told so."""


class SandboxBench(Bench):
    works, declined, asks = "tok_visa", "tok_declined", "tok_3ds"

    def __init__(self) -> None:
        self.gateway = self.sandbox = SandboxGateway()

    def bank_account(self, person: User, *, is_verified: bool = True) -> str:
        return "tok_bank_account" if is_verified else "tok_bank_slow"

    def refused_account(self, person: User) -> str:
        return "tok_bank_refused"

    def answer(self, charge: Charge, answer: str) -> None:
        token = charge.action_url.rpartition("/")[2]
        self.sandbox.finish_action(token, approved=answer == "approve", now=timezone.now())

    def newest_event(self, key: str) -> Signed:
        return event_about(SandboxCharge.objects.get(key=key), now=timezone.now())

    def dispute(self, key: str, minor: int) -> str:
        return self.sandbox.open_dispute(key, amount_minor=minor, now=timezone.now()).provider_id

    def decide(self, key: str, outcome: str) -> None:
        self.sandbox.close_dispute(self._newest(key), won=outcome == "won", now=timezone.now())

    def newest_event_about_dispute(self, key: str) -> Signed:
        return event_about_dispute(self._newest(key), now=timezone.now())

    def _newest(self, key: str) -> SandboxDispute:
        dispute = self.sandbox.newest_dispute(key)
        assert dispute is not None
        return dispute

    def signed(self, body: bytes, *, age: timedelta = timedelta(0)) -> dict[str, str]:
        return {"Sandbox-Signature": sign(body, timezone.now() - age)}


class StripeBench(Bench):
    works, declined, asks = "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_threeDSecureRequired"
    fee = 59

    def __init__(self, line: StripeLine) -> None:
        self.line = line
        self.gateway = StripeGateway()

    def bank_account(self, person: User, *, is_verified: bool = True) -> str:
        return self._onboarded(person, "prove" if is_verified else "enter")

    def refused_account(self, person: User) -> str:
        self._onboarded(person, "enter")
        return self._onboarded(person, "reject")

    def _onboarded(self, person: User, answer: str) -> str:
        setup = self.gateway.setup(owner_id=person.pk, type="bank_account", now=timezone.now())
        assert setup is not None
        self.line.onboard(setup.url, answer)
        return setup.token

    def answer(self, charge: Charge, answer: str) -> None:
        self.line.answer_3ds(charge.action_url, answer)

    def newest_event(self, key: str) -> Signed:
        return [one for one in self.line.events() if key.encode() in one[0]][-1]

    def dispute(self, key: str, minor: int) -> str:
        return str(self.line.tell("dispute", key=key, amount=minor)["id"])

    def decide(self, key: str, outcome: str) -> None:
        self.line.tell("dispute", key=key, outcome=outcome)

    def newest_event_about_dispute(self, key: str) -> Signed:
        return [one for one in self.line.events() if b"charge.dispute." in one[0]][-1]

    def signed(self, body: bytes, *, age: timedelta = timedelta(0)) -> dict[str, str]:
        from stripe import WebhookSignature

        seconds = int((timezone.now() - age).timestamp())
        return {"Stripe-Signature": WebhookSignature.generate_signature_header(body.decode(), SECRET, seconds)}

    def take_fees(self) -> None:
        self.line.tell("fees", basis_points=290, fixed=30)


SECRET = "whsec_tests"


@pytest.fixture(params=["sandbox", "stripe"])
def bench(request: pytest.FixtureRequest, db: None) -> Bench:
    return SandboxBench() if request.param == "sandbox" else StripeBench(request.getfixturevalue("stripe_line"))


@pytest.fixture
def payer(person: Callable[..., User]) -> User:
    return person("payer", identity=True)


@pytest.fixture
def key() -> str:
    return f"payment-{uuid7()}"


class Payer:
    """One person who pays by one provider."""

    def __init__(self, bench: Bench, person: User) -> None:
        self.bench, self.person = bench, person
        self.gateway = bench.gateway

    def token(self, template: str) -> str:
        kept = self.gateway.instrument(owner_id=self.person.pk, type="card", token=template, now=timezone.now())
        return kept.token

    def charge(self, key: str, template: str, amount: Money = TEN) -> Charge:
        token = self.token(template)
        return self.gateway.charge(key=key, payer_id=self.person.pk, token=token, amount=amount, now=timezone.now())

    def cancel(self, key: str) -> Charge:
        return self.gateway.cancel(key=key, now=timezone.now())

    def refund(self, key: str, charge: Charge, minor: int, of: str) -> str:
        amount = Money(minor, charge.amount.currency)
        return self.gateway.refund(
            key=key, charge_key=of, charge_id=charge.provider_id, amount=amount, now=timezone.now()
        )

    def pay_out(self, key: str, minor: int, token: str = "") -> str:
        token = token or self.bench.bank_account(self.person)
        return self.gateway.payout(key=key, token=token, amount=Money(minor, "USD"), now=timezone.now())

    def verify(self, token: str, seconds: int = 0) -> None:
        now = timezone.now() + timedelta(seconds=seconds)
        self.gateway.verify_target(key=f"target-{token}", owner_id=self.person.pk, token=token, now=now)

    def lines(self, *keys: str) -> list[StatementLine]:
        since = timezone.now() - timedelta(hours=1)
        return [line for line in self.gateway.statement(since=since) if line.key in keys]

    def read(self, signed: Signed) -> Event:
        body, headers = signed
        return self.gateway.read_event(body=body, headers=headers, now=timezone.now())


@pytest.fixture
def paying(bench: Bench, payer: User) -> Payer:
    return Payer(bench, payer)


# --- Payment methods ------------------------------------------------------------------------------------------------


def test_what_is_kept_of_a_card(paying: Payer) -> None:
    kept = paying.gateway.instrument(
        owner_id=paying.person.pk, type="card", token=paying.bench.works, now=timezone.now()
    )
    assert (kept.type, kept.brand, kept.last4, kept.expiry_month) == ("card", "visa", "4242", 12)
    assert kept.token


def test_a_token_that_is_none(paying: Payer) -> None:
    for token in ("tok_nothing", "pm_nothing", "", "../customers", "4242424242424242", "pm_\n", "x" * 255):
        with pytest.raises(UnknownPaymentToken):
            paying.token(token)


def test_a_token_of_another_type(paying: Payer) -> None:
    with pytest.raises(UnknownPaymentToken):
        paying.gateway.instrument(
            owner_id=paying.person.pk, type="wallet", token=paying.bench.works, now=timezone.now()
        )


# --- Charges --------------------------------------------------------------------------------------------------------


def test_a_charge_is_taken_once_per_key_whatever_is_asked_the_second_time(paying: Payer, key: str) -> None:
    first = paying.charge(key, paying.bench.works)
    assert (first.state, first.amount) == (State.CAPTURED, TEN)
    assert first.provider_id
    assert paying.charge(key, paying.bench.works) == first
    assert paying.charge(key, paying.bench.declined) == first
    assert paying.charge(key, paying.bench.works, Money(5000, "USD")) == first
    assert paying.gateway.find(key=key) == first
    assert [line.amount for line in paying.lines(key)] == [TEN]


def test_a_declined_charge_stays_declined(paying: Payer, key: str) -> None:
    declined = paying.charge(key, paying.bench.declined)
    assert (declined.state, declined.reason) == (State.DECLINED, "card_declined")
    assert paying.charge(key, paying.bench.works) == declined
    assert paying.gateway.find(key=key) == declined
    assert paying.lines(key) == []


def test_find_of_a_key_that_was_never_heard_of(paying: Payer, key: str) -> None:
    assert paying.gateway.find(key=key) is None


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [("approve", State.CAPTURED, ""), ("decline", State.DECLINED, "authentication_failed")],
)
def test_three_d_secure_is_answered(paying: Payer, key: str, answer: str, state: State, reason: str) -> None:
    waiting = paying.charge(key, paying.bench.asks)
    assert (waiting.state, waiting.action_url[:4]) == (State.REQUIRES_ACTION, "http")
    assert paying.charge(key, paying.bench.asks) == waiting
    assert paying.lines(key) == []
    paying.bench.answer(waiting, answer)
    found = paying.gateway.find(key=key)
    assert found is not None
    assert (found.state, found.reason, found.action_url) == (state, reason, "")
    paying.bench.answer(waiting, "approve")
    assert paying.gateway.find(key=key) == found
    assert len(paying.lines(key)) == (state == State.CAPTURED)


def test_three_d_secure_that_nobody_answers_is_cancelled(paying: Payer, key: str) -> None:
    waiting = paying.charge(key, paying.bench.asks)
    assert paying.cancel(key).state == State.CANCELLED
    paying.bench.answer(waiting, "approve")
    for found in (paying.gateway.find(key=key), paying.charge(key, paying.bench.works), paying.cancel(key)):
        assert found is not None
        assert found.state == State.CANCELLED
    assert paying.lines(key) == []


def test_cancelling_what_was_taken_changes_nothing(paying: Payer, key: str) -> None:
    taken = paying.charge(key, paying.bench.works)
    assert paying.cancel(key) == taken
    assert len(paying.lines(key)) == 1


def test_nothing_is_taken_under_a_key_that_was_cancelled_before_it_was_heard_of(paying: Payer, key: str) -> None:
    assert paying.cancel(key).state == State.CANCELLED
    assert paying.charge(key, paying.bench.works).state == State.CANCELLED
    assert paying.cancel(key).state == State.CANCELLED
    assert paying.lines(key) == []


# --- Refunds --------------------------------------------------------------------------------------------------------


def test_refunds_in_parts_and_no_more_than_came(paying: Payer, key: str) -> None:
    charge = paying.charge(key, paying.bench.works)
    keys = [f"refund-{uuid4()}-{number}" for number in range(4)]
    part = paying.refund(keys[0], charge, 600, of=key)
    assert paying.refund(keys[0], charge, 600, of=key) == part
    with pytest.raises(RefundRefused):
        paying.refund(keys[1], charge, 401, of=key)
    assert paying.refund(keys[2], charge, 400, of=key) != part
    with pytest.raises(RefundRefused):
        paying.refund(keys[3], charge, 1, of=key)
    assert [line.amount.minor for line in paying.lines(key, *keys)] == [1000, -600, -400]


def test_what_was_not_taken_is_not_refunded(paying: Payer, key: str) -> None:
    charge = paying.charge(key, paying.bench.declined)
    for of in (key, f"payment-{uuid7()}"):
        with pytest.raises(RefundRefused):
            paying.refund(f"refund-{uuid4()}-1", charge, 1, of=of)


# --- Disputes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_takes_the_money_at_once(paying: Payer, key: str, outcome: str) -> None:
    charge = paying.charge(key, paying.bench.works)
    before = paying.gateway.holdings()["USD"]
    dispute_id = paying.bench.dispute(key, 400)
    told = paying.gateway.find_dispute(dispute_id=dispute_id)
    assert told is not None
    assert (told.id, told.charge_key, told.state, told.amount) == (dispute_id, key, "open", Money(400, "USD"))
    assert told.reason
    with pytest.raises(RefundRefused) as refused:
        paying.refund(f"refund-{uuid4()}-1", charge, 100, of=key)
    assert refused.value.reason == "charge_disputed"
    assert paying.gateway.holdings()["USD"] - before == -400
    paying.bench.decide(key, outcome)
    told = paying.gateway.find_dispute(dispute_id=dispute_id)
    assert told is not None
    assert told.state == outcome
    keys = [dispute_key(move, dispute_id) for move in (Move.DISPUTE, Move.DISPUTE_REVERSAL)]
    moved = [(Move.DISPUTE, -400), (Move.DISPUTE_REVERSAL, 400)][: 1 + (outcome == "won")]
    assert [(line.move, line.amount.minor) for line in paying.lines(*keys)] == moved
    assert paying.gateway.holdings()["USD"] - before == (0 if outcome == "won" else -400)
    left = 1000 if outcome == "won" else 600
    with pytest.raises(RefundRefused):
        paying.refund(f"refund-{uuid4()}-1", charge, left + 1, of=key)
    assert paying.refund(f"refund-{uuid4()}-1", charge, left, of=key)


def test_a_dispute_that_the_provider_does_not_know(paying: Payer) -> None:
    for dispute_id in ("dp_nothing", f"dp_{uuid7().hex}"):
        assert paying.gateway.find_dispute(dispute_id=dispute_id) is None


def test_an_event_tells_of_a_dispute_by_its_id(paying: Payer, key: str) -> None:
    paying.charge(key, paying.bench.works)
    dispute_id = paying.bench.dispute(key, 1000)
    event = paying.read(paying.bench.newest_event_about_dispute(key))
    assert (event.dispute_id, event.charge, event.concern) == (dispute_id, None, "")


# --- Payouts --------------------------------------------------------------------------------------------------------


def test_a_payout_is_paid_once_per_key(paying: Payer, key: str) -> None:
    paying.charge(key, paying.bench.works)
    before = paying.gateway.holdings()["USD"]
    keys = [f"payout-{uuid7()}" for _ in range(2)]
    first = paying.pay_out(keys[0], 300)
    assert paying.pay_out(keys[0], 300) == first
    assert paying.pay_out(keys[1], 200) != first
    paid = [(Move.PAYOUT, keys[0], -300), (Move.PAYOUT, keys[1], -200)]
    assert [(line.move, line.key, line.amount.minor) for line in paying.lines(*keys)] == paid
    assert paying.gateway.holdings()["USD"] - before == -500


def test_what_is_kept_of_a_bank_account(paying: Payer) -> None:
    assert "bank_account" in paying.gateway.payout_types
    token = paying.bench.bank_account(paying.person)
    kept = paying.gateway.instrument(owner_id=paying.person.pk, type="bank_account", token=token, now=timezone.now())
    assert (kept.type, kept.last4, kept.token, kept.expiry_year) == ("bank_account", "6789", token, None)


def test_a_bank_account_is_verified_refused_or_takes_time(paying: Payer) -> None:
    with pytest.raises(StillProcessing):
        paying.verify(paying.bench.bank_account(paying.person, is_verified=False))
    paying.verify(paying.bench.bank_account(paying.person))
    with pytest.raises(TargetRejected):
        paying.verify(paying.bench.refused_account(paying.person))


# --- Statement ------------------------------------------------------------------------------------------------------


def test_the_statement_and_the_holdings_agree(paying: Payer) -> None:
    before = paying.gateway.holdings().get("USD", 0)
    charges = [f"payment-{uuid7()}" for _ in range(3)]
    done = [paying.charge(one, paying.bench.works) for one in charges]
    refund = f"refund-{uuid4()}-1"
    refund_id = paying.refund(refund, done[1], 250, of=charges[1])
    lines = paying.lines(*charges, refund)
    assert [(line.move, line.key, line.amount.minor) for line in lines] == [
        *[(Move.CHARGE, one, 1000) for one in charges],
        (Move.REFUND, refund, -250),
    ]
    assert [line.provider_id for line in lines] == [*[one.provider_id for one in done], refund_id]
    assert paying.gateway.holdings()["USD"] - before == 2750
    future = timezone.now() + timedelta(minutes=1)
    assert list(paying.gateway.statement(since=future)) == []


def test_what_it_takes_for_itself_is_beside_the_amount(paying: Payer) -> None:
    """Amounts are those that were asked for; holdings are what is left, and each line with a fee has an id."""
    paying.bench.take_fees()
    before = paying.gateway.holdings().get("USD", 0)
    keys = [f"payment-{uuid7()}" for _ in range(2)]
    charge, _ = [paying.charge(one, paying.bench.works) for one in keys]
    refund = f"refund-{uuid4()}-1"
    paying.refund(refund, charge, 1000, of=keys[0])
    lines = paying.lines(*keys, refund)
    fee = paying.bench.fee
    assert [(line.amount.minor, line.fee_minor) for line in lines] == [(1000, fee), (1000, fee), (-1000, 0)]
    assert paying.gateway.holdings()["USD"] - before == 1000 - 2 * fee
    with_fees = [line.id for line in lines if line.fee_minor]
    assert all(with_fees)
    assert len(set(with_fees)) == len(with_fees)


def test_currencies_with_other_decimals(paying: Payer) -> None:
    for amount in (Money(500, "JPY"), Money(5120, "KWD"), Money(500, "ISK")):
        key = f"payment-{uuid7()}"
        charge = paying.charge(key, paying.bench.works, amount)
        assert (charge.state, charge.amount) == (State.CAPTURED, amount)
        assert [line.amount for line in paying.lines(key)] == [amount]


# --- Events ---------------------------------------------------------------------------------------------------------


def test_an_event_tells_of_a_charge_by_our_key(paying: Payer, key: str) -> None:
    waiting = paying.charge(key, paying.bench.asks)
    paying.bench.answer(waiting, "approve")
    event = paying.read(paying.bench.newest_event(key))
    assert (event.key, event.concern) == (key, "")
    assert event.charge == paying.gateway.find(key=key)
    assert event.id
    assert event.type


def test_only_fresh_and_signed_events_are_read(paying: Payer, key: str) -> None:
    waiting = paying.charge(key, paying.bench.asks)
    paying.bench.answer(waiting, "approve")
    body, headers = paying.bench.newest_event(key)
    [(name, right)] = headers.items()
    other = "f" if right[-1] != "f" else "0"
    old = paying.bench.signed(body, age=OLDEST + timedelta(seconds=2))[name]
    early = paying.bench.signed(body, age=-timedelta(minutes=2))[name]
    malformed = ("", "t=1", "t=,v1=", "nonsense", "t=１２３,v1=00", "t=" + "9" * 5000)
    for wrong in (*malformed, f"{right[:-1]}{other}", old, early):
        with pytest.raises(InvalidSignature):
            paying.read((body, {name: wrong}))
    with pytest.raises(InvalidSignature):
        paying.read((body + b" ", headers))
    with pytest.raises(InvalidSignature):
        paying.read((body, {}))
    almost = paying.bench.signed(body, age=OLDEST - timedelta(seconds=10))
    assert paying.read((body, almost)) == paying.read((body, headers))


def test_a_signed_event_of_another_type_is_read_and_says_nothing(paying: Payer) -> None:
    body = b'{"id": "evt_other", "object": "event", "type": "customer.renamed", "data": {"object": {}}}'
    event = paying.read((body, paying.bench.signed(body)))
    assert (event.id, event.type, event.charge, event.concern) == ("evt_other", "customer.renamed", None, "")


@pytest.mark.parametrize(
    "body", [b"", b"7", b"NaN", b"[]", b"not json", b'{"id": 7}', b'{"id":"a","id":"b"}', b"[" * 50_000], ids=len
)
def test_a_signed_body_that_is_no_event(paying: Payer, body: bytes) -> None:
    with pytest.raises(UnreadableEvent):
        paying.read((body, paying.bench.signed(body)))


# --- Transactions ---------------------------------------------------------------------------------------------------


def test_no_provider_is_called_inside_a_transaction_of_ours(paying: Payer, key: str) -> None:
    token = paying.token(paying.bench.works)
    charge = paying.charge(key, paying.bench.works)
    account = paying.bench.bank_account(paying.person)
    other, now = f"payment-{uuid7()}", timezone.now()
    calls: list[Callable[[], Any]] = [
        lambda: paying.gateway.charge(key=other, payer_id=paying.person.pk, token=token, amount=TEN, now=now),
        lambda: paying.cancel(other),
        lambda: paying.refund(f"refund-{uuid4()}-1", charge, 100, of=key),
        lambda: paying.gateway.payout(key=f"payout-{uuid7()}", token=account, amount=TEN, now=now),
        lambda: paying.verify(account),
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match=r"transaction"), transaction.atomic():
            call()
    assert paying.gateway.find(key=other) is None
    assert len(paying.lines(key, other)) == 1


def test_a_provider_that_is_not_there_stops_the_start(settings: Settings) -> None:
    from django.core.exceptions import ImproperlyConfigured

    from investments.providers import check_settings

    check_settings()
    settings.PAYMENTS_PROVIDER = "barter"
    with pytest.raises(ImproperlyConfigured, match="PAYMENTS_PROVIDER=barter is not a payment provider"):
        check_settings()
    settings.PAYMENTS_PROVIDER, settings.STRIPE_API_KEY, settings.STRIPE_WEBHOOK_SECRET = "stripe", "", []
    with pytest.raises(ImproperlyConfigured, match="needs STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET"):
        check_settings()
