from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from analytics.testing.stores import ClickHouse
from vectragrow.settings.analytics import clickhouse as arguments


@pytest.fixture(scope="session")
def clickhouse_server() -> Iterator[ClickHouse]:
    server = ClickHouse()
    yield server
    server.end()


@pytest.fixture
def clickhouse(clickhouse_server: ClickHouse, settings: Settings) -> ClickHouse:
    """The platform keeps its raw events in ClickHouse, which has none yet."""
    settings.ANALYTICS_URL = clickhouse_server.url
    settings.ANALYTICS_CLICKHOUSE = arguments(clickhouse_server.url, settings.ANALYTICS_WAIT)
    clickhouse_server.empty()
    return clickhouse_server


@pytest.fixture(params=["postgres", "clickhouse"])
def each_store(request: pytest.FixtureRequest) -> str:
    """The test runs on both stores of raw events."""
    if request.param == "clickhouse":
        request.getfixturevalue("clickhouse")
    return str(request.param)
