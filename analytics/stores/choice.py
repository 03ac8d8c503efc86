"""Which store this platform uses."""

from analytics.stores.base import EventStore
from analytics.stores.postgres import PostgresStore


def store() -> EventStore:
    """The store of this platform (settings.ANALYTICS_URL)."""
    return PostgresStore()
