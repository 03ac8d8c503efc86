"""
Storing, reading and deleting files.

In two steps, since the store may be across a network and nothing is called from inside a transaction (SECURITY-GOALS
10): `store_…` takes the bytes there and gives rows that are not saved yet; `keep_files` saves them, in the caller's
transaction. So a row never points to a missing file. Bytes without a row are found by name (services/orphans.py).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from io import SEEK_END, BytesIO
from typing import IO, Any, cast
from uuid import UUID

import filetype

from core.api import limits
from core.api.limits import Limit
from core.crypto import envelopes
from core.crypto.keys import fingerprint
from core.data.ids import uuid7
from core.data.locks import lock
from core.data.transactions import atomic
from core.jobs import outbox
from uploads import stores
from uploads.errors import BrokenFile, FileTooLarge, HeicNotSupported, UnsupportedFileType
from uploads.images import FORMATS, Picture, is_heif, redraw
from uploads.models import KeptBytes, Rendition, State, StoredFile, Visibility
from uploads.services.quota import check_quota, release_quota, take_quota

PICTURES_BURST = Limit("pictures:burst", 30, timedelta(minutes=10))
PICTURES_DAILY = Limit("pictures:daily", 200, timedelta(days=1))
"""Per person: each costs seconds of work."""
MEGABYTE = 1024 * 1024
LARGEST = 10 * MEGABYTE
LARGEST_PHOTO = 5 * MEGABYTE
PDF = "application/pdf"
ZIP = "application/zip"
IMAGES = tuple(FORMATS)
_NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", PDF: "PDF"}
_VIDEOS = ("MP4", "MOV", "WebM")


def store_image(
    file: Any,
    *,
    owner_id: UUID,
    purpose: str,
    now: datetime,
    field: str = "",
    visibility: Visibility = Visibility.PUBLIC,
    alt: str = "",
    or_video: bool = False,
) -> StoredFile:
    """
    Keep a picture for a `MediaCard`: JPEG, PNG or WebP, drawn anew without metadata. The worker adds smaller sizes and
    a placeholder.

    :param file: what Django's parser gave (`UploadedFile`)
    :param purpose: why it is kept, such as `post`
    :param field: the form part's name, for the refusal's `errors`
    :param visibility: may change later: `seal_file`, `publish_file`
    :param alt: what is to be seen, in words; at most 1000 characters
    :param or_video: whether a video would have been taken too, for the words of the refusal
    :raises FileTooLarge: :raises UnsupportedFileType: :raises HeicNotSupported: :raises TooManyPixels:
    :raises AnimatedImage: :raises BrokenFile:
    :raises RateLimited: the owner has sent too many pictures
    :raises StorageQuotaExceeded: the owner has too many files
    :raises Overloaded: too many pictures are being worked on
    """
    sent, content_type = _read(file, IMAGES, LARGEST, field, or_video=or_video)
    _count_picture(owner_id)
    picture = redraw(sent, content_type, field=field)
    row = _row(owner_id, purpose, visibility, sent, picture, now)
    row.state, row.alt = State.PROCESSING, alt
    return _store(row, picture.content)


def store_sizes(
    file: Any,
    *,
    sizes: Sequence[int],
    owner_id: UUID,
    purpose: str,
    now: datetime,
    field: str = "",
    most_bytes: int = LARGEST,
) -> list[StoredFile]:
    """
    Keep a public picture in several sizes at once, each in a file of its own: a profile photo. Refuses as `store_image`
    does.

    :param sizes: the longest sides in pixels, falling; none is scaled up
    :param most_bytes: `LARGEST_PHOTO` for profile photos and covers
    """
    sent, content_type = _read(file, IMAGES, most_bytes, field)
    _count_picture(owner_id)
    rows, source = [], sent
    for longest_side in sizes:
        picture = redraw(source, content_type, field=field, longest_side=longest_side)
        rows.append(_store(_row(owner_id, purpose, Visibility.PUBLIC, sent, picture, now), picture.content))
        source = picture.content  # the next is smaller: 25 megapixels are decoded once
    return rows


def store_private(file: Any, *, owner_id: UUID, purpose: str, now: datetime, field: str = "") -> StoredFile:
    """Keep a private picture as it is shown, without further sizes. Refuses as `store_image` does."""
    sent, content_type = _read(file, IMAGES, LARGEST, field)
    _count_picture(owner_id)
    picture = redraw(sent, content_type, field=field)
    return _store(_row(owner_id, purpose, Visibility.PRIVATE, sent, picture, now), picture.content)


def store_document(file: Any, *, owner_id: UUID, purpose: str, now: datetime, field: str = "") -> StoredFile:
    """
    Keep a paper, sealed: a picture, as finely as it came; or a PDF, as it came, which is only ever downloaded. Refuses
    as `store_image` does; the quota does not count it.
    """
    sent, content_type = _read(file, (*IMAGES, PDF), LARGEST, field)
    if content_type != PDF:
        _count_picture(owner_id)
        picture = redraw(sent, content_type, field=field, is_evidence=True)
    elif b"%%EOF" in sent[-2048:]:
        picture = Picture(sent, PDF, None, None)
    else:
        raise BrokenFile(field=field)
    row = _row(owner_id, purpose, Visibility.PRIVATE, sent, picture, now, is_counted=False)
    return _store(row, picture.content)


def store_pdf(
    file: Any, *, owner_id: UUID, purpose: str, now: datetime, field: str = "", is_counted: bool = True
) -> StoredFile:
    """
    Keep a PDF, sealed and as it came; only ever downloaded.

    :raises FileTooLarge: :raises UnsupportedFileType: :raises BrokenFile: :raises StorageQuotaExceeded:
    """
    sent, _ = _read(file, (PDF,), LARGEST, field)
    if b"%%EOF" not in sent[-2048:]:
        raise BrokenFile(field=field)
    kept = Picture(sent, PDF, None, None)
    return _store(_row(owner_id, purpose, Visibility.PRIVATE, sent, kept, now, is_counted=is_counted), sent)


def store_drawing(content: bytes, *, size: tuple[int, int], owner_id: UUID, purpose: str, now: datetime) -> StoredFile:
    """Keep a public PNG that we drew ourselves, as it is. It counts in no limit of its owner."""
    picture = Picture(content, "image/png", *size)
    return _store(_row(owner_id, purpose, Visibility.PUBLIC, content, picture, now, is_counted=False), content)


def store_archive(content: IO[bytes], *, owner_id: UUID, purpose: str, now: datetime) -> StoredFile:
    """Keep a ZIP that we made ourselves, sealed; only given as a download. It counts in no limit of its owner."""
    row = new_row(
        owner_id=owner_id,
        purpose=purpose,
        visibility=Visibility.PRIVATE,
        content_type=ZIP,
        size=content.seek(0, SEEK_END),
        print_of=digest(content),
        is_counted=False,
        now=now,
    )
    stores.save(row, content)
    return row


def keep_files(files: Iterable[StoredFile]) -> None:
    """
    Write the rows of stored files, in the transaction that makes use of them.

    :raises StorageQuotaExceeded: their owner would have too many
    """
    files = list(files)
    counted: dict[UUID, int] = defaultdict(int)
    for file in files:
        counted[file.owner_id] += file.size * file.is_counted
    for owner_id, size in sorted(counted.items()):
        if size:
            take_quota(owner_id, size)
    StoredFile.objects.bulk_create(files)
    Rendition.objects.bulk_create([file.source for file in files if file.source])
    for file in files:
        if file.state == State.PROCESSING:
            outbox.emit("uploads.process_file", file_id=str(file.pk))


def read_file(stored: StoredFile) -> bytes:
    """
    The whole content, opened if it is sealed. Long ones are read in parts: `stores.read`.

    :raises FileNotFoundError: the store has lost it
    :raises core.crypto.aes.CannotOpen: the store gave back something else
    """
    return b"".join(stores.read(stored))


def describe_file(stored: StoredFile, *, alt: str) -> None:
    """Change what is said of a picture for people who do not see it."""
    StoredFile.objects.filter(pk=stored.pk).update(alt=alt)


def delete_file(stored: StoredFile, *, now: datetime) -> None:
    """
    Delete a file and all that was made of it: its keys at once, its bytes after the commit. The row, where there is
    one, stays and says when. One that is held (`uploads.services.holds`) opens for nobody any more, and its bytes are
    sealed and stay. Safe to repeat.
    """
    with atomic():
        kept = lock(StoredFile.objects.filter(pk=stored.pk)).first()
        if kept is not None and kept.deleted_at:
            return
        if kept is None:
            delete_bytes([stored, *([stored.source] if stored.source else [])])
            return
        StoredFile.objects.filter(pk=kept.pk).update(deleted_at=now)
        if kept.is_counted:
            release_quota(kept.owner_id, kept.size)
        if not kept.holds.exists():
            destroy_bytes(kept)
        elif not kept.is_private:
            StoredFile.objects.filter(pk=kept.pk).update(visibility=Visibility.PRIVATE, moving_since=now)
            outbox.emit("uploads.move_file", file_id=str(kept.pk))


def destroy_bytes(deleted: StoredFile) -> None:
    """Of a deleted file, which the caller has locked: its keys at once, its bytes after the commit."""
    parts = [deleted, *deleted.renditions.all()]
    deleted.renditions.all().delete()
    empty = {"wrapped_key": None, "moving_since": None, "placeholder": "", "alt": ""}
    StoredFile.objects.filter(pk=deleted.pk).update(**empty)
    delete_bytes(parts)


def delete_bytes(parts: Iterable[KeptBytes]) -> None:
    """Have the worker delete these from their stores, after the commit of the caller's transaction."""
    names = [[stores.name_of_store(part), part.storage_name] for part in parts]
    if names:
        outbox.emit("uploads.delete_bytes", names=names)


def _count_picture(owner_id: UUID) -> None:
    """:raises RateLimited: the owner has sent too many pictures"""
    limits.hit(PICTURES_BURST, owner_id)
    limits.hit(PICTURES_DAILY, owner_id)


def _read(
    file: Any, allowed: tuple[str, ...], most_bytes: int, field: str, *, or_video: bool = False
) -> tuple[bytes, str]:
    """The bytes and their type by content. A file that claims to be two things is the one its first bytes say."""
    if file.size > most_bytes:
        raise FileTooLarge(field=field, most=most_bytes // MEGABYTE)
    if not file.size:
        raise BrokenFile(field=field)
    file.seek(0)
    content = file.read()
    kind = filetype.guess(content[:8192])
    if kind is None or kind.mime not in allowed:
        if is_heif(content[:12]):
            raise HeicNotSupported(field=field)
        names = [*(_NAMES[name] for name in allowed), *(_VIDEOS if or_video else ())]
        raise UnsupportedFileType(field=field, allowed=", ".join(names))
    return content, kind.mime


def _row(
    owner_id: UUID,
    purpose: str,
    visibility: Visibility,
    sent: bytes,
    kept: Picture,
    now: datetime,
    *,
    is_counted: bool = True,
) -> StoredFile:
    """:raises StorageQuotaExceeded: its owner has too many files"""
    if is_counted:
        check_quota(owner_id, len(kept.content))
    row = new_row(
        owner_id=owner_id,
        purpose=purpose,
        visibility=visibility,
        content_type=kept.content_type,
        size=len(kept.content),
        print_of=sent,
        is_counted=is_counted,
        now=now,
    )
    row.width, row.height = kept.width, kept.height
    return row


def new_row(
    *,
    owner_id: UUID,
    purpose: str,
    visibility: Visibility,
    content_type: str,
    size: int,
    print_of: bytes,
    now: datetime,
    is_counted: bool = True,
) -> StoredFile:
    """
    A file that is not saved yet, with a name in the store and a key if it is private. Nothing is in the store yet.

    :param print_of: what the fingerprint is made of: the content, or the `digest` of a long one
    """
    row = StoredFile(
        id=uuid7(),
        created_at=now,
        owner_id=owner_id,
        purpose=purpose,
        visibility=visibility,
        content_type=content_type,
        size=size,
        fingerprint=fingerprint(print_of, "file"),
        is_counted=is_counted,
    )
    if row.is_private:
        row.wrapped_key = envelopes.new_key(row.sealed_as)
    row.storage_name = stores.new_name(content_type, is_sealed=row.is_sealed, now=now)
    return row


def digest(content: IO[bytes]) -> bytes:
    """SHA-256, read in pieces."""
    content.seek(0)
    return hashlib.file_digest(cast(Any, content), "sha256").digest()


def _store(row: StoredFile, content: bytes) -> StoredFile:
    stores.save(row, BytesIO(content))
    return row
