"""The public page of a profile and its link."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from accounts.models import Profile, User
from accounts.services import sharing
from core.testing import Api, together
from uploads.models import StoredFile
from uploads.testing import picture
from vectragrow.tests.test_pages import Inline

SHARE = "/api/profile/share"
PAGE = {"Accept": "text/html"}


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person(
        "ada", identity=True, bio="Builds <roofs>.\nAnd boats.", location="Łódź", website="https://ada.example/x"
    )


def page_of(api: Api, link: str) -> Any:
    return api.get(urlsplit(link).path, **PAGE)


def members(page: Any) -> dict[str, str]:
    return dict(re.findall(r'<meta property="([^"]+)" content="([^"]*)">', page.content.decode()))


def test_the_link_stays_until_it_is_rotated(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    link = me.get(SHARE).json()["link"]
    assert me.get(SHARE).json() == {"link": link}
    assert page_of(api, link).status_code == 200
    rotated = me.post(f"{SHARE}/rotate").json()["link"]
    assert rotated != link == link.replace(rotated, "")
    assert page_of(api, link).status_code == 404
    assert page_of(api, rotated).status_code == 200
    assert me.get(SHARE).json() == {"link": rotated}


def test_the_page_shows_the_profile_and_nothing_private(api: Api, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(phone_number="+12025550123")
    page = page_of(api, api.as_user(ada).get(SHARE).json()["link"])
    text = page.content.decode()
    for shown in ("Ada Example", "Łódź", "Builds &lt;roofs&gt;.", "https://ada.example/x", "Identity verified"):
        assert shown in text
    for private in (ada.email, "+12025550123", str(ada.pk)):
        assert private not in text
    assert not Inline(text).found
    assert 'rel="nofollow ugc noopener noreferrer"' in text
    assert "http://testserver" in page["Content-Security-Policy"], "where the pictures lie"
    assert "unsafe" not in page["Content-Security-Policy"] and "no-store" in page["Cache-Control"]


def test_the_preview_is_a_picture_that_follows_the_profile(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    link = me.get(SHARE).json()["link"]
    said = members(page_of(api, link))
    assert (said["og:title"], said["og:url"], said["og:type"]) == ("Ada Example on VECTRAGrow", link, "profile")
    shown = api.get(urlsplit(said["og:image"]).path)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert Image.open(BytesIO(b"".join(shown.streaming_content))).size == (1200, 630)
    assert members(page_of(api, link))["og:image"] == said["og:image"], "drawn once"
    me.upload("/api/profile/photo", {"photo": picture()})
    changed = members(page_of(api, link))["og:image"]
    assert changed != said["og:image"]
    assert api.get(urlsplit(said["og:image"]).path).status_code == 404
    me.post(f"{SHARE}/rotate")
    assert api.get(urlsplit(changed).path).status_code == 404


def test_looking_again_costs_two_queries(
    api: Api, ada: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    link = api.as_user(ada).get(SHARE).json()["link"]
    page_of(api, link)
    with django_assert_num_queries(2):  # the profile with its person, the photo
        page_of(api, link)


@pytest.mark.parametrize("change", [{"status": "suspended"}, {"status": "deleted"}, {"email_verified_at": None}])
def test_who_may_not_be_seen_has_no_page(api: Api, ada: User, change: dict[str, Any]) -> None:
    link = api.as_user(ada).get(SHARE).json()["link"]
    User.objects.filter(pk=ada.pk).update(**change)
    assert page_of(api, link).status_code == 404


@pytest.mark.parametrize("token", ["absent", "x" * 500, "None", "%00", "..%2F"])
def test_there_is_no_page_for_a_guess(api: Api, ada: User, token: str) -> None:
    assert api.get(f"/p/{token}", **PAGE).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_visitors_at_once_leave_one_picture(ada: User) -> None:
    token = sharing.share_link(person=ada).rpartition("/")[2]
    look = lambda: sharing.public_page(token=token, now=timezone.now()).preview  # noqa: E731
    first, second = together(look, look)
    assert first == second
    kept = StoredFile.objects.get(purpose="profile_preview", deleted_at__isnull=True)
    assert Profile.objects.get(pk=ada.pk).preview_id == kept.pk and default_storage.exists(kept.storage_name)
