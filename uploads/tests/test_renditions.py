"""Sizes and placeholders that the worker makes of pictures, and the cards that show them."""

import base64
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test import Client
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from core import clock
from core.api.errors import Overloaded
from core.jobs import outbox
from core.jobs.backoff import MAX_ATTEMPTS
from core.models import OutboxEvent
from core.testing import drain_outbox
from uploads import images, stores
from uploads.models import Rendition, State, StoredFile, Visibility
from uploads.outputs import MediaCard, media_cards
from uploads.services import delete_file, renditions, store_image
from uploads.services.renditions import process_again
from uploads.testing import kept, picture
from uploads.thumbhash import encode

pytestmark = pytest.mark.django_db


def stored_picture(size: tuple[int, int] = (1500, 1000), kind: str = "JPEG", **options: Any) -> StoredFile:
    file = picture(kind, size=size)
    return kept(store_image(file, owner_id=uuid4(), purpose="post", now=clock.now(), **options))


def card_of(stored: StoredFile) -> MediaCard:
    return MediaCard.of(StoredFile.objects.with_renditions().get(pk=stored.pk), clock.now())


def opened(address: str, client: Client) -> Image.Image:
    answer: Any = client.get(address)
    assert answer.status_code == 200
    return Image.open(BytesIO(b"".join(answer.streaming_content)))


@pytest.mark.parametrize("visibility", Visibility)
def test_a_picture_gets_smaller_sizes_and_a_placeholder(visibility: Visibility, client: Client) -> None:
    stored = stored_picture(visibility=visibility, alt="Two lamps")
    fresh = card_of(stored)
    assert (fresh.processing, fresh.sizes, fresh.placeholder, fresh.kind, fresh.alt) == (
        True,
        [],
        None,
        "image",
        "Two lamps",
    )
    assert opened(fresh.url, client).size == (1500, 1000)
    drain_outbox()
    ready = card_of(stored)
    assert not ready.processing and ready.url == fresh.url
    assert [(size.width, size.height) for size in ready.sizes] == [(320, 213), (640, 427), (1280, 853)]
    for size in ready.sizes:
        shown = opened(size.url, client)
        assert (shown.format, shown.size) == ("WEBP", (size.width, size.height))
    assert ready.placeholder and 20 <= len(base64.b64decode(ready.placeholder)) <= 30
    for rendition in Rendition.objects.filter(file=stored):
        with storages[stores.name_of_store(rendition)].open(rendition.storage_name) as handle:
            assert (b"WEBP" in handle.read(16)) == (visibility == Visibility.PUBLIC)


@pytest.mark.parametrize(
    "size, widths",
    [
        ((200, 90), []),
        ((320, 10), [320]),
        ((321, 20_000), []),
        ((640, 15_000), [320, 640]),
        ((20_000, 3), [320, 640, 1280, 1920]),
    ],
)
def test_no_size_is_larger_than_the_picture_or_the_format(size: tuple[int, int], widths: list[int]) -> None:
    stored = stored_picture(size, kind="PNG")
    drain_outbox()
    ready = card_of(stored)
    assert not ready.processing and ready.placeholder
    assert [size.width for size in ready.sizes] == widths


def test_working_twice_changes_nothing_and_leaves_no_bytes() -> None:
    stored = stored_picture()
    drain_outbox()
    day = f"{stored.created_at:%Y/%m/%d}"
    in_store = storages["default"].listdir(day)[1]
    before = set(stored.renditions.values_list("storage_name", flat=True))
    StoredFile.objects.filter(pk=stored.pk).update(state=State.PROCESSING)
    twin = StoredFile.objects.get(pk=stored.pk)
    renditions.finish(twin, [], placeholder="x")  # another worker was first
    renditions.process_image(twin, now=clock.now())
    drain_outbox()
    assert set(stored.renditions.values_list("storage_name", flat=True)) == before
    assert len(before) == 3 and sorted(storages["default"].listdir(day)[1]) == sorted(in_store)


def test_a_picture_that_cannot_be_worked_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(renditions, "sizes_of", broken)
    stored = stored_picture()
    event = OutboxEvent.objects.get(topic="uploads.process_file")
    moment = clock.now()
    for attempt in range(MAX_ATTEMPTS):
        assert card_of(stored).processing, attempt
        moment += timedelta(hours=1)
        assert not outbox.deliver(event.pk, now=moment)
    shown = card_of(stored)
    assert not shown.processing and not shown.failed and shown.sizes == []
    event.refresh_from_db()
    assert event.parked_at is not None
    monkeypatch.undo()
    assert [process_again(stored.pk, by=None, now=moment) for _ in range(2)] == [True, False]
    drain_outbox()
    assert len(card_of(stored).sizes) == 3


def test_a_worker_that_is_killed_each_time_does_not_keep_it_processing() -> None:
    stored = stored_picture()
    event = OutboxEvent.objects.get(topic="uploads.process_file")
    OutboxEvent.objects.filter(pk=event.pk).update(attempts=MAX_ATTEMPTS)
    assert outbox.deliver(event.pk, now=clock.now() + timedelta(hours=1))
    assert not card_of(stored).processing


def test_deleting_a_file_deletes_its_renditions_in_the_store() -> None:
    stored = stored_picture()
    drain_outbox()
    names = [*stored.renditions.values_list("storage_name", flat=True), stored.storage_name]
    assert len(names) == 4 and all(storages["default"].exists(name) for name in names)
    delete_file(stored, now=clock.now())
    drain_outbox()
    assert not any(storages["default"].exists(name) for name in names)
    assert not Rendition.objects.exists()


def test_what_is_deleted_while_it_is_worked_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = stored_picture()
    made: list[str] = []
    work = renditions.store_rendition

    def delete_first(*args: Any, **options: Any) -> Rendition:
        delete_file(stored, now=clock.now())
        rendition = work(*args, **options)
        made.append(rendition.storage_name)
        return rendition

    monkeypatch.setattr(renditions, "store_rendition", delete_first)
    drain_outbox()
    assert len(made) == 3 and not any(storages["default"].exists(name) for name in made)
    assert not Rendition.objects.exists()


def test_cards_of_a_statement_are_those_of_rows(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    files = [stored_picture(), stored_picture(visibility=Visibility.PRIVATE), stored_picture((50, 50), alt='A "b"')]
    drain_outbox()
    files.append(stored_picture())
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT json_agg(media ORDER BY file_id)::text FROM uploads_media WHERE file_id = ANY(%s)",
            [[file.pk for file in files]],
        )
        (rows,) = cursor.fetchone()
    with django_assert_num_queries(0):
        cards = media_cards(rows, now)
    with django_assert_num_queries(2):
        by_rows = [MediaCard.of(file, now) for file in StoredFile.objects.with_renditions().order_by("pk")]
    assert cards == by_rows
    assert [len(card.sizes) for card in cards] == [3, 3, 0, 0]
    assert media_cards(None, now) == []


def test_links_of_private_pictures_stay_the_same_for_a_while() -> None:
    stored = stored_picture(visibility=Visibility.PRIVATE)
    quarter = timezone.now().replace(minute=15, second=0, microsecond=0)

    def address(seconds: float) -> str:
        return MediaCard.of(stored, quarter + timedelta(seconds=seconds)).url

    assert address(0.1) == address(400) == address(899) != address(901)


def test_the_placeholder_is_a_thumbhash() -> None:
    """As the reference implementation (npm `thumbhash` 0.1.1) encodes them."""

    def pixels(width: int, height: int, alpha: Callable[[int], int]) -> bytes:
        return bytes(
            value
            for y in range(height)
            for x in range(width)
            for value in ((x * 7 + y * 3) % 256, (x * x) % 256, (x + y * 5) % 256, alpha(x))
        )

    def nibbles(encoded: bytes) -> list[int]:
        return [half for byte in encoded[6:] for half in (byte & 15, byte >> 4)]

    assert base64.b64encode(encode(32, 21, pixels(32, 21, lambda x: 255))) == b"WEkONYZQdol0eHiHh3eHh0B9B01k"
    expected = base64.b64decode("21iGGwY3g7CIeIh0T1cvenB3d4iHeHg=")
    transparent = encode(20, 32, pixels(20, 32, lambda x: x * 12))
    assert transparent[:6] == expected[:6]
    # What is nothing is between two steps, and rounded by the order of additions.
    pairs = zip(nibbles(transparent), nibbles(expected), strict=True)
    assert all(ours == theirs or {ours, theirs} == {7, 8} for ours, theirs in pairs)


def test_a_card_is_what_the_document_says() -> None:
    encoded = msgspec.json.decode(msgspec.json.encode(card_of(stored_picture())))
    assert set(encoded) >= {"id", "url", "type", "width", "height", "alt", "processing", "sizes", "durationSeconds"}


def test_the_work_waits_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many pictures at once are no failed try."""
    stored = stored_picture()
    event = OutboxEvent.objects.get(topic="uploads.process_file")
    with monkeypatch.context() as busy:
        busy.setattr(images, "on_picture_thread", _overloaded)
        assert not outbox.deliver(event.pk, now=clock.now())
    event.refresh_from_db()
    assert event.attempts == 0
    assert outbox.deliver(event.pk, now=clock.now() + timedelta(minutes=1))
    assert not card_of(stored).processing


def _overloaded(work: Any) -> None:
    raise Overloaded(retry_after=timedelta(seconds=5))
