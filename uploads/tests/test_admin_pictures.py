"""Pictures on pages of the admin, whatever the name it is opened under, and wherever they are kept."""

from typing import Any

import pytest
from django.core.files.storage import storages
from django.http import HttpResponse
from pytest_django.fixtures import Settings

from core import clock
from uploads.admin_pictures import let_load, pictures_here
from uploads.tests.test_holds import stored_picture

pytestmark = pytest.mark.django_db


def policy_of(answer: Any) -> Any:
    return getattr(answer, "_csp_update", None)


def test_files_of_this_server_are_opened_where_the_page_is(settings: Settings) -> None:
    settings.PUBLIC_URL = "http://testserver"
    (card,) = pictures_here([stored_picture()], clock.now())
    assert card.url.startswith("/media/")
    let_load(answer := HttpResponse(), [card])
    assert policy_of(answer) is None


def test_the_policy_lets_a_store_of_its_own_load(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = stored_picture()
    monkeypatch.setattr(storages["default"], "url", lambda name: f"https://cdn.example/{name}")
    (card,) = pictures_here([stored], clock.now())
    assert card.url == f"https://cdn.example/{stored.storage_name}"
    let_load(answer := HttpResponse(), [card])
    assert policy_of(answer) == {"img-src": ["https://cdn.example"]}
