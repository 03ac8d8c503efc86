"""What the tests of every app need from the books."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

TABLES = ("ledger_account", "ledger_transaction", "ledger_entry")


@pytest.fixture(scope="session", autouse=True)
def books_can_be_emptied() -> Iterator[None]:
    """
    A test with real commits is cleaned up by TRUNCATE, which the books refuse. Step around that in the same commit
    only, so that their guards are on whenever anybody looks.
    """
    from django.db.backends.postgresql.operations import DatabaseOperations

    flush = DatabaseOperations.sql_flush

    def flush_without_triggers(self: DatabaseOperations, style: Any, tables: Any, **options: Any) -> list[str]:
        def switch(state: str) -> list[str]:
            return [f"ALTER TABLE {table} {state} TRIGGER USER;" for table in TABLES if table in tables]

        return [*switch("DISABLE"), *flush(self, style, tables, **options), *switch("ENABLE")]

    with mock.patch.object(DatabaseOperations, "sql_flush", flush_without_triggers):
        yield
