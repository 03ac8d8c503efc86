"""Files in the admin: their state and another try, for administrators; nothing in it opens one."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.models import Event
from core.testing import commits, drain_outbox
from uploads.models import State, StoredFile, Visibility
from uploads.services import store_image
from uploads.testing import kept, picture

pytestmark = pytest.mark.django_db
LIST = "/admin/uploads/storedfile/"


def browser_of(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def stored_picture(**columns: Any) -> StoredFile:
    file = picture(size=(700, 400))
    stored = kept(store_image(file, owner_id=uuid4(), purpose="post", now=clock.now(), visibility=Visibility.PRIVATE))
    drain_outbox()
    StoredFile.objects.filter(pk=stored.pk).update(**columns)
    return stored


def test_an_administrator_sees_states_and_has_failed_files_processed_again(person: Callable[..., User]) -> None:
    ines = person("ines", role="admin")
    failed, fine = stored_picture(state=State.FAILED), stored_picture()
    failed.renditions.all().delete()
    browser: Any = browser_of(ines)
    page = browser.get(LIST).content.decode()
    assert str(failed.pk) in page and "Failed" in page and "/files/" not in page
    form = {"action": "try_again", "_selected_action": [failed.pk, fine.pk]}
    with commits():
        assert "1 file will be processed again" in browser.post(LIST, form, follow=True).content.decode()
    drain_outbox()
    failed.refresh_from_db()
    assert failed.state == State.READY and failed.renditions.count() == 2
    [entry] = Event.objects.filter(kind="stored_file.retried")
    assert (entry.actor_id, entry.subject_id) == (ines.pk, failed.pk)
    assert "None of these has failed" in browser.post(LIST, form, follow=True).content.decode()
    shown = browser.get(f"{LIST}{fine.pk}/change/").content.decode()
    assert fine.storage_name in shown and "/files/" not in shown and 'name="_save"' not in shown
    assert browser.get("/admin/uploads/storageuse/").status_code == 200


@pytest.mark.parametrize("role", ["moderator", "reviewer"])
def test_other_staff_do_not(person: Callable[..., User], role: str) -> None:
    browser = browser_of(person("rob", role=role))
    for path in (LIST, f"{LIST}{stored_picture().pk}/change/", "/admin/uploads/storageuse/"):
        assert browser.get(path).status_code in (302, 403)
