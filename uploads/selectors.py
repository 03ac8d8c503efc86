from django.core.files.storage import default_storage


def media_url(storage_name: str) -> str:
    """The lasting public address of a picture by its `storage_name`; empty for an empty name. Does not query."""
    return default_storage.url(storage_name) if storage_name else ""
