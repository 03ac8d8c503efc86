"""Statements that travel together."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.data import sql
from core.models import IdempotencyKey


def key(number: int) -> IdempotencyKey:
    now = timezone.now()
    return IdempotencyKey(scope=bytes([number]), fingerprint=b"f", created_at=now, locked_until=now)


def test_writes_of_a_block_are_one_exchange(db: None) -> None:
    first, second, third = key(1), key(2), key(3)
    sql.insert(first)
    until = first.locked_until + timedelta(hours=1)
    with CaptureQueriesContext(connection) as asked, sql.together():
        sql.insert(second)
        first.locked_until = until
        sql.update(first, "locked_until")
        with sql.together():
            sql.insert(third)
        assert IdempotencyKey.objects.count() == 1
    assert len(asked) == 2  # the count above, and all of the block
    assert set(IdempotencyKey.objects.values_list("pk", flat=True)) == {first.pk, second.pk, third.pk}
    assert IdempotencyKey.objects.get(pk=first.pk).locked_until == until


def test_a_block_that_raises_writes_nothing(db: None) -> None:
    with pytest.raises(LookupError), sql.together():
        sql.insert(key(1))
        raise LookupError
    assert not IdempotencyKey.objects.exists()


def test_what_the_database_refuses_is_raised_at_the_end(db: None) -> None:
    sql.insert(key(1))
    with pytest.raises(IntegrityError), transaction.atomic(), sql.together():
        sql.insert(key(1))


def test_each_change_gets_how_many_rows_it_hit(db: None) -> None:
    counts: list[int] = []
    row = key(1)
    sql.insert(row)
    with sql.together():
        sql.change("UPDATE core_idempotencykey SET status = NULL WHERE scope = %s", [b"none"], counts.append)
        sql.change("UPDATE core_idempotencykey SET status = NULL WHERE id = %s", [row.pk], counts.append)
    assert counts == [0, 1]


def test_several_reads_are_one_exchange(db: None) -> None:
    row = key(1)
    sql.insert(row)
    select = f"SELECT {sql.columns(IdempotencyKey, 'k')}, 7 FROM core_idempotencykey k WHERE k.scope = %s"
    with CaptureQueriesContext(connection) as asked:
        found, missing = sql.read(*(sql.Read(select, [scope], (IdempotencyKey,)) for scope in (row.scope, b"none")))
    assert (found, missing) == ([[row, 7]], [])
    assert len(asked) == 1
