"""The review page in a real browser: a refusal is read where it happened, and nothing typed is lost."""

from collections.abc import Iterator
from typing import cast

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.testing import make_person
from core.testing.browser import WatchedPage, aside, enter_admin, is_in_view, needs_browser, open_page
from kyc.models import Verification
from kyc.testing import submitted_case

pytestmark = [needs_browser, pytest.mark.django_db(transaction=True)]
SIZES = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


class CasePage(WatchedPage):
    case: Verification


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, live_server: LiveServer) -> Iterator[CasePage]:
    reviewer = make_person(first_name="Rae", role="reviewer")
    case = submitted_case(make_person(first_name="Ada"))
    with open_page(viewport=SIZES[request.param]) as opened:
        page = cast(CasePage, opened)
        enter_admin(page, live_server, reviewer)
        page.goto(f"{live_server.url}/admin/kyc/verification/{case.pk}/change/")
        page.case = case
        yield page
        assert page.refused == []


def test_a_decision_without_a_message(page: CasePage) -> None:
    page.get_by_label("Reject", exact=False).locator("visible=true").last.check()
    page.get_by_label("Private notes").fill("The picture is of a screen.")
    with page.expect_navigation():
        page.get_by_role("button", name="Decide", exact=True).click()
    alert = page.get_by_role("alert")
    assert "Write the person a message" in alert.inner_text() and is_in_view(alert)
    assert alert.evaluate("element => element === document.activeElement"), "it is read aloud"
    assert page.get_by_label("Private notes").input_value() == "The picture is of a screen."
    page.get_by_label("Message to the person").fill("Please photograph the passport itself.")
    with page.expect_navigation():
        page.get_by_role("button", name="Decide", exact=True).click()
    aside(page.case.refresh_from_db)
    assert page.case.status == "rejected"


def test_a_rejected_paper_without_a_reason(page: CasePage) -> None:
    paper = page.locator("[data-paper]").last
    paper.get_by_text("Reject…").click()
    paper.get_by_label("Private note").fill("Thumb over the number")
    with page.expect_navigation():
        paper.get_by_role("button", name="Reject this paper").click()
    alert = paper.get_by_role("alert")
    assert "Choose a reason" in alert.inner_text() and is_in_view(alert)
    assert paper.get_by_label("Private note").input_value() == "Thumb over the number"
    paper.get_by_label("Reason").select_option("cropped")
    with page.expect_navigation():
        paper.get_by_role("button", name="Reject this paper").click()
    assert aside(lambda: page.case.documents.filter(status="rejected", notes="Thumb over the number").count()) == 1
