from core.crypto.envelopes import rewrap, rewraps
from uploads.models import KeptBytes, Rendition, StoredFile


@rewraps("files")
def rewrap_files() -> int:
    """Only the wrapped keys change; the files stay as they are."""
    return sum(_rewrap(model) for model in (StoredFile, Rendition))


def _rewrap(model: type[KeptBytes]) -> int:
    changed, rows = 0, model._default_manager
    for kept in rows.filter(wrapped_key__isnull=False).only("wrapped_key").iterator(chunk_size=500):
        before = bytes(kept.wrapped_key or b"")
        after = rewrap(before, kept.sealed_as)
        if after:
            # Compared with what was read: a file deleted meanwhile stays without a key.
            changed += rows.filter(pk=kept.pk, wrapped_key=before).update(wrapped_key=after)
    return changed
