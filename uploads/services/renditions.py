"""What the worker makes of a picture after the commit: smaller sizes in WebP and a placeholder."""

import logging
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from core import events
from core.api.errors import Overloaded
from core.crypto import envelopes
from core.data.ids import uuid7
from core.data.locks import lock
from core.data.transactions import retrying
from core.jobs import outbox
from core.jobs.outbox import NotYet
from uploads import stores
from uploads.images import Picture, sizes_of
from uploads.models import Rendition, State, StoredFile
from uploads.services.files import delete_bytes, read_file
from uploads.services.quota import release_quota

logger = logging.getLogger("vectragrow.uploads")

WIDTHS = (320, 640, 1280, 1920)
"""Pixels; a picture gets those that are not larger than itself."""


def process_image(stored: StoredFile, *, now: datetime) -> None:
    """
    Make the sizes and the placeholder of a picture, and have it count as ready. Safe to repeat.

    :raises NotYet: too many pictures are being worked on
    """
    try:
        made = sizes_of(read_file(stored), stored.content_type, WIDTHS)
    except Overloaded as busy:
        raise NotYet("too many pictures are being worked on", busy.retry_after, tried=False) from busy
    sizes = [store_rendition(stored, Rendition.Kind.SIZE, picture, now=now) for picture in made.pictures]
    finish(stored, sizes, placeholder=made.placeholder)


def store_rendition(stored: StoredFile, kind: Rendition.Kind, picture: Picture, *, now: datetime) -> Rendition:
    """Take a rendition to the store where its file is to be. Its row is not saved yet: `finish`."""
    row = Rendition(
        id=uuid7(),
        created_at=now,
        file=stored,
        kind=kind,
        content_type=picture.content_type,
        size=len(picture.content),
        width=picture.width,
        height=picture.height,
    )
    if stored.is_private:
        row.wrapped_key = envelopes.new_key(row.sealed_as)
    row.storage_name = stores.new_name(row.content_type, is_sealed=row.is_sealed, now=now)
    stores.save(row, BytesIO(picture.content))
    return row


@retrying
def finish(stored: StoredFile, made: Sequence[Rendition], **columns: Any) -> None:
    """
    Keep what was made of a file and have it count as ready, in one transaction. What was made for nothing is deleted:
    the file was deleted meanwhile, or another worker was first.

    :param stored: as it was when the work began
    :param columns: of the file, to be written with it: for a video also where its bytes are now
    """
    current = lock(StoredFile.objects.filter(pk=stored.pk)).get()
    is_kept = StoredFile.objects.with_bytes().filter(pk=stored.pk).exists()
    if not is_kept or current.state != State.PROCESSING:
        placed = StoredFile(pk=stored.pk, **columns) if "storage_name" in columns else None
        delete_bytes([*made, *([placed] if placed else [])])
        return
    if current.visibility != stored.visibility:  # changed while the work was done
        columns.pop("moving_since", None)
        outbox.emit("uploads.move_file", file_id=str(stored.pk))
    sources = list(current.renditions.filter(kind=Rendition.Kind.SOURCE))
    Rendition.objects.filter(pk__in=[source.pk for source in sources]).delete()
    Rendition.objects.bulk_create(made)
    StoredFile.objects.filter(pk=stored.pk).update(state=State.READY, **columns)
    if current.is_counted and current.deleted_at is None and "size" in columns:
        release_quota(current.owner_id, current.size - columns["size"])
    delete_bytes(sources)


def give_up(file_id: UUID) -> None:
    """Nothing can be made of a file that is being processed: a picture is shown as it is, a video cannot be shown."""
    if StoredFile.objects.filter(pk=file_id, state=State.PROCESSING).update(state=State.FAILED):
        logger.error("a file cannot be processed", extra={"fileId": file_id})


@retrying
def process_again(file_id: UUID, *, by: Any, now: datetime) -> bool:
    """
    Have the worker try a file once more on which it gave up. Returns whether there is anything to do.

    :param by: the staff member
    """
    failed = lock(StoredFile.objects.with_bytes().filter(pk=file_id, state=State.FAILED)).first()
    if failed is None:
        return False
    StoredFile.objects.filter(pk=file_id).update(state=State.PROCESSING)
    events.record("stored_file.retried", failed, actor=by, now=now)
    outbox.emit("uploads.process_file", file_id=str(file_id))
    return True
