"""Cloudinary's API, played by a small server of our own: what is sent to it, and what comes back."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django.fixtures import Settings

from core.jobs.runner import run
from core.testing import drain_outbox
from uploads import cloudinary_storage, stores
from uploads.cloudinary_storage import CloudinaryUnavailable
from uploads.jobs import DELETE_ORPHANS
from uploads.models import Visibility
from uploads.services import (
    delete_file,
    keep_files,
    publish_file,
    read_file,
    seal_file,
    store_document,
    store_image,
    store_video,
)
from uploads.testing import PDF, kept, paper, picture, video
from vectragrow.settings.storage import storages as storages_of

pytestmark = pytest.mark.django_db


class StandIn(BaseHTTPRequestHandler):
    """Keeps assets by (resource type, delivery type, public id); signatures must be there."""

    assets: dict[tuple[str, str, str], tuple[bytes, str]] = {}
    pieces: dict[str, bytes] = {}
    is_down = False
    knows_ranges = True

    def log_message(self, *args: Any) -> None:
        pass

    def answer(self, document: Any, status: int = 200) -> None:
        self.send(json.dumps(document).encode(), status)

    def send(self, body: bytes, status: int = 200) -> None:
        self.send_response(500 if self.is_down else status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def form(self) -> dict[str, Any]:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "multipart" not in self.headers["Content-Type"]:
            return {name: values[-1].encode() for name, values in parse_qs(body.decode()).items()}
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
        return {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True) for part in parts
        }

    def do_POST(self) -> None:
        _, _, cloud, kind, action = self.path.split("/")
        form = self.form()
        assert cloud == "cloud" and form["signature"] and form["api_key"] == b"key"
        key = (kind, form["type"].decode(), form["public_id"].decode())
        if action == "upload":
            self.keep(key, form)
            self.answer({"public_id": key[2]})
        else:
            self.answer({"result": "ok" if self.assets.pop(key, None) else "not found"})

    def keep(self, key: tuple[str, str, str], form: dict[str, Any]) -> None:
        """Large files arrive in pieces, each with its place in the whole."""
        start, _, total = re.findall(r"\d+", self.headers["Content-Range"])
        pieces = self.pieces.pop(self.headers["X-Unique-Upload-Id"], b"")
        assert len(pieces) == int(start)
        pieces += form["file"]
        if len(pieces) == int(total):
            assert key not in self.assets, "nothing is overwritten"
            self.assets[key] = (pieces, form.get("format", b"").decode())
        else:
            self.pieces[self.headers["X-Unique-Upload-Id"]] = pieces

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        parts = url.path.split("/")
        if parts[-1] == "download":
            assert query["signature"] and query["expires_at"]
            asset = self.assets.get((parts[3], query["type"], query["public_id"]))
            if asset is None:
                return self.send(b"", 404)
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if asked and self.knows_ranges:
                return self.send(asset[0][int(asked[1]) : int(asked[2]) + 1], 206)
            return self.send(asset[0])
        kind, delivery, prefix = parts[4], parts[5], query.get("prefix", "")
        found = [(key[2], asset[1]) for key, asset in self.assets.items() if key[:2] == (kind, delivery)]
        rows = [
            {"public_id": name, **({"format": form} if form else {})} for name, form in found if name.startswith(prefix)
        ]
        return self.answer({"resources": rows})


@pytest.fixture
def cloud(settings: Settings) -> Iterator[type[StandIn]]:
    StandIn.assets, StandIn.pieces, StandIn.is_down, StandIn.knows_ranges = {}, {}, False, True
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    prefix = f"http://127.0.0.1:{server.server_port}"
    settings.STORAGES = storages_of(
        f"cloudinary://key:secret@cloud?upload_prefix={prefix}", Path("/unused"), "http://x"
    )
    yield StandIn
    server.shutdown()
    server.server_close()


def test_public_pictures_and_sealed_papers_come_back(cloud: type[StandIn]) -> None:
    now = timezone.now()
    image = kept(store_image(picture(size=(90, 60)), owner_id=uuid4(), purpose="post", now=now))
    document = kept(store_document(paper(), owner_id=uuid4(), purpose="paper", now=now))
    assert {key[:2] for key in cloud.assets} == {("image", "upload"), ("raw", "authenticated")}
    assert not any(b"%PDF" in content for content, _ in cloud.assets.values())
    assert read_file(image).startswith(b"\xff\xd8\xff")
    assert read_file(document) == PDF
    delete_file(image, now=now)
    delete_file(document, now=now)
    drain_outbox()
    assert cloud.assets == {}
    with pytest.raises(FileNotFoundError):
        read_file(image)


def test_orphans_are_found_there_too(cloud: type[StandIn]) -> None:
    now = timezone.now()
    ours = kept(store_image(picture(size=(50, 50)), owner_id=uuid4(), purpose="post", now=now))
    store_image(picture(size=(50, 50)), owner_id=uuid4(), purpose="post", now=now)
    assert run(DELETE_ORPHANS, now=now + timedelta(days=2)).done == 1
    assert [f"{key[2]}.jpg" for key in cloud.assets] == [ours.storage_name]


def test_a_store_that_is_down_is_an_error_and_not_a_missing_file(cloud: type[StandIn]) -> None:
    document = kept(store_document(paper(), owner_id=uuid4(), purpose="paper", now=timezone.now()))
    cloud.is_down = True
    with pytest.raises(CloudinaryUnavailable):
        storages["private"].open(document.storage_name)


@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize("knows_ranges", [True, False])
def test_pictures_and_videos_with_their_renditions_are_moved_and_deleted(
    cloud: type[StandIn], monkeypatch: pytest.MonkeyPatch, visibility: Visibility, knows_ranges: bool
) -> None:
    monkeypatch.setattr(cloudinary_storage, "PIECE", 1500)  # so that even these are sent in pieces
    cloud.knows_ranges = knows_ranges
    owner, now = uuid4(), timezone.now()
    image = store_image(picture(size=(700, 400)), owner_id=owner, purpose="post", now=now, visibility=visibility)
    clip = store_video(
        video(sound="aac"), owner_id=owner, purpose="post", now=now, longest=timedelta(60), visibility=visibility
    )
    keep_files([image, clip])
    drain_outbox()
    contents = {}
    for stored in (image, clip):
        stored.refresh_from_db()
        contents[stored.pk] = read_file(stored)
        assert b"".join(stores.read(stored, 100, 200)) == contents[stored.pk][100:200]
    private, public = {("raw", "authenticated")}, {("image", "upload"), ("video", "upload")}
    before, after = (private, public) if visibility == Visibility.PRIVATE else (public, private)
    assert {key[:2] for key in cloud.assets} == before and len(cloud.assets) == 5
    for stored in (image, clip):
        (publish_file if stored.is_private else seal_file)(stored, now=now)
    drain_outbox()
    assert {key[:2] for key in cloud.assets} == after and len(cloud.assets) == 5
    assert run(DELETE_ORPHANS, now=now + timedelta(days=2)).due == 0
    for stored in (image, clip):
        stored.refresh_from_db()
        assert read_file(stored) == contents[stored.pk]
        delete_file(stored, now=now)
    drain_outbox()
    assert cloud.assets == {}
