"""The one door for files: `store_image` for public pictures, `store_private` and `store_document` for sealed ones."""

from uploads.services.files import (
    delete_file,
    read_file,
    store_archive,
    store_document,
    store_image,
    store_private,
    store_sizes,
)
from uploads.services.links import make_link, open_link

__all__ = [
    "delete_file",
    "make_link",
    "open_link",
    "read_file",
    "store_archive",
    "store_document",
    "store_image",
    "store_private",
    "store_sizes",
]
