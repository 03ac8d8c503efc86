"""The local folder, the addresses that each STORAGE_URL means, and the bytes that no row points to."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from core.jobs.runner import run
from uploads.jobs import DELETE_ORPHANS
from uploads.models import StoredFile
from uploads.selectors import media_url
from uploads.services import read_file, store_document, store_image
from uploads.testing import kept, paper, picture
from vectragrow.settings.storage import storages as storages_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.STORAGES = storages_of(f"file:{tmp_path}", Path("unused"), "http://testserver")
    return tmp_path


def image(now: datetime) -> StoredFile:
    return kept(store_image(picture(size=(64, 64)), owner_id=uuid4(), purpose="test", now=now))


def test_files_lie_in_two_folders_and_private_ones_are_the_servers_alone(folder: Path) -> None:
    now = timezone.now()
    public, private = image(now), kept(store_document(paper(), owner_id=uuid4(), purpose="paper", now=now))
    assert (folder / "public" / public.storage_name).stat().st_mode & 0o777 == 0o644
    assert (folder / "private" / private.storage_name).stat().st_mode & 0o777 == 0o600
    assert read_file(private).startswith(b"%PDF")


def test_a_public_picture_is_served_with_harmless_headers(folder: Path, client: Client) -> None:
    stored = image(timezone.now())
    address = media_url(stored.storage_name)
    assert address == f"http://testserver/media/{stored.storage_name}"
    answer: Any = client.get(f"/media/{stored.storage_name}")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == read_file(stored)
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "immutable" in answer["Cache-Control"]
    assert "Set-Cookie" not in answer


@pytest.mark.parametrize("name", ["../../etc/passwd", "2026/01/01/" + "0" * 32 + ".jpg", "x.html", "%2e%2e/private"])
def test_no_other_path_is_served(folder: Path, client: Client, name: str) -> None:
    assert client.get(f"/media/{name}").status_code == 404


def test_sealed_files_are_not_under_media(folder: Path, client: Client) -> None:
    stored = kept(store_document(paper(), owner_id=uuid4(), purpose="paper", now=timezone.now()))
    assert client.get(f"/media/{stored.storage_name}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_bytes_of_a_rolled_back_transaction_are_deleted_and_others_kept(folder: Path) -> None:
    now = timezone.now()
    kept = image(now)
    with pytest.raises(RuntimeError), transaction.atomic():
        lost = image(now)
        raise RuntimeError
    path = folder / "public" / lost.storage_name
    assert path.exists()
    assert run(DELETE_ORPHANS, now=now + timedelta(hours=20)).done == 0  # an open transaction might still commit
    assert run(DELETE_ORPHANS, now=now + timedelta(days=2)).done == 1
    assert not path.exists()
    assert read_file(kept)
    assert run(DELETE_ORPHANS, now=now + timedelta(days=2)).done == 0


def test_addresses_of_stores() -> None:
    data, site = Path("/data"), "https://api.example"
    local = storages_of("", data, site)
    assert local["default"]["OPTIONS"]["location"] == Path("/data/media/public")
    s3 = storages_of("s3://key:sec%2Fret@s3.eu.example/papers?region=eu-1", data, site)
    options = s3["private"]["OPTIONS"]
    assert (options["bucket_name"], options["secret_key"], options["endpoint_url"]) == (
        "papers",
        "sec/ret",
        "https://s3.eu.example",
    )
    assert "custom_domain" in s3["default"]["OPTIONS"] and s3["default"]["OPTIONS"]["location"] == "public"
    cloud = storages_of("cloudinary://key:secret@cloud", data, site)
    assert cloud["private"]["OPTIONS"]["delivery_type"] == "authenticated"
    for wrong in ("s3://host/bucket", "s3://key:secret@host", "ftp://host", "cloudinary://cloud"):
        with pytest.raises(ImproperlyConfigured):
            storages_of(wrong, data, site)


def test_cloudinary_names_and_addresses(settings: Settings) -> None:
    settings.STORAGES = storages_of("cloudinary://key:secret@cloud", Path("/data"), "https://api.example")
    name = "2026/11/23/" + "a" * 32 + ".jpg"
    assert media_url(name).startswith("https://res.cloudinary.com/cloud/image/upload/")
    assert media_url(name).endswith("a" * 32 + ".jpg")
    assert "/raw/authenticated/s--" in storages["private"].url(name.replace("jpg", "sealed"))
