"""In a real browser: charts draw what their tables say, and the dashboard renews itself without disturbing anybody."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session as CookieSession
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.testing import make_person
from analytics.models import PLATFORM, Activity, DayCount, Progress
from analytics.services import rollups
from campaigns.testing import make_campaign
from core.testing.browser import aside, enter_admin, needs_browser, open_page

pytestmark = [needs_browser, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]
DRAWN = "figure => figure.querySelector('[data-plot]').chart.data.map(line => [...line])"
TABLE = """figure => {
    const rows = [...figure.querySelectorAll("details tbody tr")]
    const lines = [...figure.querySelectorAll("details [data-line]")].map((head) => head.cellIndex)
    const number = (cell) => cell.querySelector("data") ? Number(cell.querySelector("data").value) : null
    return [
        rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000),
        ...lines.map((at) => rows.map((row) => number(row.cells[at]))),
    ]
}"""
RENEW = "dispatchEvent(new Event('online'))"


def make_counts() -> tuple[User, str]:
    """An admin, and the address of a campaign's page."""
    campaign = make_campaign(make_person(identity=True), min_investment=None)
    today = timezone.now().date()
    for age in range(60):
        day = today - timedelta(days=age)
        Activity.objects.create(day=day, daily=0, weekly=0, monthly=0, posts=0, messages=age * 7 % 11)
        for about in (PLATFORM, campaign.pk):
            DayCount.objects.create(day=day, name="campaign_view", about_id=about, events=age, people=age * 5 % 13)
    Progress.objects.create(pk=rollups.JOB, at=timezone.now())
    return make_person(role="admin"), f"/admin/campaigns/campaign/{campaign.pk}/figures/"


def charts_are_their_tables(page: Page) -> int:
    figures = page.locator("figure.chart").all()
    for figure in figures:
        drawn, said = figure.evaluate(DRAWN), figure.evaluate(TABLE)
        assert drawn == said and len(drawn) > 1 and len(drawn[0]) == 30
        width = figure.locator("canvas").evaluate("canvas => canvas.getBoundingClientRect().width")
        assert 0 < width <= figure.evaluate("figure => figure.clientWidth")
    return len(figures)


def test_charts_and_a_dashboard_that_renews_itself(live_server: LiveServer) -> None:
    with open_page(viewport={"width": 360, "height": 800}) as page:
        admin, campaign_page = aside(make_counts)
        enter_admin(page, live_server, admin)
        page.goto(live_server.url + campaign_page)
        assert charts_are_their_tables(page) == 1
        page.goto(live_server.url + "/admin/")
        assert charts_are_their_tables(page) == 5
        page.set_viewport_size({"width": 1440, "height": 500})
        page.wait_for_function("document.querySelector('canvas').getBoundingClientRect().width > 200")
        assert charts_are_their_tables(page) == 5
        assert page.refused == []

        messages = page.locator("section", has=page.locator("#tile-messages")).last
        messages.locator("summary").click()
        link = messages.get_by_role("link", name="Open conversations")
        link.focus()
        scrolled = page.evaluate("scrollY")
        aside(lambda: Activity.objects.filter(day=timezone.now().date()).update(messages=54_321))
        renew(page)
        expect(messages.locator(".number")).to_contain_text("54,")
        expect(link).to_be_focused()
        assert messages.locator("details").evaluate("details => details.open")
        assert (page.evaluate("scrollY"), scrolled > 0) == (scrolled, True)
        assert charts_are_their_tables(page) == 5

        notice = page.locator("[data-notice]")
        page.context.set_offline(True)
        page.evaluate(RENEW)
        expect(notice).to_contain_text("The connection is lost")
        page.context.set_offline(False)  # the browser tells the page, which renews
        expect(notice).to_be_hidden()

        aside(lambda: CookieSession.objects.all().delete())
        page.evaluate(RENEW)
        expect(notice).to_contain_text("You were signed out")
        notice.get_by_role("link", name="Sign in again").click()
        page.get_by_label("E-mail").wait_for()


def renew(page: Page) -> Any:
    with page.expect_response("**/admin/dashboard/") as answer:
        page.evaluate(RENEW)
    return answer.value
