"""Which store this platform uses."""

from django.conf import settings

from analytics.stores.base import EventStore
from analytics.stores.clickhouse import ClickHouseStore
from analytics.stores.postgres import PostgresStore


def store() -> EventStore:
    """The store of this platform (settings.ANALYTICS_URL)."""
    return ClickHouseStore() if settings.ANALYTICS_CLICKHOUSE else PostgresStore()
