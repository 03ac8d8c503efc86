"""Files that are held: their owner deletes them, and their bytes stay for whoever holds them."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import storages
from django.test import Client
from pytest_django.fixtures import Settings

from core import clock
from core.data.transactions import atomic
from core.jobs import outbox
from core.jobs.runner import run
from core.models import OutboxEvent
from core.testing import drain_outbox, together
from uploads import stores, videos
from uploads.errors import LinkNotValid
from uploads.jobs import DELETE_ORPHANS
from uploads.models import FileHold, StorageUse, StoredFile, Visibility
from uploads.services import (
    delete_file,
    files,
    hold_files,
    holds,
    make_link,
    open_held,
    open_link,
    read_file,
    release_files,
    store_image,
    store_video,
    videos as video_service,
)
from uploads.services.files import destroy_bytes
from uploads.services.renditions import process_again
from uploads.testing import kept, picture, video
from uploads.tests.test_moves import Killed, kill_at
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


def bytes_are_kept(stored: StoredFile) -> bool:
    """:raises AssertionError: somebody holds the file, and its bytes are gone; or they stay for nobody"""
    drain_outbox()
    is_held = FileHold.objects.filter(file=stored.pk).exists()
    try:
        assert held(stored)
    except (LinkNotValid, FileNotFoundError):
        assert not is_held, "the bytes of a held file are gone"
        return False
    assert is_held, "bytes stay for nobody"
    return True


@pytest.mark.django_db(transaction=True)
def test_holding_against_deleting() -> None:
    for _ in range(4):
        stored = stored_picture()
        hold = partial(hold_files, [stored.pk], holder_id=uuid4(), now=clock.now())
        delete = partial(delete_file, stored, now=clock.now())
        assert together(partial(in_a_transaction, hold), delete) == [None, None]
        bytes_are_kept(stored)


@pytest.mark.django_db(transaction=True)
def test_holding_against_deleting_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock one holds what is there, and the other destroys what nobody holds."""
    stored, meeting = stored_picture(), Barrier(2, timeout=60)

    def read_and_meet(rows: Any) -> list[StoredFile]:
        found = list(rows)
        meeting.wait()
        return found

    def meet_and_destroy(file: StoredFile) -> None:
        meeting.wait()
        destroy_bytes(file)

    monkeypatch.setattr(holds, "lock", read_and_meet)
    monkeypatch.setattr(files, "lock", lambda rows: rows)
    monkeypatch.setattr(files, "destroy_bytes", meet_and_destroy)
    hold = partial(hold_files, [stored.pk], holder_id=uuid4(), now=clock.now())
    assert together(partial(in_a_transaction, hold), partial(delete_file, stored, now=clock.now())) == [None, None]
    with pytest.raises(AssertionError, match="the bytes of a held file are gone"):
        bytes_are_kept(stored)


def in_a_transaction(call: Callable[[], None]) -> None:
    with atomic():
        call()


@pytest.mark.parametrize("place", ["save", "_point_to", "_end"])
@pytest.mark.django_db(transaction=True)
def test_a_held_file_outlives_a_worker_that_is_killed_while_it_seals_it(
    place: str, monkeypatch: pytest.MonkeyPatch, folder: Any
) -> None:
    stored = stored_picture()
    drain_outbox()
    content = read_file(stored)
    hold_files_now([stored])
    delete_file(StoredFile.objects.get(pk=stored.pk), now=clock.now())
    event = OutboxEvent.objects.get(topic="uploads.move_file")
    with monkeypatch.context() as once:
        kill_at(place, 1, once)
        with pytest.raises(Killed):
            outbox.deliver(event.pk, now=clock.now())
    assert held(stored) == content
    assert outbox.deliver(event.pk, now=clock.now() + outbox.LEASE + timedelta(seconds=1))
    drain_outbox()
    run(DELETE_ORPHANS, now=clock.now() + timedelta(days=2))
    assert held(stored) == content
    assert (files_in(folder, "public"), files_in(folder, "private")) == (0, 2)  # it, and its smaller size


def hold_files_now(stored: list[StoredFile]) -> UUID:
    holder = uuid4()
    in_a_transaction(partial(hold_files, [file.pk for file in stored], holder_id=holder, now=clock.now()))
    return holder


@pytest.mark.parametrize("is_held", [True, False])
@pytest.mark.parametrize("when", ["before", "while", "failed"])
def test_a_video_that_is_deleted_before_it_was_rewritten(
    when: str, is_held: bool, monkeypatch: pytest.MonkeyPatch, folder: Any
) -> None:
    stored = kept(
        store_video(video(), owner_id=uuid4(), purpose="post", now=clock.now(), longest=timedelta(seconds=60))
    )
    holder = hold_files_now([stored] if is_held else [])
    if when == "failed":
        with monkeypatch.context() as broken:
            broken.setattr(videos, "REWRITE_SECONDS", 0)
            drain_outbox()
    if when == "while":
        rewrite = videos.rewrite_video

        def meanwhile(*args: Any) -> Any:
            delete_file(stored, now=clock.now())
            return rewrite(*args)

        monkeypatch.setattr(video_service, "rewrite_video", meanwhile)
    else:
        delete_file(stored, now=clock.now())
    drain_outbox()
    assert process_again(stored.pk, by=None, now=clock.now()) is (when == "failed" and is_held)
    drain_outbox()
    assert files_in(folder, "public") == 0
    assert StorageUse.objects.get(owner_id=stored.owner_id).used == 0
    if is_held:
        assert held(stored)
    else:
        assert files_in(folder, "private") == 0
    release_files(holder)
    drain_outbox()
    assert files_in(folder, "private") == 0
