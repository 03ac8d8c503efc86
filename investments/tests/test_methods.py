"""Payment methods: tokens and test cards in, four digits out, and no card number anywhere."""

import logging
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from core.testing import Api
from investments.card_data import looks_like_card_number
from investments.models import PaymentMethod
from investments.testing import make_card
from investments.tests.conftest import invest_url, refusal

URL = "/api/investments/payment-methods"
NEXT_YEAR = timezone.now().year + 1


def card(number: str | int = "4242424242424242", **changes: Any) -> dict[str, Any]:
    details = {"number": number, "expiryMonth": 12, "expiryYear": NEXT_YEAR, "cvv": "737", **changes}
    return {"type": "card", "details": {name: value for name, value in details.items() if value is not None}}


def token(name: str, type: str = "card") -> dict[str, Any]:
    return {"type": type, "details": {"token": name}}


def test_a_test_card_is_kept_by_its_token(api: Api, backer: User) -> None:
    added = api.as_user(backer).post(URL, card("4242 4242 4242 4242"))
    assert added.status_code == 201, added.json()
    body = added.json()
    assert (body["brand"], body["last4"], body["expiryMonth"], body["expiryYear"], body["isDefault"]) == (
        "visa",
        "4242",
        12,
        NEXT_YEAR,
        True,
    )
    assert PaymentMethod.objects.get().token == "tok_visa"
    assert api.as_user(backer).get(URL).json()["items"] == [body]


@pytest.mark.parametrize(
    ("body", "last4"),
    [
        (token("tok_visa"), "4242"),
        (token("tok_declined"), "0002"),
        (token("tok_3ds"), "3220"),
        (token("tok_bank_account", "bank_account"), "6789"),
        (token("tok_wallet", "wallet"), "0001"),
        (card("4000000000000002"), "0002"),
        (card("4000000000003220"), "3220"),
    ],
)
def test_what_the_sandbox_knows(api: Api, backer: User, body: dict[str, Any], last4: str) -> None:
    added = api.as_user(backer).post(URL, body)
    assert (added.status_code, added.json()["last4"], added.json()["type"]) == (201, last4, body["type"])


@pytest.mark.parametrize(
    "body",
    [
        card("4111111111111111"),
        card("5555 5555 5555 4444"),
        card("1234"),
        card(378282246310005),
        token("4111111111111111"),
        {"type": "4111-1111-1111-1111", "details": {"token": "tok_visa"}},
        {"type": "card", "details": {"token": "tok_visa", "cvv": "737"}},
        {"type": "card", "details": {"token": "tok_visa", "note": ["my card is 4111 1111 1111 1111, thanks"]}},
        {"type": "card", "details": {"token": "tok_visa"}, "5555555555554444": "x"},
        {"type": "bank_account", "details": "4111111111111111"},
        card(name="4111111111111111"),
    ],
)
def test_any_other_card_number_is_refused_before_anything_sees_it(
    api: Api, backer: User, body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = api.as_user(backer)
    refused = client.post(URL, body, x_request_id="no-digits-here")  # ours is random and may hold "737"
    assert refusal(refused) == (400, "raw_card_data_refused")
    for digits in ("4111111111111111", "5555555555554444", "378282246310005", "4111-1111", "4111 1111", "737"):
        assert digits not in refused.content.decode()
        assert digits not in caplog.text
    assert not PaymentMethod.objects.exists()
    assert client.post(URL, card()).status_code == 201


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (card(expiryYear=2020), "details.expiryYear", "card_expired"),
        (card(expiryMonth=13), "details.expiryMonth", "max_value"),
        (card(cvv=None), "details.cvv", "required"),
        (card(expiryMonth=None), "details.expiryMonth", "required"),
        ({"type": "card", "details": {}}, "details.token", "required"),
        ({"type": "card"}, "details", "required"),
        (token("tok_nothing"), "details.token", "unknown_payment_token"),
        (token("tok_visa", "wallet"), "details.token", "unknown_payment_token"),
        (token("tok_visa", "cash"), "type", "invalid_choice"),
    ],
)
def test_what_does_not_fit_is_named(api: Api, backer: User, body: dict[str, Any], field: str, code: str) -> None:
    refused = api.as_user(backer).post(URL, body)
    assert refused.status_code == 400
    assert [(row["field"], row["code"]) for row in refused.json()["errors"]] == [(field, code)]


def test_a_card_works_through_its_last_month() -> None:
    june = PaymentMethod(expiry_month=6, expiry_year=2027)
    days = [date(2027, 6, 30), date(2027, 7, 1)]
    assert [june.is_expired_on(day) for day in days] == [False, True]


def test_the_default_passes_on(api: Api, backer: User) -> None:
    client = api.as_user(backer)
    first, second = client.post(URL, card()).json(), client.post(URL, token("tok_3ds")).json()
    assert (first["isDefault"], second["isDefault"]) == (True, False)
    removed = client.delete(f"{URL}/{first['id']}")
    assert removed.json() == {"message": "Payment method removed successfully"}
    (left,) = client.get(URL).json()["items"]
    assert (left["id"], left["isDefault"]) == (second["id"], True)
    assert refusal(client.delete(f"{URL}/{first['id']}")) == (404, "payment_method_not_found")


def test_others_methods_do_not_exist(api: Api, backer: User, friend: User, campaign: Campaign) -> None:
    mine = make_card(backer)
    client = api.as_user(friend)
    assert client.get(URL).json()["items"] == []
    assert refusal(client.delete(f"{URL}/{mine.pk}")) == (404, "payment_method_not_found")
    refused = client.post(invest_url(campaign), {"amount": "10", "paymentMethodId": str(mine.pk)})
    assert refusal(refused) == (404, "payment_method_not_found")
    assert api.as_user(backer).delete(f"{URL}/{mine.pk}").status_code == 200


def test_one_in_use_by_a_pending_payment_stays(api: Api, backer: User, campaign: Campaign) -> None:
    client = api.as_user(backer)
    method = make_card(backer, "tok_3ds")
    started = client.post(invest_url(campaign), {"amount": "10", "paymentMethodId": str(method.pk)})
    assert started.json()["status"] == "requires_action"
    assert refusal(client.delete(f"{URL}/{method.pk}")) == (409, "payment_method_in_use")


def test_trying_out_cards_is_limited(api: Api, backer: User) -> None:
    client = api.as_user(backer)
    answers = [client.post(URL, card("4111111111111111")) for _ in range(31)]
    assert {answer.status_code for answer in answers[:30]} == {400}
    assert answers[30].status_code == 429
    assert "Retry-After" in answers[30].headers


def test_no_number_and_no_cvv_is_left_anywhere(
    api: Api, backer: User, campaign: Campaign, caplog: pytest.LogCaptureFixture
) -> None:
    """The marker search of the whole database and the log, after every way in was used."""
    caplog.set_level(logging.DEBUG)
    client = api.as_user(backer)
    body = card("4242424242424242", cvv="9137")
    added = client.post(URL, body, idempotency_key="card-once")
    assert client.post(URL, body, idempotency_key="card-once").content == added.content
    client.post(URL, card("4111111111111111", cvv="9137"), idempotency_key="card-twice")
    paid = client.post(invest_url(campaign), {"amount": "10", "paymentMethodId": added.json()["id"]})
    assert paid.status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text ~ '4242424242424242|4111111111111111'")
            assert cursor.fetchone() == (0,), table
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text ~ '[^0-9a-f.]9137[^0-9a-f]'")
            assert cursor.fetchone() == (0,), table
    assert "4242424242424242" not in caplog.text
    assert "4111111111111111" not in caplog.text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4111111111111111", True),
        ("pay with 4111 1111 1111 1111 now", True),
        ("4111111111111112", False),
        ("tok_visa", False),
        ("123456789012", False),
        ("0190a5c4-7b3e-7c21-9c0e-1f2a3b4c5d6e", False),
    ],
)
def test_what_looks_like_a_card_number(text: str, found: bool) -> None:
    assert looks_like_card_number(text) is found
