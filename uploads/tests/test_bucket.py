"""A real S3 server (moto's, on this machine): pictures with their sizes, private files, videos, moves and orphans."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.core.files.storage import storages
from django.test import Client
from moto.server import ThreadedMotoServer
from pytest_django.fixtures import Settings

from core import clock
from core.jobs.runner import run
from core.testing import drain_outbox
from uploads import stores
from uploads.jobs import DELETE_ORPHANS
from uploads.models import StoredFile, Visibility
from uploads.outputs import MediaCard
from uploads.services import delete_file, publish_file, read_file, seal_file, store_document, store_image, store_video
from uploads.testing import PDF, kept, paper, picture, video
from vectragrow.settings.storage import storages as storages_of

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"{host}:{port}"
    moto.stop()


@pytest.fixture(params=["", "&public_host=cdn.example"], ids=["without a CDN", "with a CDN"])
def bucket(server: str, settings: Settings, request: Any) -> Any:
    name = f"files-{uuid4().hex[:8]}"
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    made = boto3.resource("s3", endpoint_url=f"http://{server}", **keys).create_bucket(Bucket=name)
    url = f"s3://key:secret@{server}/{name}?region=us-east-1{request.param}"
    settings.STORAGES = storages_of(url, Path("/unused"), "http://testserver")
    return made


def keys_of(bucket: Any) -> set[str]:
    return {one.key for one in bucket.objects.all()}


def key_of(part: Any) -> str:
    return f"{'private' if part.is_sealed else 'public'}/{part.storage_name}"


def parts_of(stored: StoredFile) -> list[Any]:
    return [StoredFile.objects.get(pk=stored.pk), *stored.renditions.order_by("width")]


def stored_picture(visibility: Visibility = Visibility.PUBLIC) -> StoredFile:
    file = picture(size=(700, 400))
    stored = kept(store_image(file, owner_id=uuid4(), purpose="post", now=clock.now(), visibility=visibility))
    drain_outbox()
    return StoredFile.objects.with_renditions().get(pk=stored.pk)


def stored_video(visibility: Visibility) -> StoredFile:
    options: dict[str, Any] = {"longest": timedelta(seconds=60), "now": clock.now(), "visibility": visibility}
    stored = kept(store_video(video(sound="aac"), owner_id=uuid4(), purpose="post", **options))
    drain_outbox()
    return StoredFile.objects.with_renditions().get(pk=stored.pk)


@pytest.mark.parametrize("visibility", Visibility)
def test_a_picture_and_its_sizes_are_stored_served_moved_and_deleted(
    bucket: Any, client: Client, visibility: Visibility
) -> None:
    stored = stored_picture(visibility)
    assert keys_of(bucket) == {key_of(part) for part in parts_of(stored)} and len(keys_of(bucket)) == 3
    card = MediaCard.of(stored, clock.now())
    is_on_cdn = card.url.startswith("https://cdn.example/public/")
    assert is_on_cdn == (visibility == Visibility.PUBLIC and bool(storages["default"].custom_domain))  # type: ignore[attr-defined]
    for address in [] if is_on_cdn else [card.url, *(size.url for size in card.sizes)]:
        answer: Any = client.get(address)
        assert answer.status_code == 200 and len(b"".join(answer.streaming_content)) == int(answer["Content-Length"])
        part: Any = client.get(address, headers={"range": "bytes=10-19"})
        assert part.status_code == 206 and len(b"".join(part.streaming_content)) == 10
    content = read_file(stored)
    (publish_file if stored.is_private else seal_file)(stored, now=clock.now())
    drain_outbox()
    moved = StoredFile.objects.get(pk=stored.pk)
    assert moved.is_sealed != stored.is_sealed and read_file(moved) == content
    assert keys_of(bucket) == {key_of(part) for part in parts_of(stored)} and len(keys_of(bucket)) == 3
    delete_file(stored, now=clock.now())
    drain_outbox()
    assert keys_of(bucket) == set()
    with pytest.raises(FileNotFoundError):
        read_file(moved)


@pytest.mark.parametrize("visibility", Visibility)
def test_a_video_is_stored_rewritten_and_served_in_parts(bucket: Any, client: Client, visibility: Visibility) -> None:
    stored = stored_video(visibility)
    assert keys_of(bucket) == {key_of(part) for part in parts_of(stored)} and len(keys_of(bucket)) == 2
    assert read_file(stored)[4:8] == b"ftyp"
    assert b"".join(stores.read(stored, 4, 8)) == b"ftyp"
    for one in bucket.objects.filter(Prefix="private/"):
        assert b"ftyp" not in one.get()["Body"].read()
    for one in bucket.objects.filter(Prefix="public/"):
        assert one.get()["ContentType"] in ("video/mp4", "image/webp")


def test_papers_come_back_and_orphans_are_found(bucket: Any) -> None:
    now = clock.now()
    document = kept(store_document(paper(), owner_id=uuid4(), purpose="paper", now=now))
    assert read_file(document) == PDF and not any(b"%PDF" in one.get()["Body"].read() for one in bucket.objects.all())
    ours = stored_picture()
    kept_keys = keys_of(bucket)
    store_image(picture(size=(50, 50)), owner_id=uuid4(), purpose="post", now=now)
    store_video(video(), owner_id=uuid4(), purpose="post", now=now, longest=timedelta(seconds=60))
    assert len(keys_of(bucket)) == len(kept_keys) + 2
    assert run(DELETE_ORPHANS, now=now + timedelta(days=2)).done == 2
    assert keys_of(bucket) == kept_keys and read_file(ours)


def test_what_the_bucket_has_lost_is_404(bucket: Any, client: Client) -> None:
    stored = stored_picture(Visibility.PRIVATE)
    address = MediaCard.of(stored, clock.now()).url
    bucket.objects.all().delete()
    assert client.get(address).status_code == 404
