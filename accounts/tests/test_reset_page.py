"""The reset page in a real browser: by keyboard, with its refusal, under its own content policy."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.services import mailed_tokens, passwords
from accounts.testing import make_person

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def walk_through(address: str) -> list[str]:
    """Types a common password, then a good one, then opens the link again; the heading after each, and complaints."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page()
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
        seen = []
        page.goto(address)
        for password in ("password123", "a fine long phrase"):
            page.get_by_label("New password").fill(password)
            with page.expect_navigation():
                page.keyboard.press("Enter")
            alerts = page.get_by_role("alert")
            seen.append(page.get_by_role("heading").inner_text() + (" !" if alerts.count() else ""))
        page.goto(address)
        seen.append(page.get_by_role("heading").inner_text())
        browser.close()
    return seen + refused


@pytest.mark.skipif(BROWSER is None, reason="needs a Chromium")
@pytest.mark.django_db(transaction=True)
def test_a_password_is_reset_in_the_browser(live_server):
    ada = make_person(first_name="Ada")
    with transaction.atomic():
        token = mailed_tokens.issue(
            user=ada, purpose=passwords.PURPOSE, lifetime=timedelta(minutes=30), now=timezone.now()
        )
    with ThreadPoolExecutor(1) as pool:  # Playwright's own loop would forbid the ORM in this thread
        seen = pool.submit(walk_through, f"{live_server.url}/reset-password?token={token}").result()
    assert seen == ["Choose a new password !", "Your password is set", "This link does not work any more"]
    ada.refresh_from_db()
    assert ada.check_password("a fine long phrase")
