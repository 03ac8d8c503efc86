"""Cloudinary's API, played by a small server of our own: what is sent to it, and what comes back."""

import json
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
from uploads.cloudinary_storage import CloudinaryUnavailable
from uploads.jobs import DELETE_ORPHANS
from uploads.services import delete_file, read_file, store_document, store_image
from uploads.testing import PDF, kept, paper, picture
from vectragrow.settings.storage import storages as storages_of

pytestmark = pytest.mark.django_db


class StandIn(BaseHTTPRequestHandler):
    """Keeps assets by (resource type, delivery type, public id); signatures must be there."""

    assets: dict[tuple[str, str, str], tuple[bytes, str]] = {}
    is_down = False

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
            self.assets[key] = (form["file"], form.get("format", b"").decode())
            self.answer({"public_id": key[2]})
        else:
            self.answer({"result": "ok" if self.assets.pop(key, None) else "not found"})

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        parts = url.path.split("/")
        if parts[-1] == "download":
            assert query["signature"] and query["expires_at"]
            asset = self.assets.get((parts[3], query["type"], query["public_id"]))
            return self.send(asset[0]) if asset else self.send(b"", 404)
        kind, delivery, prefix = parts[4], parts[5], query.get("prefix", "")
        found = [(key[2], asset[1]) for key, asset in self.assets.items() if key[:2] == (kind, delivery)]
        rows = [{"public_id": name, "format": form} for name, form in found if name.startswith(prefix)]
        return self.answer({"resources": rows})


@pytest.fixture
def cloud(settings: Settings) -> Iterator[type[StandIn]]:
    StandIn.assets, StandIn.is_down = {}, False
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
