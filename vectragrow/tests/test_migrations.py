"""Migrations run beside the platform: none holds a lock for long, and the previous release works on what they leave."""

import threading
from typing import Any

import pytest
from django.contrib.postgres import operations as postgres
from django.db import OperationalError, connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader

from vectragrow.tests.migration_locks import Operation, faults_of

RELEASED = dict.fromkeys(
    ("core", "ledger", "notifications", "uploads", "accounts", "campaigns", "kyc", "chat", "investments"),
    "0001_initial",
)
"""
The newest migration of each app that was there at the first release. Those after it run on tables with rows, and are
checked; an app that is not named has not been released yet.
"""

AMOUNT = models.BigIntegerField(null=True)
CHECK = models.CheckConstraint(condition=models.Q(x__gt=0), name="x_is_positive")
UNIQUE = models.UniqueConstraint(fields=["x"], name="x_is_unique")
INDEX = models.Index(fields=["x"], name="by_x")


def after_release() -> list[migrations.Migration]:
    loader = MigrationLoader(None)
    return [
        migration
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if app in RELEASED and name > RELEASED[app]
    ]


def test_migrations_after_the_release_hold_no_long_locks() -> None:
    faults = {f"{migration.app_label}.{migration.name}": faults_of(migration) for migration in after_release()}
    assert not {name: found for name, found in faults.items() if found}


def migration(*operations: Any, **traits: Any) -> migrations.Migration:
    kind = type("Migration", (migrations.Migration,), {"operations": list(operations), **traits})
    return kind("0099_next", "campaigns")


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddIndex("campaign", INDEX),
        migrations.AddConstraint("campaign", CHECK),
        migrations.AddConstraint("campaign", UNIQUE),
        migrations.AddField("campaign", "x", models.BigIntegerField(default=0)),
        migrations.AddField("campaign", "x", models.BigIntegerField(null=True, unique=True)),
        migrations.AddField("campaign", "x", models.ForeignKey("accounts.User", models.PROTECT, null=True)),
        migrations.AlterField("campaign", "x", models.TextField()),
        migrations.RemoveField("campaign", "x"),
        migrations.RenameField("campaign", "x", "y"),
        migrations.DeleteModel("Campaign"),
        migrations.RunPython(migrations.RunPython.noop),
        migrations.RunSQL("CREATE INDEX by_x ON campaigns (x)"),
        migrations.RunSQL("CREATE UNIQUE INDEX by_x ON campaigns (x)"),
        migrations.RunSQL("ALTER TABLE campaigns ADD CONSTRAINT c CHECK (x > 0)"),
        migrations.RunSQL("ALTER TABLE campaigns ALTER COLUMN x TYPE text"),
        migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("campaign", "x")]),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_stops_the_platform_is_found(operation: Operation) -> None:
    assert faults_of(migration(operation))
    assert not faults_of(migration(operation, reviewed_locks="The table is empty."))


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("campaign", "x", AMOUNT),
        migrations.AddField("campaign", "x", models.BigIntegerField(db_default=0)),
        postgres.AddIndexConcurrently("campaign", INDEX),
        postgres.AddConstraintNotValid("campaign", CHECK),
        postgres.ValidateConstraint("campaign", "x_is_positive"),
        migrations.RunSQL("CREATE INDEX CONCURRENTLY by_x ON campaigns (x)"),
        migrations.RunSQL("ALTER TABLE campaigns ADD CONSTRAINT c CHECK (x > 0) NOT VALID"),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("campaign", "x")]),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_runs_beside_it_is_fine(operation: Operation) -> None:
    assert not faults_of(migration(operation))


def test_a_table_of_the_same_migration_has_no_rows() -> None:
    create = migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True)), ("x", AMOUNT)])
    assert not faults_of(migration(create, migrations.AddIndex("thing", INDEX)))


@pytest.mark.django_db(transaction=True)
def test_a_migration_gives_up_on_a_lock_after_two_seconds() -> None:
    """Whoever waits for a table's lock makes everybody wait who comes after."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE campaigns_category IN ACCESS EXCLUSIVE MODE")
            held.set()
            done.wait(60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(60)
        with pytest.raises(OperationalError, match="lock timeout"), connection.schema_editor() as editor:
            editor.execute("ALTER TABLE campaigns_category ADD COLUMN x bigint")
    finally:
        done.set()
        holder.join()
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",), "the limit ends with the migration"
