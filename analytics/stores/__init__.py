"""
Where raw events are kept and read: in PostgreSQL, or in ClickHouse for platforms that outgrow it (ANALYTICS_URL).

Everything that reads raw events goes through the interface `EventStore` (`base.py`); nothing else knows the two.
"""

from analytics.stores.base import EventStore, Incoming
from analytics.stores.choice import store
from analytics.stores.funnels import Funnel, Order

__all__ = ["EventStore", "Funnel", "Incoming", "Order", "store"]
