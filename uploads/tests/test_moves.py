"""Files whose visibility changes: nobody opens what is private, and no byte is lost wherever the worker dies."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.test import Client
from pytest_django.fixtures import Settings

from core import clock
from core.jobs import outbox
from core.jobs.runner import run
from core.models import OutboxEvent
from core.testing import drain_outbox
from uploads import stores
from uploads.jobs import DELETE_ORPHANS
from uploads.models import KeptBytes, StoredFile, Visibility
from uploads.outputs import MediaCard
from uploads.selectors import media_url
from uploads.services import delete_file, moves, publish_file, read_file, seal_file, store_image
from uploads.testing import kept, picture
from vectragrow.settings.storage import storages as storages_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Any) -> Any:
    settings.STORAGES = storages_of(f"file:{tmp_path}", tmp_path, "http://testserver")
    return tmp_path


def stored_picture(visibility: Visibility = Visibility.PUBLIC) -> StoredFile:
    file = picture(size=(700, 400))
    stored = kept(store_image(file, owner_id=uuid4(), purpose="post", now=clock.now(), visibility=visibility))
    drain_outbox()
    return StoredFile.objects.get(pk=stored.pk)


def parts_of(stored: StoredFile) -> list[KeptBytes]:
    return [StoredFile.objects.get(pk=stored.pk), *stored.renditions.order_by("width")]


def addresses(stored: StoredFile) -> list[str]:
    card = MediaCard.of(StoredFile.objects.with_renditions().get(pk=stored.pk), clock.now())
    return [card.url, *(size.url for size in card.sizes)]


def contents(stored: StoredFile, client: Client) -> list[bytes]:
    answers: list[Any] = [client.get(address) for address in addresses(stored)]
    assert {answer.status_code for answer in answers} == {200}
    return [b"".join(answer.streaming_content) for answer in answers]


def in_stores(folder: Any) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_sealed_file_is_gone_from_its_address_at_once_and_from_the_store_soon(client: Client, folder: Any) -> None:
    stored = stored_picture()
    before, content = addresses(stored), contents(stored, client)
    assert len(before) == 3 and all("/media/" in address for address in before)
    seal_file(stored, now=clock.now())
    assert [client.get(address).status_code for address in before] == [404, 404, 404]
    assert all("/files/" in address for address in addresses(stored))
    assert contents(stored, client) == content, "its viewers see it all the time"
    drain_outbox()
    assert contents(stored, client) == content
    assert in_stores(folder) == {f"private/{part.storage_name}" for part in parts_of(stored)}
    for part in parts_of(stored):
        assert part.is_sealed and b"WEBP" not in (folder / "private" / part.storage_name).read_bytes()
    assert StoredFile.objects.get(pk=stored.pk).moving_since is None


def test_a_published_file_gets_a_new_lasting_address(client: Client, folder: Any) -> None:
    stored = stored_picture(Visibility.PRIVATE)
    content = contents(stored, client)
    publish_file(stored, now=clock.now())
    assert contents(stored, client) == content
    drain_outbox()
    assert addresses(stored) == [media_url(part.storage_name) for part in parts_of(stored)]
    assert contents(stored, client) == content
    assert in_stores(folder) == {f"public/{part.storage_name}" for part in parts_of(stored)}
    seal_file(stored, now=clock.now())
    publish_file(stored, now=clock.now())
    drain_outbox()
    assert contents(stored, client) == content and len(in_stores(folder)) == 3


def test_what_it_already_is_it_stays() -> None:
    public, private = stored_picture(), stored_picture(Visibility.PRIVATE)
    publish_file(public, now=clock.now())
    seal_file(private, now=clock.now())
    assert not OutboxEvent.objects.filter(topic="uploads.move_file").exists()


class Killed(BaseException):
    """The process ends here."""


STEPS = [(place, turn) for place in ("save", "_point_to", "delete_bytes") for turn in (1, 2, 3)] + [("_end", 1)]


def kill_at(place: str, turn: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The `turn`-th call of a step is the last thing that the process does, or the first that it does not do."""
    owner: Any = stores if place == "save" else moves
    original, calls = getattr(owner, place), iter(range(1, 100))

    def step(*args: Any, **options: Any) -> Any:
        made = original(*args, **options)
        if next(calls) == turn:
            raise Killed
        return made

    monkeypatch.setattr(owner, place, step)


@pytest.mark.parametrize("place, turn", STEPS)
@pytest.mark.django_db(transaction=True)
def test_no_byte_is_lost_wherever_the_worker_is_killed(
    place: str, turn: int, monkeypatch: pytest.MonkeyPatch, client: Client, folder: Any
) -> None:
    stored = stored_picture()
    content = contents(stored, client)
    seal_file(stored, now=clock.now())
    event = OutboxEvent.objects.get(topic="uploads.move_file")
    with monkeypatch.context() as once:
        kill_at(place, turn, once)
        with pytest.raises(Killed):
            outbox.deliver(event.pk, now=clock.now())
    assert contents(stored, client) == content
    assert outbox.deliver(event.pk, now=clock.now() + outbox.LEASE + timedelta(seconds=1))
    drain_outbox()
    assert contents(stored, client) == content
    run(DELETE_ORPHANS, now=clock.now() + timedelta(days=2))
    assert in_stores(folder) == {f"private/{part.storage_name}" for part in parts_of(stored)}


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is put into the list is done between the storing of the first part and the writing of its row."""
    todo: list[Any] = []
    save = stores.save

    def save_and_do(*args: Any) -> None:
        save(*args)
        while todo:
            todo.pop()()

    monkeypatch.setattr(stores, "save", save_and_do)
    yield todo
    assert not todo


def test_a_change_of_mind_while_it_moves_wins(meanwhile: list[Any], client: Client, folder: Any) -> None:
    stored = stored_picture()
    content = contents(stored, client)
    seal_file(stored, now=clock.now())
    meanwhile.append(lambda: publish_file(stored, now=clock.now()))
    drain_outbox()
    assert all("/media/" in address for address in addresses(stored)) and contents(stored, client) == content
    assert in_stores(folder) == {f"public/{part.storage_name}" for part in parts_of(stored)}
    assert StoredFile.objects.get(pk=stored.pk).moving_since is None


def test_a_file_deleted_while_it_moves_leaves_nothing(meanwhile: list[Any], folder: Any) -> None:
    stored = stored_picture()
    seal_file(stored, now=clock.now())
    meanwhile.append(lambda: delete_file(stored, now=clock.now()))
    drain_outbox()
    assert in_stores(folder) == set()


def test_two_workers_at_once_move_it_once(meanwhile: list[Any], client: Client, folder: Any) -> None:
    stored = stored_picture()
    content = contents(stored, client)
    seal_file(stored, now=clock.now())
    meanwhile.append(lambda: moves.move_file(stored.pk, now=clock.now()))
    moment = clock.now()
    for _ in range(3):
        moment += timedelta(hours=1)
        drain_outbox(now=moment)
    assert contents(stored, client) == content
    assert in_stores(folder) == {f"private/{part.storage_name}" for part in parts_of(stored)}


def test_a_stale_row_deletes_what_is_there_now(folder: Any) -> None:
    stale = stored_picture()
    seal_file(stale, now=clock.now())
    drain_outbox()
    delete_file(stale, now=clock.now())
    drain_outbox()
    assert in_stores(folder) == set()


def test_bytes_that_were_changed_in_the_store_are_not_published(folder: Any) -> None:
    stored = stored_picture(Visibility.PRIVATE)
    sealed = folder / "private" / stored.storage_name
    sealed.chmod(0o600)
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"x")
    publish_file(stored, now=clock.now())
    drain_outbox()
    assert StoredFile.objects.get(pk=stored.pk).is_sealed
    with pytest.raises(Exception, match="file:"):
        read_file(stored)
    assert not storages["default"].exists(stored.storage_name)
