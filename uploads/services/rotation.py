from core.crypto.envelopes import rewrap, rewraps
from uploads.models import StoredFile


@rewraps("files")
def rewrap_files() -> int:
    """Only the wrapped keys change; the files stay as they are."""
    changed = 0
    for stored in StoredFile.objects.filter(wrapped_key__isnull=False).only("wrapped_key").iterator(chunk_size=500):
        before = bytes(stored.wrapped_key or b"")
        after = rewrap(before, stored.sealed_as)
        if after:
            # Compared with what was read: a file deleted meanwhile stays without a key.
            changed += StoredFile.objects.filter(pk=stored.pk, wrapped_key=before).update(wrapped_key=after)
    return changed
