"""Card numbers among words: found however they are written, and honest numbers are left alone."""

import pytest

from core.api.card_numbers import has_card_number


@pytest.mark.parametrize(
    "text",
    [
        "5555555555554444",
        "5555 5555 5555 4444",
        "Please charge 5555-5555-5555-4444, thanks",
        "5555.5555.5555.4444",
        "5555\u00a05555\u20115555 - 4444",
        "５５５５５５５５５５５５４４４４",
        "card 4111111111111111 12/30 123",
        "4111 1111 1111 1111 12 30",
        "378282246310005",
        "6011 1111 1111 1117",
        "2223003122003222",
        "3530111333300000",
        "6304000000000000",
    ],
)
def test_it_is_found(text: str) -> None:
    assert has_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5555555555554445",
        "DE89 3704 0044 0532 0130 00",
        "GB29NWBK60161331926819",
        "SIRET 732 829 320 00074",
        "SIRET 41816609600069",
        "+49 1512 3456789",
        "+4366012345678901",
        "01a21893-5512-7000-8950-123456789012",
        "EAN 4006381333931",
        "1767225600000000",
        "1,000,000,000,000,000.00",
        "10000000000000000000000000",
        "ISBN 978-3-16-148410-0",
        "2026-01-01 00:00:00 2026-12-31",
    ],
)
def test_honest_numbers_are_left_alone(text: str) -> None:
    assert not has_card_number(text)
