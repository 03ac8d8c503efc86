"""Personal data in stored files (core.privacy). The app that stored a file deletes it when its person is erased."""

import logging
from collections.abc import Iterable, Iterator
from uuid import UUID

from core.privacy import Cascade, Kept, Withheld, declare, declare_impersonal
from uploads import stores
from uploads.models import FileHold, Rendition, StorageUse, StoredFile
from uploads.services.files import PDF
from uploads.stores import EXTENSIONS

logger = logging.getLogger("vectragrow.uploads")

WITHHELD = ("identity_paper", "data_export")
"""Identity papers do not travel in archives: their owner opens each through a link of a minute. Nor do archives."""


def files_of(person_id: UUID) -> Iterator[tuple[str, Iterable[bytes]]]:
    """A video that is not rewritten yet comes as it was sent."""
    kept = StoredFile.objects.filter(owner_id=person_id, deleted_at__isnull=True).exclude(purpose__in=WITHHELD)
    for stored in kept.order_by("pk"):
        extension = {**EXTENSIONS, PDF: "pdf"}[stored.content_type]
        source = stored.renditions.filter(kind=Rendition.Kind.SOURCE).first()
        try:
            yield f"files/{stored.purpose}/{stored.pk}.{extension}", stores.read(source or stored)
        except FileNotFoundError:
            logger.error("a file is missing from the store", extra={"fileId": stored.pk})


declare(
    StoredFile,
    person="owner_id",
    export=(
        "id",
        "purpose",
        "visibility",
        "content_type",
        "size",
        "width",
        "height",
        "duration_ms",
        "alt",
        "created_at",
        "deleted_at",
    ),
    files=files_of,
    erase=Kept("the app that stored the file deletes it, or keeps it and says why"),
    retention=Kept("the row says when its file was deleted; files without a row go with `uploads.delete_orphans`"),
)
declare(
    Rendition,
    export=Withheld("made from a file, and files are exported"),
    erase=Kept("deleted with its file"),
    retention=Cascade("file"),
)
declare_impersonal(
    FileHold,
    about="which files are needed for a case of moderation",
    retention=Kept("as long as its holder: the app that holds a file releases it"),
)
declare(
    StorageUse,
    person="owner_id",
    export=("used",),
    erase=Kept("a number, which is 0 when all files are deleted"),
    retention=Kept("one row a person, without anything of them"),
)
