"""
What in a migration stops the running platform: locks held long on tables that are there, and what the previous release
cannot work with (SECURITY-GOALS 63). docs/migrations.md says how to do each of them instead.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.postgres import operations as postgres
from django.db import migrations, models

Operation = migrations.operations.base.Operation


def faults_of(migration: migrations.Migration) -> list[str]:
    """Why this migration must not run beside the platform; `reviewed_locks = "why"` on its class lets it pass."""
    if getattr(migration, "reviewed_locks", ""):
        return []
    new: set[str] = set()
    found = []
    for operation in _flat(migration.operations):
        found += [f"{type(operation).__name__}: {fault}" for fault in _faults(operation, new, migration.atomic)]
        if isinstance(operation, migrations.CreateModel):
            new.add(operation.name_lower)
    return found


def _flat(operations: Sequence[Operation]) -> Iterator[Operation]:
    """Also what only the database does; what only the state does touches no table."""
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _faults(operation: Operation, new: set[str], is_atomic: bool) -> Iterator[str]:
    table = getattr(operation, "model_name_lower", None) or str(getattr(operation, "model_name", "")).lower()
    if table in new:
        return
    match operation:
        case postgres.AddIndexConcurrently() | postgres.AddConstraintNotValid():
            pass
        case migrations.AddIndex():
            yield "locks writers out while it builds; use AddIndexConcurrently in a migration with atomic = False"
        case migrations.AddConstraint() if isinstance(operation.constraint, models.CheckConstraint):
            yield "checks every row under a lock; AddConstraintNotValid, then ValidateConstraint in a later migration"
        case migrations.AddConstraint():
            yield "builds an index under a lock; create it concurrently first and attach it"
        case migrations.AddField():
            yield from _faults_of_column(operation.field)
        case migrations.AlterField():
            yield "may rewrite or check the table; look at its SQL, and say why it is fine in `reviewed_locks`"
        case (
            migrations.RemoveField()
            | migrations.RenameField()
            | migrations.RenameModel()
            | migrations.DeleteModel()
            | migrations.AlterModelTable()
        ):
            yield "the previous release still uses it; stop using it first and remove it a release later"
        case migrations.RunPython() if is_atomic:
            yield "holds its locks to the end; fill in batches, in a migration with atomic = False"
        case migrations.RunSQL():
            yield from _faults_of_sql(str(operation.sql))


def _faults_of_column(column: Any) -> Iterator[str]:
    if not column.null and not column.has_db_default() and not column.many_to_many:
        yield "the previous release inserts rows without it; let it be null or give it a db_default"
    if column.unique or (column.db_index and not column.is_relation):
        yield "builds an index under a lock; add the column first and the index concurrently"
    if getattr(column, "db_constraint", False):
        yield "checks every row under locks on both tables; db_constraint=False, then the constraint as NOT VALID"


def _faults_of_sql(sql: str) -> Iterator[str]:
    if re.search(r"create\s+(unique\s+)?index\s+(?!concurrently)", sql, re.IGNORECASE):
        yield "locks writers out while it builds the index; CREATE INDEX CONCURRENTLY"
    for constraint in re.findall(r"add\s+constraint[^;]*", sql, re.IGNORECASE):
        if not re.search(r"not\s+valid|using\s+index", constraint, re.IGNORECASE):
            yield "checks every row under a lock; NOT VALID, then VALIDATE CONSTRAINT"
    if re.search(r"alter\s+column\s+\S+\s+(set\s+data\s+)?type", sql, re.IGNORECASE):
        yield "may rewrite the table"
