"""A real browser for tests of pages: Debian's chromium or Chrome, or what CHROMIUM names."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Locator, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from core.testing import WAIT_LIMIT

T = TypeVar("T")
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
AXE = Axe()
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no Chromium here: install it, or name it in CHROMIUM")


class WatchedPage(Page):
    refused: list[str]
    """What the content policy kept from running."""


@contextmanager
def open_page(**options: Any) -> Iterator[WatchedPage]:
    """
    A page of a fresh browser. `page.refused` collects what its content policy kept from running.

    While it is open Django takes the ORM in this thread for a mistake, since Playwright's loop runs here: `aside`.
    """
    with sync_playwright() as playwright:
        patience = WAIT_LIMIT * 1000
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=patience)
        try:
            page = cast(WatchedPage, chromium.new_page(**options))
            page.set_default_timeout(patience)
            page.refused = []
            page.on("console", lambda said: page.refused.append(said.text) if "Content Security" in said.text else None)
            yield page
        finally:
            chromium.close()


def aside(ask: Callable[[], T]) -> T:
    """What `ask` finds in the database, from a thread of its own."""

    def run() -> T:
        try:
            return ask()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result()


def enter_admin(page: Page, live_server: LiveServer, staff: Any) -> None:
    """Sign a staff member in to the admin on this page's browser."""

    def session() -> str:
        client = Client()
        client.force_login(staff)
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    name, site = settings.SESSION_COOKIE_NAME, f"{live_server.url}/admin/"
    page.context.add_cookies([{"name": name, "value": aside(session), "url": site}])


def violations(page: Page, rules: dict[str, Any]) -> list[dict[str, Any]]:
    """
    What axe finds wrong on the page. Only that is collected: the rest would be megabytes for each page.

    :param rules: axe's `runOnly`
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
    run = "async (options) => (await axe.run(document, options)).violations"
    found: list[dict[str, Any]] = page.evaluate(run, {"runOnly": rules, "resultTypes": ["violations"]})
    return found


def is_in_view(element: Locator) -> bool:
    """Whether all of it is on the screen without scrolling."""
    return bool(
        element.evaluate(
            """(element) => {
                const box = element.getBoundingClientRect()
                return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight
            }"""
        )
    )
