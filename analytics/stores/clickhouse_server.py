"""
Talking to ClickHouse: one client a process, statements from files, every value a bound parameter.

What goes wrong is raised as `StoreUnavailable`, which names the kind of error and nothing else: messages of the server
repeat statements and values. The client's library is imported at the first call, since most platforms never need it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from urllib3.exceptions import HTTPError

from analytics.stores.base import StoreUnavailable
from core.data.transactions import refuse_in_transaction

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_FOLDER = Path(__file__).parents[1] / "sql" / "clickhouse"
_SETTINGS = {
    "do_not_merge_across_partitions_select_final": 1,  # an event and its copies are of one day
    "async_insert": 0,  # an insert is answered when it is done
}


def rows(name: str, **values: Any) -> list[tuple[Any, ...]]:
    """
    The rows of the statement `analytics/sql/clickhouse/<name>.sql`; `{name:Type}` in it is a parameter.

    :raises StoreUnavailable:
    """
    return select(_statement(name), **values)


def select(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """The same for the text of a statement. :raises StoreUnavailable:"""
    with _calling() as client:
        return [tuple(row) for row in client.query(statement, parameters=_bound(values)).result_rows]


def stream(name: str, **values: Any) -> Iterator[tuple[Any, ...]]:
    """The same for an answer that may be large: rows are read as they come."""
    with _calling() as client, client.query_rows_stream(_statement(name), parameters=_bound(values)) as found:
        yield from found


def command(name: str, **values: Any) -> None:
    """Run a statement that answers nothing. :raises StoreUnavailable:"""
    with _calling() as client:
        client.command(_statement(name), parameters=_bound(values))


def insert(table: str, columns: Sequence[str], given: Sequence[Sequence[Any]], *, token: str) -> None:
    """
    Insert rows at once.

    :param token: names these rows; the server drops an insert with the token of one of the last thousand
    :raises StoreUnavailable: it is not known whether they were inserted
    """
    with _calling() as client:
        client.insert(table, given, column_names=columns, settings={"insert_deduplication_token": token})


@contextmanager
def _calling() -> "Iterator[Client]":
    from clickhouse_connect.driver.exceptions import ClickHouseError

    refuse_in_transaction()
    try:
        yield _client()
    except (ClickHouseError, HTTPError, OSError) as error:
        raise StoreUnavailable(f"ClickHouse: {_kind(error)}") from None


def _kind(error: BaseException) -> str:
    """The server's name of the error, or the class of its first cause, such as `ConnectionRefusedError`."""
    if name := getattr(error, "name", None):
        return str(name)
    cause = error.__cause__ or getattr(error, "reason", None)
    return _kind(cause) if isinstance(cause, BaseException) else type(error).__name__


def _client() -> "Client":
    return _connect(settings.ANALYTICS_URL, settings.ANALYTICS_WAIT)


@lru_cache(1)
def _connect(url: str, wait: int) -> "Client":
    """The client of this process, used by all its threads. Makes the table if it is missing."""
    import clickhouse_connect

    given: dict[str, Any] = settings.ANALYTICS_CLICKHOUSE or {}
    client = clickhouse_connect.get_client(
        **{**given, "settings": {**given["settings"], **_SETTINGS}},
        autogenerate_session_id=False,
        form_encode_query_params=True,  # values are in no address, and so in no log of a proxy
        tz_mode="aware",
    )
    client.command(_statement("schema"))
    return client


@lru_cache
def _statement(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text()


def _bound(values: dict[str, Any]) -> dict[str, Any]:
    """Moments with their microseconds, which the client would cut off, and ids as text."""
    return {name: _text(value) for name, value in values.items()}


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, UUID):
        return str(value)
    return value
