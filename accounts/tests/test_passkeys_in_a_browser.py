"""docs/passkeys.md in Chromium, with its virtual authenticator in place of a finger."""

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import LoginAttempt, Passkey, Session
from accounts.testing import PASSWORD, make_person, sign_in

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
PAGE = settings.BASE_DIR / "docs" / "passkeys.md"

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here: install it, or name it in CHROMIUM"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def site(live_server, settings):
    settings.PASSKEY_ORIGINS = [live_server.url]
    return live_server.url


@pytest.fixture
def lines():
    """The page's own script, as a client developer copies it."""
    [script] = re.findall(r"^```js\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return script


@pytest.fixture
def browser():
    """A page of Chromium with a finger on a virtual authenticator."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page()
        devices = page.context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        finger = {"isUserVerified": True, "automaticPresenceSimulation": True}
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": key | finger})
        yield page
        chromium.close()


@pytest.fixture
def run(browser, lines):
    """`run("addPasskey", token, "name")`: one of the page's functions; a failure answers with the error's name."""

    def call(act: str, *arguments: str):
        script = f"""async (given) => {{ {lines}
            try {{ return await {act}(...given) }} catch (error) {{ return error.name }} }}"""
        return browser.evaluate(script, list(arguments))

    return call


@pytest.fixture
def settled(django_db_blocker):
    """
    `settled(read)`: what `read` finds in the database. While Playwright's loop runs in a thread, Django takes the ORM
    there for a mistake, so it is asked from another.
    """

    def ask(read):
        def in_thread():
            try:
                return read()
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(in_thread).result()

    return ask


def test_the_pages_lines_register_sign_in_and_step_up(site, browser, run, settled):
    ada, token = settled(lambda: (person := make_person(first_name="Ada"), sign_in(person)))
    browser.goto(f"{site}/api/docs/errors")
    added = run("addPasskey", token, "Ada’s laptop")
    assert added["name"] == "Ada’s laptop" and len(added["recoveryCodes"]) == 10
    alone = run("logInWithPasskey")
    second = run("logIn", ada.email, PASSWORD)
    assert alone["user"]["email"] == second["user"]["email"] == ada.email
    assert run("stepUp", second["token"]) == {"message": "Confirmed"}
    again = run("addPasskey", alone["token"], "Again")
    assert again == "InvalidStateError", "the browser knows that it holds one already (excludeCredentials)"
    methods = settled(lambda: list(Session.objects.order_by("created_at").values_list("method", flat=True)))
    assert methods == ["password", "passkey", "password+passkey"]
    assert settled(lambda: Passkey.objects.get().sign_count) > 0


def test_staff_enter_the_admin_with_a_passkey(site, browser, run, settled, settings):
    settings.ADMIN_TWO_FACTOR_REQUIRED = True
    token = settled(lambda: sign_in(make_person(first_name="Ines", role="reviewer")))
    browser.goto(f"{site}/admin/")
    assert run("addPasskey", token, "Ines’s key")["recoveryCodes"]
    browser.get_by_role("button", name="Use a passkey").click()
    browser.get_by_text("Identity cases").first.wait_for()
    assert settled(lambda: LoginAttempt.objects.latest("created_at").method) == "admin"
