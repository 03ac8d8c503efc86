from functools import lru_cache

from django.core.files.storage import Storage, storages


def media_url(storage_name: str) -> str:
    """The lasting public address of a picture by its `storage_name`; empty for an empty name. Does not query."""
    return _address(storages["default"], storage_name) if storage_name else ""


@lru_cache(maxsize=50_000)
def _address(store: Storage, storage_name: str) -> str:
    """Of a store and a name: it never changes, and putting it together takes longer than the rest of a card."""
    return store.url(storage_name)
