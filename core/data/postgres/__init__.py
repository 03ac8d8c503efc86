"""
Connections to PostgreSQL whose every wait is limited (docs/locking.md, a database that does not answer).

This is a Django database backend (ENGINE): Django's own, with a limit on the client's side for everything that waits
for the server. `waiting` keeps the limits; `connections` is what the pool holds.
"""

from core.data.postgres.connections import PREPARE_ON_REQUEST, PooledConnection

__all__ = ["PREPARE_ON_REQUEST", "PooledConnection"]
