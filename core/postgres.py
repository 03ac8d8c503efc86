"""A connection whose liveness the pool can see without a round trip."""

import select
from typing import Any

import psycopg


class PooledConnection(psycopg.Connection[Any]):
    """
    The pool asks a connection that it hands out whether it is alive, by executing an empty statement. An idle one has
    nothing to read: when something is there, the server has closed it or complained, and only then is it worth asking.
    """

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        if query == "" and not self.closed and not select.select([self.fileno()], [], [], 0)[0]:
            return self.cursor()
        return super().execute(query, *args, **kwargs)
