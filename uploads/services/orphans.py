"""Bytes in the store that no row points to: a transaction was rolled back, or a deletion did not arrive."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.files.storage import storages

from uploads import stores
from uploads.models import Rendition, StoredFile

logger = logging.getLogger("vectragrow.uploads")

GRACE = timedelta(days=1)
"""No transaction is open this long."""
DAYS = 3


def orphans(now: datetime, *, days: int = DAYS) -> Iterator[str]:
    """
    Orphans of the last `days` whole days before the grace, as `store/2026/11/24/name`; names begin with their day.

    A day that cannot be looked at is logged and left for the next time: each is looked at many times over.
    """
    for store in (stores.PUBLIC, stores.PRIVATE):
        for back in range(1, days + 1):
            day = f"{now - GRACE - timedelta(days=back):%Y/%m/%d}"
            try:
                yield from sorted(f"{store}/{name}" for name in _orphans_of(store, day))
            except Exception:
                logger.exception("a day of the store cannot be looked at", extra={"store": store, "day": day})


def _orphans_of(store: str, day: str) -> set[str]:
    try:
        names = {f"{day}/{name}" for name in storages[store].listdir(day)[1]}
    except FileNotFoundError:
        return set()
    files = StoredFile.objects.with_bytes().filter(storage_name__startswith=day)
    renditions = Rendition.objects.filter(storage_name__startswith=day)
    return names.difference(*(kept.values_list("storage_name", flat=True) for kept in (files, renditions)))


def delete_orphan(orphan: str, *, now: datetime) -> None:
    """:param orphan: as `orphans` names it"""
    store, _, name = orphan.partition("/")
    stores.delete(store, name)
    logger.info("deleted a file without a row", extra={"file": orphan})
