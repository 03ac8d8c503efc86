"""Files that are held: their owner deletes them, and their bytes stay for whoever holds them."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import storages
from django.test import Client
from pytest_django.fixtures import Settings

from core import clock
from core.jobs.runner import run
from core.testing import drain_outbox
from uploads import stores
from uploads.errors import LinkNotValid
from uploads.jobs import DELETE_ORPHANS
from uploads.models import StorageUse, StoredFile, Visibility
from uploads.services import (
    delete_file,
    hold_files,
    make_link,
    open_held,
    open_link,
    read_file,
    release_files,
    store_image,
)
from uploads.testing import kept, picture
from vectragrow.settings.storage import storages as storages_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Any) -> Any:
    settings.STORAGES = storages_of(f"file:{tmp_path}", tmp_path, "http://testserver")
    return tmp_path


def stored_picture(visibility: Visibility = Visibility.PUBLIC) -> StoredFile:
    file = picture(size=(400, 300))
    return kept(store_image(file, owner_id=uuid4(), purpose="post", now=clock.now(), visibility=visibility))


def held(stored: StoredFile) -> bytes:
    return b"".join(stores.read(open_held(stored.pk).content))


def files_in(folder: Any, store: str) -> int:
    return sum(path.is_file() for path in (folder / store).rglob("*"))


@pytest.mark.parametrize("visibility", list(Visibility))
@pytest.mark.parametrize("is_processed", [True, False])
def test_a_held_file_outlives_its_deletion_sealed(
    client: Client, folder: Any, visibility: Visibility, is_processed: bool
) -> None:
    stored, case = stored_picture(visibility), uuid4()
    if is_processed:
        drain_outbox()
    address = storages["default"].url(stored.storage_name)
    content = read_file(stored)
    hold_files([stored.pk], holder_id=case, now=clock.now())
    delete_file(StoredFile.objects.get(pk=stored.pk), now=clock.now())
    with pytest.raises(LinkNotValid):
        open_link(make_link(stored.pk, viewer_id=None, now=clock.now()).token, viewer_id=None, now=clock.now())
    assert client.get(address).status_code == 404
    drain_outbox()
    assert held(stored) == content
    assert files_in(folder, "public") == 0
    assert StorageUse.objects.get(owner_id=stored.owner_id).used == 0
    run(DELETE_ORPHANS, now=clock.now() + timedelta(days=2))
    assert held(stored) == content
    release_files(case)
    release_files(case)
    drain_outbox()
    assert (files_in(folder, "private"), StoredFile.objects.get(pk=stored.pk).wrapped_key) == (0, None)
    with pytest.raises(LinkNotValid):
        open_held(stored.pk)


def test_the_last_of_several_holders_lets_go(folder: Any) -> None:
    stored, first, second = stored_picture(), uuid4(), uuid4()
    for holder in (first, second, first):
        hold_files([stored.pk], holder_id=holder, now=clock.now())
    delete_file(stored, now=clock.now())
    release_files(first)
    drain_outbox()
    assert held(stored)
    release_files(second)
    drain_outbox()
    assert files_in(folder, "private") + files_in(folder, "public") == 0


def test_what_is_not_deleted_stays_when_it_is_released() -> None:
    stored, case = stored_picture(), uuid4()
    hold_files([stored.pk], holder_id=case, now=clock.now())
    release_files(case)
    drain_outbox()
    assert storages["default"].exists(StoredFile.objects.get(pk=stored.pk).storage_name)


def test_what_is_deleted_cannot_be_held(folder: Any) -> None:
    stored = stored_picture()
    delete_file(stored, now=clock.now())
    hold_files([stored.pk, UUID(int=1)], holder_id=uuid4(), now=clock.now())
    drain_outbox()
    assert not stored.holds.exists() and files_in(folder, "public") == 0
