"""Keeping the bytes of files that somebody else needs, whatever their owners do (docs/files.md)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from core.data.locks import lock
from core.data.transactions import atomic
from uploads.errors import LinkNotValid
from uploads.models import FileHold, State, StoredFile
from uploads.services.files import destroy_bytes
from uploads.services.links import Opened


def hold_files(file_ids: Iterable[UUID], *, holder_id: UUID, now: datetime) -> None:
    """
    Keep these files until `release_files`, in the caller's transaction. Those that are deleted already are left out;
    safe to repeat.
    """
    live = lock(StoredFile.objects.filter(pk__in=list(file_ids), deleted_at__isnull=True).order_by("pk"))
    holds = [FileHold(file=file, holder_id=holder_id, created_at=now) for file in live]
    FileHold.objects.bulk_create(holds, ignore_conflicts=True)


def release_files(holder_id: UUID) -> None:
    """Destroy the bytes of what was deleted meanwhile and nobody else holds. Safe to repeat."""
    with atomic():
        held = list(lock(StoredFile.objects.filter(holds__holder_id=holder_id).order_by("pk")))
        FileHold.objects.filter(holder_id=holder_id).delete()
        needed = set(FileHold.objects.filter(file__in=held).values_list("file_id", flat=True))
        for file in held:
            if file.deleted_at is not None and file.pk not in needed:
                destroy_bytes(file)


def open_held(file_id: UUID) -> Opened:
    """
    A file that is not deleted, or is held. The caller has checked that the viewer may see it, and records it.

    :raises LinkNotValid: there are no bytes to show
    """
    stored = StoredFile.objects.with_bytes().filter(pk=file_id).first()
    if stored is None or (stored.is_video and stored.state != State.READY):
        raise LinkNotValid()
    return Opened.once(stored)
