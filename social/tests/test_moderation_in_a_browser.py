"""A day of a moderator in a real browser: twenty reports worked through, half of them by keys only."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.testing import make_person
from core import clock
from core.testing.browser import WatchedPage, aside, enter_admin, needs_browser, open_page
from social.models import Case, Decision
from social.testing import case_about, make_comment, make_post

pytestmark = [needs_browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def moderator() -> User:
    """Twenty things are reported."""
    author = make_person(first_name="Otto", created_at=clock.now() - timedelta(days=200))
    reporters = [make_person(first_name=f"Rumpelstiltskin{n}") for n in range(2)]
    post = make_post(author, "Solar roofs for the school")
    for number in range(20):
        words = f"Double your money, offer {number}"
        thing, kind = (
            (make_post(author, words), "post") if number % 2 else (make_comment(author, post, words), "comment")
        )
        case_about(thing, reporters[number % 2], kind, reason="fraud", details="Nobody can promise that.")
    return make_person(first_name="Mo", role="moderator")


@pytest.fixture
def page(moderator: User, live_server: LiveServer) -> Iterator[WatchedPage]:
    with open_page(viewport={"width": 1440, "height": 900}) as page:
        enter_admin(page, live_server, moderator)
        page.goto(f"{live_server.url}/admin/social/case/")
        yield page
        assert page.refused == []


def decided() -> dict[str, int]:
    counts: dict[str, int] = {}
    for action in Decision.objects.values_list("action", flat=True):
        counts[action] = counts.get(action, 0) + 1
    return counts


def test_twenty_reports_are_worked_through(page: WatchedPage) -> None:
    assert "Rumpelstiltskin" not in page.content()
    with page.expect_navigation():
        page.keyboard.press("n")
    for key in "hhwwfdhhwd":
        assert "Rumpelstiltskin" not in page.content()
        page.keyboard.press(key)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    with page.expect_navigation():  # the last one was a mistake
        page.keyboard.press("u")
    assert page.get_by_text("Undone").count()
    page.keyboard.press("w")
    with page.expect_navigation():
        page.keyboard.press("Enter")

    page.set_viewport_size({"width": 390, "height": 844})
    for number in range(10):
        page.get_by_label("Hide", exact=False).locator("visible=true").first.check()
        page.locator("select[name=rule]").select_option("spam")
        page.get_by_label("Words to the person").fill(f"Please stop, {number}.")
        with page.expect_navigation():
            page.get_by_role("button", name="Decide, then next case").click()
    assert page.get_by_text("Nothing here").count() == 1
    assert aside(lambda: Case.objects.filter(closed_at__isnull=True).count()) == 0
    counts = aside(decided)
    assert counts == {"hide": 14, "warn": 4, "freeze": 1, "dismiss": 2, "undo": 1}
