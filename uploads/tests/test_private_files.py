"""Sealed files: unreadable in the store and in the database, opened by their viewer's link and nobody else's."""

import base64
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django.fixtures import Settings

from core.api.errors import Unauthenticated
from core.crypto.aes import CannotOpen
from core.crypto.envelopes import rewrap
from core.testing import drain_outbox
from uploads import stores
from uploads.errors import LinkNotValid
from uploads.models import StoredFile, Visibility
from uploads.services import (
    delete_file,
    make_link,
    open_link,
    read_file,
    store_document,
    store_image,
    store_private,
)
from uploads.services.rotation import rewrap_files
from uploads.testing import PDF, kept, paper, picture

pytestmark = pytest.mark.django_db
MARK = b"MARKER-IN-A-PAPER"
NOW = timezone.now()


def stored_paper() -> StoredFile:
    return kept(store_document(paper(PDF.replace(b"/Catalog", MARK)), owner_id=uuid4(), purpose="paper", now=NOW))


def in_store(stored: StoredFile) -> Any:
    with storages["private"].open(stored.storage_name) as handle:
        return handle.read()


def test_store_and_table_hold_no_plaintext() -> None:
    stored = stored_paper()
    assert MARK in read_file(stored)
    row = StoredFile.objects.filter(pk=stored.pk).values_list().get()
    for content in (in_store(stored), *(bytes(value) for value in row if isinstance(value, bytes | memoryview))):
        assert MARK not in content
        assert b"%PDF" not in content


def test_each_file_has_its_own_key_and_place() -> None:
    """The same paper twice looks different, and bytes or keys moved to another row do not open."""
    one, two = stored_paper(), stored_paper()
    assert in_store(one) != in_store(two) and one.wrapped_key != two.wrapped_key
    assert one.fingerprint == two.fingerprint
    two.storage_name = one.storage_name
    with pytest.raises(CannotOpen):
        read_file(two)
    two.wrapped_key = one.wrapped_key
    with pytest.raises(CannotOpen):
        read_file(two)


def test_a_new_key_in_front_opens_old_files_and_rewrapping_lets_the_old_key_go(settings: Settings) -> None:
    stored = stored_paper()
    old, new = settings.DOCUMENT_KEYS[0], base64.b64encode(b"n" * 32).decode()
    settings.DOCUMENT_KEYS = [new, old]
    assert MARK in read_file(stored)
    assert stored.wrapped_key is not None
    stored.wrapped_key = rewrap(bytes(stored.wrapped_key), stored.sealed_as)
    settings.DOCUMENT_KEYS = [new]
    assert MARK in read_file(stored)
    settings.DOCUMENT_KEYS = [old]
    with pytest.raises(CannotOpen):
        read_file(stored)


def test_a_link_opens_for_its_viewer_for_a_minute() -> None:
    stored, viewer = stored_paper(), uuid4()
    link = make_link(stored.pk, viewer_id=viewer, now=NOW)
    assert link.expires_at - NOW <= timedelta(seconds=60)

    def attempt(token: str = link.token, viewer_id: UUID | None = viewer, now: datetime = NOW) -> bytes:
        return b"".join(stores.read(open_link(token, viewer_id=viewer_id, now=now).content))

    assert MARK in attempt()
    assert MARK in attempt(now=NOW + timedelta(seconds=58))
    for wrong in (
        {"now": NOW + timedelta(seconds=61)},
        {"viewer_id": uuid4()},
        {"token": link.token[:-1] + ("A" if link.token[-1] != "A" else "B")},
        {"token": "x"},
    ):
        with pytest.raises(LinkNotValid):
            attempt(**wrong)
    with pytest.raises(Unauthenticated):
        attempt(viewer_id=None)


def test_an_unbound_link_opens_for_its_holder() -> None:
    stored = kept(store_private(picture(size=(50, 50)), owner_id=uuid4(), purpose="chat", now=NOW))
    link = make_link(stored.pk, viewer_id=None, now=NOW, lifetime=timedelta(minutes=10))
    assert open_link(link.token, viewer_id=None, now=NOW).file == stored


def test_deleting_destroys_key_and_bytes() -> None:
    stored = stored_paper()
    link = make_link(stored.pk, viewer_id=None, now=NOW)
    delete_file(stored, now=NOW)
    delete_file(stored, now=NOW + timedelta(days=1))
    drain_outbox()
    assert not storages["private"].exists(stored.storage_name)
    row = StoredFile.objects.get(pk=stored.pk)
    assert (row.deleted_at, row.wrapped_key) == (NOW, None)
    with pytest.raises(LinkNotValid):
        open_link(link.token, viewer_id=None, now=NOW)


def test_keys_of_renditions_are_rewrapped_with_those_of_files(settings: Settings) -> None:
    stored = kept(
        store_image(picture(size=(700, 400)), owner_id=uuid4(), purpose="post", now=NOW, visibility=Visibility.PRIVATE)
    )
    drain_outbox()
    settings.DOCUMENT_KEYS = [base64.b64encode(b"n" * 32).decode(), settings.DOCUMENT_KEYS[0]]
    assert (rewrap_files(), rewrap_files()) == (3, 0)
    settings.DOCUMENT_KEYS = settings.DOCUMENT_KEYS[:1]
    for part in (StoredFile.objects.get(pk=stored.pk), *stored.renditions.all()):
        assert b"".join(stores.read(part))
