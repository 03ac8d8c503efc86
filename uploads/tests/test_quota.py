"""The quota is exact, also for files that are kept at the same moment."""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings

from core import clock
from core.data import sql
from core.testing import drain_outbox, together
from uploads.errors import StorageQuotaExceeded
from uploads.models import StorageUse, StoredFile
from uploads.services import (
    delete_file,
    files,
    keep_files,
    quota,
    store_archive,
    store_document,
    store_drawing,
    store_image,
    store_private,
)
from uploads.testing import kept, paper, picture, picture_bytes

pytestmark = pytest.mark.django_db


def stored_by(owner: UUID, **options: Any) -> StoredFile:
    return store_image(picture(size=(60, 40), **options), owner_id=owner, purpose="post", now=clock.now())


def used_by_rows(owner: UUID) -> int:
    return sum(
        StoredFile.objects.filter(owner_id=owner, deleted_at=None, is_counted=True).values_list("size", flat=True)
    )


def test_what_is_kept_is_counted_and_what_is_deleted_is_not() -> None:
    owner, now = uuid4(), clock.now()
    one, two = kept(stored_by(owner)), kept(store_private(picture(), owner_id=owner, purpose="chat", now=now))
    assert quota.used_by(owner) == one.size + two.size == used_by_rows(owner)
    drain_outbox()
    assert quota.used_by(owner) == used_by_rows(owner), "sizes that we make are not its owner's"
    for _ in range(2):
        delete_file(one, now=now)
    assert quota.used_by(owner) == two.size
    assert quota.used_by(uuid4()) == 0


def test_papers_and_what_we_make_ourselves_are_not_counted() -> None:
    owner, now = uuid4(), clock.now()
    kept(store_document(paper(), owner_id=owner, purpose="identity_paper", now=now))
    kept(store_archive(BytesIO(b"PK"), owner_id=owner, purpose="data_export", now=now))
    kept(store_drawing(picture_bytes("PNG"), size=(1200, 800), owner_id=owner, purpose="preview", now=now))
    assert not StorageUse.objects.exists()


def test_too_much_is_refused_before_it_is_stored_and_again_when_it_is_kept(settings: Settings) -> None:
    owner, now = uuid4(), clock.now()
    one, two = stored_by(owner), stored_by(owner, seed=1)
    settings.STORAGE_QUOTA = one.size + two.size - 1
    keep_files([one])
    with pytest.raises(StorageQuotaExceeded) as refused, transaction.atomic():
        keep_files([two])
    assert (refused.value.status, refused.value.facts) == (409, {"used": one.size, "limit": settings.STORAGE_QUOTA})
    with pytest.raises(StorageQuotaExceeded):
        stored_by(owner, seed=1)
    delete_file(one, now=now)
    keep_files([two])
    assert quota.used_by(owner) == two.size
    settings.STORAGE_QUOTA = 10
    with pytest.raises(StorageQuotaExceeded):
        stored_by(uuid4())


def keep_at_once(take: Callable[[UUID, int], None], monkeypatch: pytest.MonkeyPatch, settings: Settings) -> int:
    """Eight requests keep a file each, of which five fit. Returns how many were kept."""
    owner = uuid4()
    stored = [stored_by(owner) for _ in range(8)]
    settings.STORAGE_QUOTA = 5 * stored[0].size
    monkeypatch.setattr(files, "take_quota", take)

    def keep(file: StoredFile) -> None:
        with transaction.atomic():
            keep_files([file])

    outcomes = together(*(partial(keep, file) for file in stored))
    assert all(outcome is None or isinstance(outcome, StorageQuotaExceeded) for outcome in outcomes)
    assert quota.used_by(owner) == used_by_rows(owner) == outcomes.count(None) * stored[0].size
    return outcomes.count(None)


@pytest.mark.django_db(transaction=True)
def test_files_kept_at_once_never_exceed_the_quota(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    assert keep_at_once(quota.take_quota, monkeypatch, settings) == 5


@pytest.mark.django_db(transaction=True)
def test_twin_that_looks_before_it_locks(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """The same without the lock: everybody looks first, and all of them fit."""
    everybody = Barrier(8)

    def look_then_count(owner: UUID, size: int) -> None:
        if quota.used_by(owner) + size > settings.STORAGE_QUOTA:
            raise StorageQuotaExceeded(used=0, limit=0)
        everybody.wait(60)
        sql.execute((quota._TAKE, [owner, size, 10**12]))

    assert keep_at_once(look_then_count, monkeypatch, settings) == 8
