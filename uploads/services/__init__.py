"""The interface for files: `store_…` before the transaction, `keep_files` in it."""

from uploads.services.files import (
    delete_file,
    describe_file,
    keep_files,
    read_file,
    store_archive,
    store_document,
    store_drawing,
    store_image,
    store_pdf,
    store_private,
    store_sizes,
)
from uploads.services.holds import hold_files, open_held, release_files
from uploads.services.links import make_link, open_link
from uploads.services.moves import publish_file, seal_file
from uploads.services.videos import is_video, store_media, store_video

__all__ = [
    "delete_file",
    "describe_file",
    "hold_files",
    "is_video",
    "keep_files",
    "make_link",
    "open_held",
    "open_link",
    "publish_file",
    "read_file",
    "release_files",
    "seal_file",
    "store_archive",
    "store_document",
    "store_drawing",
    "store_image",
    "store_media",
    "store_pdf",
    "store_private",
    "store_sizes",
    "store_video",
]
