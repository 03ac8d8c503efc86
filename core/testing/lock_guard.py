"""Tests raise where a transaction locks rows out of order, or more strongly than needed (docs/locking.md)."""

from typing import Any

import pytest
from django.db.models import QuerySet

from core.data import locks


def watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch the guard on and report every locking queryset to it; SELECTs in SQL files report themselves."""
    fetch = QuerySet._fetch_all

    def fetch_and_record(rows: Any) -> None:
        is_new = rows._result_cache is None
        fetch(rows)
        if is_new and rows.query.select_for_update:
            of = rows.query.select_for_update_of or ("self",)
            named: list[Any] = [
                row if name == "self" else getattr(row, name, None) for row in rows._result_cache for name in of
            ]
            guarded = [row for row in named if hasattr(row, "lock_level")]
            if guarded:
                assert rows.query.select_for_no_key_update, "FOR UPDATE holds up everyone who points to the row"
                locks.taken(*guarded)

    monkeypatch.setattr(QuerySet, "_fetch_all", fetch_and_record)
    monkeypatch.setattr(locks, "is_guarded", True)
