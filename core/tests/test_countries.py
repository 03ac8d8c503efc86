from core.countries import _codes, is_country


def test_countries_are_those_of_iso_3166_and_kosovo() -> None:
    assert len(_codes()) == 249 + 1
    assert all(map(is_country, ("DE", "US", "TW", "PS", "BQ", "SS", "AQ", "XK")))
    assert not any(map(is_country, ("de", "EU", "UK", "XX", "ZZ", "UN", "AC", "", "DEU", "001")))
