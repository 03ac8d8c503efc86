"""
Changing who may open a file. The row counts at once, in the caller's transaction; the worker moves the bytes after it.

Each part (the file and its renditions) is moved on its own: stored in the other store under a new name, then written
into its row in one transaction with the order to delete the old bytes. Killed anywhere, the next try goes on with what
is not moved yet, and what a killed try left in a store has no row and goes with `uploads.delete_orphans`.
"""

from datetime import datetime
from tempfile import TemporaryFile
from typing import TypeVar
from uuid import UUID

from core.data.locks import lock
from core.data.transactions import retrying
from core.jobs import outbox
from uploads import stores
from uploads.models import KeptBytes, Rendition, State, StoredFile, Visibility
from uploads.services.files import delete_bytes

K = TypeVar("K", bound=KeptBytes)


def seal_file(stored: StoredFile, *, now: datetime) -> None:
    """
    A public file becomes private with the caller's commit: its lasting address answers 404 from then on, where this
    server answers it. The worker seals the bytes and deletes the public ones. Does nothing for a private file.
    """
    _change(stored, Visibility.PRIVATE, now)


def publish_file(stored: StoredFile, *, now: datetime) -> None:
    """
    A private file becomes public with the caller's commit. It gets a new lasting address when the worker has moved its
    bytes; until then cards have signed links. Does nothing for a public file.
    """
    _change(stored, Visibility.PUBLIC, now)


def _change(stored: StoredFile, visibility: Visibility, now: datetime) -> None:
    live = StoredFile.objects.filter(pk=stored.pk, deleted_at__isnull=True).exclude(visibility=visibility)
    if live.update(visibility=visibility, moving_since=now):
        outbox.emit("uploads.move_file", file_id=str(stored.pk))


def move_file(file_id: UUID, *, now: datetime) -> None:
    """Bring all bytes of a file to the store of its visibility. Safe to repeat, and to run twice at once."""
    stored = StoredFile.objects.with_bytes().filter(pk=file_id).first()
    if stored is None or (stored.is_video and stored.state != State.READY):
        return  # a video that is not rewritten yet is moved when it is: `renditions.finish`
    for part in [stored, *stored.renditions.shown()]:
        if part.is_sealed != stored.is_private:
            _move(part, stored, now)
    _end(file_id)


def _move(part: K, stored: StoredFile, now: datetime) -> None:
    """:raises FileNotFoundError: somebody else has moved it meanwhile; the next try looks again"""
    moved = stores.elsewhere(part, is_sealed=stored.is_private, size=part.size, now=now)
    with TemporaryFile() as content:
        for chunk in stores.read(part):
            content.write(chunk)
        content.seek(0)
        stores.save(moved, content)
    _point_to(part, moved, stored)


@retrying
def _point_to(part: K, moved: K, stored: StoredFile) -> None:
    """Write a part's new place into its row, and have the old bytes deleted; or the new ones, if it is too late."""
    current = lock(StoredFile.objects.filter(pk=stored.pk)).get()
    is_kept = StoredFile.objects.with_bytes().filter(pk=stored.pk).exists()
    is_wanted = current.visibility == stored.visibility and is_kept
    here = type(part)._default_manager.filter(pk=part.pk, storage_name=part.storage_name)
    if is_wanted and here.update(storage_name=moved.storage_name, wrapped_key=moved.wrapped_key):
        delete_bytes([part])
    else:
        delete_bytes([moved])


@retrying
def _end(file_id: UUID) -> None:
    """Nothing is moving any more, if every part is where it belongs; a change meanwhile brings its own event."""
    current = lock(StoredFile.objects.with_bytes().filter(pk=file_id)).first()
    if current is None:
        return
    parts: list[KeptBytes] = [current, *Rendition.objects.shown().filter(file=current)]
    if all(part.is_sealed == current.is_private for part in parts):
        StoredFile.objects.filter(pk=file_id).update(moving_since=None)
