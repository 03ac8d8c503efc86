"""Bytes in the store that no row points to: a transaction was rolled back, or a deletion did not arrive."""

import logging
from datetime import datetime, timedelta

from django.core.files.storage import storages

from core.jobs.runner import each
from uploads.models import StoredFile

logger = logging.getLogger("vectragrow.uploads")

GRACE = timedelta(days=1)
"""No transaction is open this long."""
DAYS = 3


def delete_orphans(*, now: datetime, days: int = DAYS) -> int:
    """
    Delete orphans of the last `days` whole days before the grace; names begin with their day. Returns how many.

    Runs hourly, so each day is looked at many times over. Safe to repeat and to run side by side.
    """
    removed = 0

    def clean_folder(place: tuple[str, str]) -> None:
        nonlocal removed
        alias, folder = place
        store = storages[alias]
        try:
            names = {f"{folder}/{name}" for name in store.listdir(folder)[1]}
        except FileNotFoundError:
            return
        kept = StoredFile.objects.filter(storage_name__startswith=folder, deleted_at__isnull=True)
        orphans = sorted(names.difference(kept.values_list("storage_name", flat=True)))
        removed += each(orphans, store.delete, what="file without a row").done

    folders = [f"{now - GRACE - timedelta(days=back):%Y/%m/%d}" for back in range(1, days + 1)]
    each([(alias, folder) for alias in ("default", "private") for folder in folders], clean_folder, what="folder")
    if removed:
        logger.info("removed files without a row", extra={"count": removed})
    return removed
