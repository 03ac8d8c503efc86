"""
Videos: judged and stored as they came, sealed; the worker rewrites them. Until then nobody can open them, since they
may say where they were taken.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any
from uuid import UUID

from core.api import limits
from core.api.limits import Limit
from core.crypto import envelopes
from core.data.ids import uuid7
from core.jobs.outbox import NotYet
from uploads import stores
from uploads.errors import BrokenFile, FileTooLarge, UnsupportedVideo
from uploads.models import Rendition, State, StoredFile, Visibility
from uploads.services.files import MEGABYTE, digest, new_row, store_image
from uploads.services.quota import check_quota
from uploads.services.renditions import finish, store_rendition
from uploads.videos import check_video, rewrite_video, video_type

VIDEOS_BURST = Limit("videos:burst", 10, timedelta(minutes=10))
VIDEOS_DAILY = Limit("videos:daily", 60, timedelta(days=1))
"""Per person."""
LARGEST_VIDEO = 100 * MEGABYTE
AT_ONCE = 1
"""Videos that a process rewrites at once."""

_rewriting = threading.BoundedSemaphore(AT_ONCE)


def is_video(file: Any) -> bool:
    """Whether a file is a video by its first bytes."""
    return video_type(file) is not None


def store_media(file: Any, *, longest: timedelta, **about: Any) -> StoredFile:
    """
    Keep a picture or a video, whichever a file is by its first bytes.

    :param longest: how long a video may be
    :param about: see `store_image`; refuses as it does, or as `store_video`
    """
    return store_video(file, longest=longest, **about) if is_video(file) else store_image(file, or_video=True, **about)


def store_video(
    file: Any,
    *,
    owner_id: UUID,
    purpose: str,
    now: datetime,
    longest: timedelta,
    field: str = "",
    visibility: Visibility = Visibility.PUBLIC,
    alt: str = "",
) -> StoredFile:
    """
    Keep a video for a `MediaCard`: MP4 or MOV with H.264 and AAC, WebM with VP8, VP9 or AV1 and Opus or Vorbis; sound
    is optional. The file is `processing` until the worker has rewritten it without metadata and made its poster.

    :param file: what Django's parser gave (`UploadedFile`); read in pieces
    :param longest: how long it may be; a second more is let pass
    :raises FileTooLarge: above 100 MB
    :raises VideoNotSupported: :raises UnsupportedVideo: :raises HevcNotSupported:
    :raises VideoTooLong: :raises TooManyVideoPixels: :raises BrokenFile:
    :raises RateLimited: the owner has sent too many videos
    :raises StorageQuotaExceeded: the owner has too many files
    """
    if file.size > LARGEST_VIDEO:
        raise FileTooLarge(field=field, most=LARGEST_VIDEO // MEGABYTE)
    if not file.size:
        raise BrokenFile(field=field)
    content_type = video_type(file)
    if content_type is None:
        raise UnsupportedVideo(field=field)
    limits.hit(VIDEOS_BURST, owner_id)
    limits.hit(VIDEOS_DAILY, owner_id)
    check_quota(owner_id, file.size)
    with _on_disk(file) as path:
        check_video(file, path, content_type, longest=longest, field=field)
    stored = new_row(
        owner_id=owner_id,
        purpose=purpose,
        visibility=visibility,
        content_type=content_type,
        size=file.size,
        print_of=digest(file),
        now=now,
    )
    stored.state, stored.alt = State.PROCESSING, alt
    stored.source = _store_source(stored, file, now)
    return stored


def process_video(stored: StoredFile, *, now: datetime) -> None:
    """
    Rewrite a video without metadata, make its poster, and have it count as ready. Safe to repeat: each try has names of
    its own in the store, and the last step is one transaction.

    :raises NotYet: another one is being rewritten
    :raises CannotRewrite: it does not decode
    """
    source = stored.renditions.get(kind=Rendition.Kind.SOURCE)
    with _turn(), TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "source").open("wb") as copy:
            copy.writelines(stores.read(source))
        made = rewrite_video(folder / "source", stored.content_type, folder)
        placed = stores.elsewhere(stored, is_sealed=stored.is_private, size=made.path.stat().st_size, now=now)
        with made.path.open("rb") as content:
            stores.save(placed, content)
    poster = store_rendition(stored, Rendition.Kind.POSTER, made.poster, now=now)
    finish(
        stored,
        [poster],
        storage_name=placed.storage_name,
        wrapped_key=placed.wrapped_key,
        size=placed.size,
        width=made.width,
        height=made.height,
        duration_ms=round(made.duration / timedelta(milliseconds=1)),
        moving_since=None,
    )


@contextmanager
def _turn() -> Iterator[None]:
    """:raises NotYet: another one is being rewritten"""
    if not _rewriting.acquire(blocking=False):
        raise NotYet("another video is being rewritten", timedelta(seconds=5), tried=False)
    try:
        yield
    finally:
        _rewriting.release()


def _store_source(stored: StoredFile, file: Any, now: datetime) -> Rendition:
    source = Rendition(
        id=uuid7(),
        created_at=now,
        file=stored,
        kind=Rendition.Kind.SOURCE,
        content_type=stored.content_type,
        size=file.size,
        storage_name=stores.new_name(stored.content_type, is_sealed=True, now=now),
    )
    source.wrapped_key = envelopes.new_key(source.sealed_as)
    stores.save(source, file)
    return source


@contextmanager
def _on_disk(file: Any) -> Iterator[str]:
    """The path of a file's bytes, for another process; a short one is only in memory until now."""
    if hasattr(file, "temporary_file_path"):
        yield file.temporary_file_path()
        return
    with NamedTemporaryFile() as copy:
        file.seek(0)
        copy.writelines(file.chunks())
        copy.flush()
        yield copy.name
