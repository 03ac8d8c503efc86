"""The pages that people arrive at from a mail or a chat, in a real browser and under their own content policy."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.services import mailed_tokens, passwords, sharing, verification
from accounts.testing import make_person
from core.testing.browser import WatchedPage, aside, needs_browser, open_page

pytestmark = [needs_browser, pytest.mark.django_db(transaction=True)]
PHONE = {"viewport": {"width": 375, "height": 740}, "is_mobile": True}


@pytest.fixture(params=[{}, PHONE], ids=["wide", "phone"])
def page(request: pytest.FixtureRequest) -> Iterator[WatchedPage]:
    with open_page(**request.param) as page:
        yield page
        assert page.refused == []


def heading(page: WatchedPage) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def overflows(page: WatchedPage) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def mailed(user: User, purpose: str) -> str:
    with transaction.atomic():
        return mailed_tokens.issue(user=user, purpose=purpose, lifetime=timedelta(minutes=30), now=timezone.now())


def test_an_address_is_confirmed(live_server: LiveServer, page: WatchedPage) -> None:
    ada = aside(lambda: make_person(first_name="Ada", verified=False))
    address = f"{live_server.url}/verify-email?token={aside(lambda: mailed(ada, verification.PURPOSE))}"
    page.goto(address)
    assert heading(page) == "Confirm your email address" and not overflows(page)
    aside(ada.refresh_from_db)
    assert not ada.email_verified, "scanners of mail open links too"
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.type") != "submit":
        page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert heading(page) == "Your address is confirmed"
    aside(ada.refresh_from_db)
    assert ada.email_verified
    page.goto(address)
    assert heading(page) == "Your address is confirmed", "opened once more, it says that all is well"


def test_a_password_is_reset(live_server: LiveServer, page: WatchedPage) -> None:
    ada = aside(lambda: make_person(first_name="Ada"))
    address = f"{live_server.url}/reset-password?token={aside(lambda: mailed(ada, passwords.PURPOSE))}"
    page.goto(address)
    for password, complaints, then in (
        ("password123", 1, "Choose a new password"),
        ("a fine long phrase", 0, "Your password is set"),
    ):
        page.get_by_label("New password").fill(password)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert (page.get_by_role("alert").count(), heading(page)) == (complaints, then) and not overflows(page)
    page.goto(address)
    assert heading(page) == "This link does not work any more"
    aside(ada.refresh_from_db)
    assert aside(lambda: ada.check_password("a fine long phrase"))


def test_a_shared_profile_and_its_preview(live_server: LiveServer, page: WatchedPage, settings: Settings) -> None:
    settings.PUBLIC_URL = live_server.url
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.InMemoryStorage",
            "OPTIONS": {"base_url": f"{live_server.url}/media/"},
        },
    }
    ada = aside(lambda: make_person(first_name="Ada", location="London", bio="Builds roofs."))
    page.goto(aside(lambda: sharing.share_link(person=ada)))
    assert heading(page) == "Ada Example" and not overflows(page)
    picture = page.locator("meta[property='og:image']").get_attribute("content")
    size = page.evaluate(
        """async (address) => {
            const picture = new Image()
            picture.src = address
            await picture.decode()
            return [picture.naturalWidth, picture.naturalHeight]
        }""",
        picture,
    )
    assert size == [1200, 630]
