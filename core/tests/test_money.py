"""Exact money: what is taken, what is refused, how it is shown and shared out."""

import re
from typing import Any

import pytest
from hypothesis import given, strategies as st

from core.api import catalogue
from core.api.errors import InvalidAmount, every_refusal
from core.api.parsing import parse_json
from core.money import MAX_MINOR, Money, parse_decimal


@pytest.mark.parametrize(
    "sent, currency, minor",
    [
        (1000, "USD", 100_000),
        ("1000", "USD", 100_000),
        ("1000.5", "USD", 100_050),
        ("1000.50", "USD", 100_050),
        ("0.01", "USD", 1),
        ("7", "JPY", 7),
        ("7.125", "KWD", 7_125),
        ("10000000000000", "USD", MAX_MINOR),
    ],
)
def test_amounts_are_read_exactly(sent: int | str, currency: str, minor: int) -> None:
    assert Money.of(sent, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "sent",
    [
        0, -1, True, False, None, 1.5, float("nan"), [], {}, "", " 1", "1 ", "+1", "-1", "0", "0.00", "1e3", "1E3",
        "NaN", "Infinity", "1,000", "1_000", "01", ".5", "5.", "１０", "٣", "0x10", "1.001", "1" * 41,
        "10000000000000.01", "1.000", "10.000",
    ],
)  # fmt: skip
def test_anything_else_is_refused(sent: Any) -> None:
    with pytest.raises(InvalidAmount) as refused:
        Money.of(sent, "USD")
    assert refused.value.errors == [
        {"field": "amount", "code": "invalid_amount", "detail": refused.value.detail},
    ]


def test_a_fraction_of_a_yen_is_refused() -> None:
    with pytest.raises(InvalidAmount):
        Money.of("7.5", "JPY")


@pytest.mark.parametrize("literal, fine", [("10.10", True), ("1e3", False), ("1.0E2", False), ("-1.5", False)])
def test_a_json_number_keeps_its_literal(literal: str, fine: bool) -> None:
    value = parse_json(b'{"amount": %s}' % literal.encode())["amount"]
    if fine:
        assert str(parse_decimal(value)) == literal
    else:
        with pytest.raises(InvalidAmount):
            parse_decimal(value)


@pytest.mark.parametrize(
    "money, text",
    [
        (Money(100_050, "USD"), "1000.50"),
        (Money(5, "USD"), "0.05"),
        (Money(-5, "USD"), "-0.05"),
        (Money(0, "USD"), "0.00"),
        (Money(7, "JPY"), "7"),
        (Money(7_001, "KWD"), "7.001"),
    ],
)
def test_text_has_the_decimals_of_the_currency(money: Money, text: str) -> None:
    assert money.text == text


@pytest.mark.parametrize(
    ("money", "prose"),
    [
        (Money(100_050, "USD"), "$1,000.50"),
        (Money(100_050, "EUR"), "€1,000.50"),
        (Money(1_000, "CHF"), "CHF 10.00"),
        (Money(-1_000, "CHF"), "-CHF 10.00"),
        (Money(5_125, "KWD"), "KWD 5.125"),
        (Money(500, "JPY"), "¥500"),
    ],
)
def test_prose_has_the_form_of_the_currency(money: Money, prose: str) -> None:
    assert str(money) == prose


def test_no_refusal_writes_an_amount_beside_a_bare_currency() -> None:
    catalogue.entries()  # so that every app's are there
    messages = [str(refusal.message) for refusal in every_refusal()]
    assert len(messages) > 50
    assert [message for message in messages if re.search(r"\)s %\(currency\)s|%\(currency\)s %\(", message)] == []


@given(st.integers(0, 10**12), st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any))
def test_parts_add_up_to_the_whole(total: Any, weights: Any) -> None:
    parts = Money(total, "USD").split(weights)
    assert sum(part.minor for part in parts) == total
    for part, weight in zip(parts, weights, strict=True):
        exact = total * weight / sum(weights)
        assert abs(part.minor - exact) < 1 + exact * 1e-9


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError):
        Money(1, "USD") + Money(1, "EUR")
