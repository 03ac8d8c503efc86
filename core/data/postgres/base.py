"""The Django database backend `core.data.postgres`: connections come within the limits of `waiting`, or not at all."""

from typing import Any, Self

from django.db.backends.postgresql import base, operations, schema
from psycopg import IsolationLevel

from core.data.postgres import waiting
from core.data.postgres.connections import AddressLoader, PooledConnection

MIGRATION_LOCK_TIMEOUT = "2s"
"""A statement that waits for a table's lock blocks all statements that come after it (SECURITY-GOALS 63)."""


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """
    A migration may take long, and waits two seconds at most for a lock. One that is not atomic has no limit: it is for
    what takes no lock that others feel, such as a concurrent index, which waits for their transactions to end.
    """

    def __enter__(self) -> Self:
        super().__enter__()
        if self.atomic_migration and not self.collect_sql:
            self.execute(f"SET LOCAL lock_timeout = '{MIGRATION_LOCK_TIMEOUT}'")
        return self

    def execute(self, *args: Any, **kwargs: Any) -> None:
        with waiting.without_limit():
            super().execute(*args, **kwargs)


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """For the query log. A prepared statement (`core.data.statements`) is shown without its values."""
        return super().last_executed_query(cursor, sql, params) or sql


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor
    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        parameters = super().get_connection_params()
        parameters["context"].adapters.register_loader("inet", AddressLoader)
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """
        From the pool when there is one, as Django's own does.

        :raises psycopg.OperationalError: :raises psycopg_pool.PoolTimeout: none within the limit
        """
        waiting.refuse_while_unresponsive()
        self.isolation_level = IsolationLevel.READ_COMMITTED
        with waiting.counted(is_answer=False):
            if not self.pool:
                return PooledConnection.connect(**conn_params)
            self.pool.open()
            return self.pool.getconn(waiting.limit_for_connecting())
