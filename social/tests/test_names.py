"""Names that look alike, and names that do not."""

import pytest

from social.names import LONGEST, capital_form, small_form


def are_alike(one: str, other: str) -> bool:
    return small_form(one) == small_form(other) or capital_form(one) == capital_form(other)


@pytest.mark.parametrize(
    "other",
    [
        "SOLAR ROOFS",
        "Solar  Roofs",
        "SolarRoofs",
        "Sоlаr Rооfs",  # Cyrillic о, а
        "Ｓｏｌａｒ Ｒｏｏｆｓ",
        "𝓢𝓸𝓵𝓪𝓻 𝓡𝓸𝓸𝓯𝓼",
        "Sólàr Rööfs",
        "So\u0301lar Roofs",
        "So\u200dlar\u200c Roo\u200bfs",
        "Solar\u00a0Roofs",
        "So1ar R00fs",
        "SoIar Roofs",  # capital I
        "ЅΟLΑR RΟΟFЅ",  # capitals of Greek and Cyrillic
        "Solar Roofs\ufe0f",
        "Solar\u034f Roofs",
        "Solar Roofs.",
        "«Solar-Roofs»",
        "Solar_Roofs!",
        "‘Solar Roofs’",
        "Solarʼ Roofsˈ",
        "Solar` Roofs´",
        "Solar Roofs™",
        "Solar® Roofs",
        "S\u0336o\u0336l\u0336a\u0336r\u0336 Roofs",  # struck through
        "Sølar Roofs",
        "Sola\u05b8r Roofs",  # a Hebrew point on a Latin letter
        "Solar Roofs\u2800",
        "Solar\u3164Roofs\uffa0",
        "\u17b4Solar Roofs",
    ],
)
def test_these_look_like_solar_roofs(other: str) -> None:
    assert are_alike("Solar Roofs", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BIKE", "ВІКЕ"),
        ("BIKE", "ΒΙΚΕ"),
        ("IBM", "lBM"),
        ("modern", "rnodern"),
        ("Straße", "STRASSE"),
        ("مُحَمَّد", "محمد"),
        ("שָׁלוֹם", "שלום"),
    ],
)
def test_others_that_look_alike(one: str, other: str) -> None:
    assert are_alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Solar Roofs", "Solar Roof"),
        ("nan", "van"),
        ("हिन्दी", "हुन्दी"),  # vowel signs are no accents
        ("かき", "がき"),  # nor is the voicing mark
        ("กา", "กำ"),
        ("太陽光", "太陽系"),
        ("علي", "عمر"),
        ("서울", "부산"),
        ("😀", "😁"),
        ("Berlin Süd", "Berlin Nord"),
        ("C#", "C"),
        ("C++", "C"),
        ("R&D", "RD"),
        ("क़लम", "कलम"),  # the dot below makes another letter
        ("カー", "カ"),
    ],
)
def test_other_words_are_other_names(one: str, other: str) -> None:
    assert not are_alike(one, other)


def test_a_form_is_never_empty_and_never_long() -> None:
    for name in ("a", "é", "😀", "日", "-", "...", "®", "``", "١", "ﷺ" * 100, "㏡" * 100):
        for form in (small_form(name), capital_form(name)):
            assert 0 < len(form) <= LONGEST
