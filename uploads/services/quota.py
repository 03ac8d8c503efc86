"""How many bytes of files a person may keep, exact however many requests come at once."""

from uuid import UUID

from django.conf import settings

from core.data import sql
from uploads.errors import StorageQuotaExceeded
from uploads.models import StorageUse

_TAKE = """
INSERT INTO uploads_storageuse AS mine (owner_id, used) VALUES (%s, %s)
ON CONFLICT (owner_id) DO UPDATE SET used = mine.used + excluded.used WHERE mine.used + excluded.used <= %s
RETURNING used
"""
"""One statement: the row is locked first and looked at then. Nothing comes back where the quota would be exceeded."""
_RELEASE = "UPDATE uploads_storageuse SET used = used - %s WHERE owner_id = %s"


def check_quota(owner_id: UUID, size: int) -> None:
    """
    Refuse early what would not be kept, before it travels to the store. `take_quota` decides.

    :raises StorageQuotaExceeded:
    """
    used = used_by(owner_id)
    if used + size > settings.STORAGE_QUOTA:
        raise StorageQuotaExceeded(used=used, limit=settings.STORAGE_QUOTA)


def take_quota(owner_id: UUID, size: int) -> None:
    """
    Count `size` bytes more, in the transaction that keeps them.

    :raises StorageQuotaExceeded: with these it would be too many
    """
    limit = settings.STORAGE_QUOTA
    if size > limit or sql.execute((_TAKE, [owner_id, size, limit])) is None:
        raise StorageQuotaExceeded(used=used_by(owner_id), limit=limit)


def release_quota(owner_id: UUID, size: int) -> None:
    """Count `size` bytes less, in the transaction that deletes them; or more, where it is negative, without a limit."""
    sql.change(_RELEASE, [size, owner_id])


def used_by(owner_id: UUID) -> int:
    """Bytes."""
    return StorageUse.objects.filter(pk=owner_id).values_list("used", flat=True).first() or 0
