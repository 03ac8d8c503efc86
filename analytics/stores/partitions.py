"""The partitions of the raw events: one table for each UTC day, made ahead and dropped after thirteen months."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import connection
from psycopg import sql

from core.data.transactions import atomic

KEPT = timedelta(days=396)
"""Thirteen months: a year can be compared with the year before."""
AHEAD = timedelta(days=14)
BEHIND = timedelta(days=4)
"""Events may be this late (`analytics.limits.LATEST`) and a day more."""

_TABLE = "analytics_rawevent"
_NAME = re.compile(rf"{_TABLE}_(\d{{8}})", re.ASCII)


def days_without(now: datetime) -> list[date]:
    """The days around `now` that should have a partition and have none, for the job that makes them."""
    first = (now - BEHIND).date()
    wanted = [first + timedelta(days=number) for number in range((AHEAD + BEHIND).days + 1)]
    present = set(existing())
    return [day for day in wanted if day not in present]


def existing() -> list[date]:
    """The days that have a partition."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [_TABLE])
        found = [_NAME.search(name) for (name,) in cursor.fetchall()]
    return sorted(date.fromisoformat(match[1]) for match in found if match)


def pages(day: date) -> int:
    """How many pages the table of a day has; 0 without one."""
    with connection.cursor() as cursor:
        size = "SELECT COALESCE(pg_relation_size(to_regclass(%s)), 0) / current_setting('block_size')::int"
        cursor.execute(size, [_text(day)])
        return int(cursor.fetchone()[0])


def make(days: Iterable[date]) -> None:
    """
    Make the partitions of these days, those that are missing. The table is made beside and then attached, so that
    writing goes on meanwhile; safe to run side by side.
    """
    for day in sorted(days):
        with atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_TABLE])
            if day in existing():
                continue
            names = {"part": _name(day), "whole": sql.Identifier(_TABLE)}
            cursor.execute(
                sql.SQL("CREATE TABLE {part} (LIKE {whole} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)").format(**names)
            )
            cursor.execute(
                sql.SQL("ALTER TABLE {whole} ATTACH PARTITION {part} FOR VALUES FROM ({begin}) TO ({end})").format(
                    begin=sql.Literal(f"{day}T00:00:00Z"),
                    end=sql.Literal(f"{day + timedelta(days=1)}T00:00:00Z"),
                    **names,
                )
            )


def drop(day: date) -> None:
    """Drop the partition of a day with its events."""
    with atomic(), connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_name(day)))


def _name(day: date) -> sql.Identifier:
    return sql.Identifier(_text(day))


def _text(day: date) -> str:
    return f"{_TABLE}_{day:%Y%m%d}"
