"""Which provider takes payments, and the sandbox as a provider like any."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from core.money import Money
from investments.models import SandboxCharge
from investments.providers import check_settings, gateway
from investments.providers.base import Charge, RefundRefused, State

NOW = timezone.now()
TEN = Money.of("10", "USD")


def charge(key: str, token: str = "tok_visa") -> Charge:
    return gateway().charge(key=key, token=token, amount=TEN, now=NOW)


def test_a_provider_that_is_not_there_stops_the_start(settings: Settings) -> None:
    check_settings()
    settings.PAYMENTS_PROVIDER = "stripe"
    with pytest.raises(ImproperlyConfigured, match="PAYMENTS_PROVIDER=stripe is not a payment provider"):
        check_settings()


@pytest.mark.django_db
def test_one_key_is_one_charge_whatever_is_asked_the_second_time() -> None:
    assert charge("a") == charge("a")
    assert charge("a", "tok_declined").state == State.CAPTURED
    assert charge("b", "tok_declined").state == State.DECLINED
    assert SandboxCharge.objects.count() == 2
    assert gateway().find(key="a").state == State.CAPTURED
    assert gateway().find(key="never heard of") is None


@pytest.mark.django_db
def test_a_cancelled_key_takes_nothing_any_more() -> None:
    assert gateway().cancel(key="c", now=NOW).state == State.CANCELLED
    assert charge("c").state == State.CANCELLED
    assert charge("d").state == State.CAPTURED
    assert gateway().cancel(key="d", now=NOW).state == State.CAPTURED
    waiting = charge("e", "tok_3ds")
    assert (waiting.state, "/sandbox/3ds/" in waiting.action_url) == (State.REQUIRES_ACTION, True)
    assert gateway().cancel(key="e", now=NOW).state == State.CANCELLED


@pytest.mark.django_db
def test_no_more_goes_back_than_came() -> None:
    def refund(key: str, amount: Any, of: str = "f") -> str:
        return gateway().refund(key=key, charge_key=of, charge_id="", amount=Money.of(amount, "USD"), now=NOW)

    charge("f")
    assert refund("r1", "6") == refund("r1", "6")
    with pytest.raises(RefundRefused):
        refund("r2", "4.01")
    refund("r2", "4")
    charge("g", "tok_declined")
    with pytest.raises(RefundRefused):
        refund("r3", "1", of="g")


@pytest.mark.django_db(transaction=True)
def test_no_provider_is_called_inside_a_transaction_of_ours() -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"), transaction.atomic():
        charge("h")
    assert charge("h").state == State.CAPTURED
