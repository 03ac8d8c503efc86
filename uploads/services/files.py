"""
Storing, reading and deleting files.

In two steps, since the store may be across a network and nothing is called from inside a transaction (SECURITY-GOALS
10): `store_…` takes the bytes there and gives rows that are not saved yet; `keep_files` saves them, in the caller's
transaction. So a row never points to a missing file. Bytes without a row are found by name (services/orphans.py).
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import filetype
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction

from core.api import limits
from core.api.limits import Limit
from core.crypto.envelopes import Sealed, seal, unseal
from core.crypto.keys import fingerprint
from core.data.ids import uuid7
from uploads.errors import BrokenFile, FileTooLarge, UnsupportedFileType
from uploads.images import FORMATS, Picture, redraw
from uploads.models import StoredFile, Visibility

PICTURES_BURST = Limit("pictures:burst", 30, timedelta(minutes=10))
PICTURES_DAILY = Limit("pictures:daily", 200, timedelta(days=1))
"""Per person: each costs seconds of work."""
MEGABYTE = 1024 * 1024
LARGEST = 10 * MEGABYTE
LARGEST_PHOTO = 5 * MEGABYTE
PDF = "application/pdf"
ZIP = "application/zip"
IMAGES = tuple(FORMATS)
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
_NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", PDF: "PDF"}


def store_image(
    file: Any,
    *,
    owner_id: UUID,
    purpose: str,
    now: datetime,
    field: str = "",
    most_bytes: int = LARGEST,
    longest_side: int | None = None,
) -> StoredFile:
    """
    Keep a public picture: JPEG, PNG or WebP, drawn anew without metadata. Its address: `selectors.media_url`.

    :param file: what Django's parser gave (`UploadedFile`)
    :param purpose: why it is kept, such as `profile_photo`
    :param field: the form part's name, for the refusal's `errors`
    :param most_bytes: `LARGEST_PHOTO` for profile photos and covers
    :param longest_side: scale down to this many pixels
    :raises FileTooLarge: :raises UnsupportedFileType: :raises TooManyPixels: :raises AnimatedImage: :raises BrokenFile:
    :raises RateLimited: the owner has sent too many pictures
    :raises Overloaded: too many pictures are being worked on
    """
    sent, content_type = _read(file, IMAGES, most_bytes, field)
    _count_picture(owner_id)
    picture = redraw(sent, content_type, field=field, longest_side=longest_side)
    return _store_public(sent, picture, owner_id, purpose, now)


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
    Keep a public picture in several sizes, each in a file of its own. Refuses as `store_image` does.

    :param sizes: the longest sides in pixels, falling; none is scaled up
    """
    sent, content_type = _read(file, IMAGES, most_bytes, field)
    _count_picture(owner_id)
    rows, source = [], sent
    for longest_side in sizes:
        picture = redraw(source, content_type, field=field, longest_side=longest_side)
        rows.append(_store_public(sent, picture, owner_id, purpose, now))
        source = picture.content  # the next is smaller: 25 megapixels are decoded once
    return rows


def store_private(
    file: Any, *, owner_id: UUID, purpose: str, now: datetime, field: str = "", most_bytes: int = LARGEST
) -> StoredFile:
    """Keep a private picture, sealed. Refuses as `store_image` does; opened by `links.make_link`."""
    return _store_sealed(file, IMAGES, owner_id, purpose, now, field, most_bytes)


def store_document(
    file: Any, *, owner_id: UUID, purpose: str, now: datetime, field: str = "", most_bytes: int = LARGEST
) -> StoredFile:
    """
    Keep a paper, sealed: a picture as above, as finely as it came; or a PDF, as it came, which is only ever downloaded.
    """
    return _store_sealed(file, (*IMAGES, PDF), owner_id, purpose, now, field, most_bytes, is_evidence=True)


def store_drawing(content: bytes, *, size: tuple[int, int], owner_id: UUID, purpose: str, now: datetime) -> StoredFile:
    """Keep a public PNG that we drew ourselves, as it is. It does not count among the pictures that its owner sends."""
    return _store_public(content, Picture(content, "image/png", *size), owner_id, purpose, now)


def store_archive(content: bytes, *, owner_id: UUID, purpose: str, now: datetime) -> StoredFile:
    """Keep a ZIP that we made ourselves, sealed; only given as a download."""
    return _seal_and_store(content, _row(owner_id, purpose, Visibility.PRIVATE, content, ZIP, None, now))


def keep_files(files: Iterable[StoredFile]) -> None:
    """Write the rows of stored files, in the transaction that makes use of them."""
    StoredFile.objects.bulk_create(files)


def read_file(stored: StoredFile) -> bytes:
    """
    The content, opened if it is sealed.

    :raises FileNotFoundError: the store has lost it
    :raises core.crypto.aes.CannotOpen: the store gave back something else
    """
    with _store(stored.visibility).open(stored.storage_name) as handle:
        content: bytes = handle.read()
    if stored.is_private:
        return unseal(Sealed(content=content, key=bytes(stored.wrapped_key or b"")), stored.sealed_as)
    return content


def delete_file(stored: StoredFile, *, now: datetime) -> None:
    """
    Delete a file: its key at once, its bytes after the commit. The row, where there is one, stays and says when. Safe
    to repeat.
    """
    StoredFile.objects.filter(pk=stored.pk, deleted_at__isnull=True).update(deleted_at=now, wrapped_key=None)
    transaction.on_commit(partial(_store(stored.visibility).delete, stored.storage_name))


def _count_picture(owner_id: UUID) -> None:
    """:raises RateLimited: the owner has sent too many pictures"""
    limits.hit(PICTURES_BURST, owner_id)
    limits.hit(PICTURES_DAILY, owner_id)


def _store_public(sent: bytes, picture: Picture, owner_id: UUID, purpose: str, now: datetime) -> StoredFile:
    row = _row(owner_id, purpose, Visibility.PUBLIC, sent, picture.content_type, picture, now)
    row.storage_name = _store(Visibility.PUBLIC).save(row.storage_name, ContentFile(picture.content))
    return row


def _store(visibility: str) -> Storage:
    return storages["private" if visibility == Visibility.PRIVATE else "default"]


def _store_sealed(
    file: Any,
    allowed: tuple[str, ...],
    owner_id: UUID,
    purpose: str,
    now: datetime,
    field: str,
    most_bytes: int,
    is_evidence: bool = False,
) -> StoredFile:
    sent, content_type = _read(file, allowed, most_bytes, field)
    kept: Picture | None = None
    if content_type != PDF:
        _count_picture(owner_id)
        kept = redraw(sent, content_type, field=field, is_evidence=is_evidence)
    elif b"%%EOF" not in sent[-2048:]:
        raise BrokenFile(field=field)
    row = _row(owner_id, purpose, Visibility.PRIVATE, sent, content_type, kept, now)
    return _seal_and_store(kept.content if kept else sent, row)


def _seal_and_store(content: bytes, row: StoredFile) -> StoredFile:
    sealed = seal(content, row.sealed_as)
    row.wrapped_key = sealed.key
    row.storage_name = _store(Visibility.PRIVATE).save(row.storage_name, ContentFile(sealed.content))
    return row


def _read(file: Any, allowed: tuple[str, ...], most_bytes: int, field: str) -> tuple[bytes, str]:
    """The bytes and their type by content. A file that claims to be two things is the one its first bytes say."""
    if file.size > most_bytes:
        raise FileTooLarge(field=field, most=most_bytes // MEGABYTE)
    if not file.size:
        raise BrokenFile(field=field)
    file.seek(0)
    content = file.read()
    kind = filetype.guess(content[:8192])
    if kind is None or kind.mime not in allowed:
        raise UnsupportedFileType(field=field, allowed=", ".join(_NAMES[name] for name in allowed))
    return content, kind.mime


def _row(
    owner_id: UUID,
    purpose: str,
    visibility: Visibility,
    sent: bytes,
    content_type: str,
    picture: Picture | None,
    now: datetime,
) -> StoredFile:
    extension = EXTENSIONS[content_type] if visibility == Visibility.PUBLIC else "sealed"
    return StoredFile(
        id=uuid7(),
        created_at=now,
        owner_id=owner_id,
        purpose=purpose,
        visibility=visibility,
        content_type=content_type,
        size=len(picture.content if picture else sent),
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        fingerprint=fingerprint(sent, "file"),
        storage_name=f"{now:%Y/%m/%d}/{secrets.token_hex(16)}.{extension}",
    )
