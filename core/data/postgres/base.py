"""The Django database backend `core.data.postgres`: connections come within the limits of `waiting`, or not at all."""

from typing import Any

from django.db.backends.postgresql import base, schema
from psycopg import IsolationLevel

from core.data.postgres import waiting
from core.data.postgres.connections import PooledConnection


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    def execute(self, *args: Any, **kwargs: Any) -> None:
        with waiting.without_limit():
            super().execute(*args, **kwargs)


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """
        From the pool when there is one, as Django's own does.

        :raises psycopg.OperationalError: :raises psycopg_pool.PoolTimeout: none within the limit
        """
        waiting.refuse_while_silent()
        self.isolation_level = IsolationLevel.READ_COMMITTED
        with waiting.counted(is_answer=False):
            if not self.pool:
                return PooledConnection.connect(**conn_params)
            self.pool.open()
            return self.pool.getconn(waiting.limit_for_connecting())
