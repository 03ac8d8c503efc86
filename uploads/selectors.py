from functools import lru_cache
from urllib.parse import urlsplit

from django.core.files.storage import Storage, storages

from uploads.models import KeptBytes, Rendition, StoredFile, Visibility


def media_url(storage_name: str) -> str:
    """The lasting address of public bytes by their `storage_name`; empty for an empty name. Does not query."""
    return _address(storages["default"], storage_name) if storage_name else ""


@lru_cache(maxsize=50_000)
def _address(store: Storage, storage_name: str) -> str:
    """Of a store and a name: it never changes, and putting it together takes longer than the rest of a card."""
    return store.url(storage_name)


def public_bytes(storage_name: str) -> KeptBytes | None:
    """What everybody may open under this name: a public file that is not deleted, or a rendition of one."""
    public = {"visibility": Visibility.PUBLIC, "deleted_at": None}
    stored = StoredFile.objects.filter(storage_name=storage_name, wrapped_key=None, **public).first()
    if stored is not None:
        return stored
    of_public = {f"file__{name}": value for name, value in public.items()}
    return Rendition.objects.shown().filter(storage_name=storage_name, wrapped_key=None, **of_public).first()


def media_origins() -> list[str]:
    """Where pictures and videos are shown from, for the content policy of a page that shows them."""
    parts = urlsplit(storages["default"].url("x"))
    return [f"{parts.scheme}://{parts.netloc}"]
