"""docs/passkeys.md in Chromium, with its virtual authenticator in place of a finger."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import LoginAttempt, Passkey, Session
from accounts.testing import PASSWORD, make_person, sign_in
from core.testing.browser import WatchedPage, aside, needs_browser, open_page

PAGE = settings.BASE_DIR / "docs" / "passkeys.md"

pytestmark = [needs_browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(live_server: LiveServer, settings: Settings) -> str:
    settings.PASSKEY_ORIGINS = [live_server.url]
    return live_server.url


@pytest.fixture
def lines() -> str:
    """The page's own script, as a client developer copies it."""
    [script] = re.findall(r"^```js\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return script


@pytest.fixture
def browser() -> Iterator[WatchedPage]:
    """A page of Chromium with a finger on a virtual authenticator."""
    with open_page() as page:
        devices = page.context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        finger = {"isUserVerified": True, "automaticPresenceSimulation": True}
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": key | finger})
        yield page
        assert page.refused == []


@pytest.fixture
def run(browser: WatchedPage, lines: str) -> Callable[..., Any]:
    """`run("addPasskey", token, "name")`: one of the page's functions; a failure answers with the error's name."""

    def call(act: str, *arguments: str) -> Any:
        script = f"""async (given) => {{ {lines}
            try {{ return await {act}(...given) }} catch (error) {{ return error.name }} }}"""
        return browser.evaluate(script, list(arguments))

    return call


def test_the_pages_lines_register_sign_in_and_step_up(site: str, browser: WatchedPage, run: Callable[..., Any]) -> None:
    ada, token = aside(lambda: (person := make_person(first_name="Ada"), sign_in(person)))
    browser.goto(f"{site}/api/docs/errors")
    added = run("addPasskey", token, "Ada’s laptop")
    assert added["name"] == "Ada’s laptop" and len(added["recoveryCodes"]) == 10
    alone = run("logInWithPasskey")
    second = run("logIn", ada.email, PASSWORD)
    assert alone["user"]["email"] == second["user"]["email"] == ada.email
    assert run("stepUp", second["token"]) == {"message": "Confirmed"}
    again = run("addPasskey", alone["token"], "Again")
    assert again == "InvalidStateError", "the browser knows that it holds one already (excludeCredentials)"
    methods = aside(lambda: list(Session.objects.order_by("created_at").values_list("method", flat=True)))
    assert methods == ["password", "passkey", "password+passkey"]
    assert aside(lambda: Passkey.objects.get().sign_count) > 0


def test_staff_enter_the_admin_with_a_passkey(
    site: str, browser: WatchedPage, run: Callable[..., Any], settings: Settings
) -> None:
    token = aside(lambda: sign_in(make_person(first_name="Ines", role="reviewer")))
    browser.goto(f"{site}/admin/")
    assert run("addPasskey", token, "Ines’s key")["recoveryCodes"]
    settings.ADMIN_TWO_FACTOR_REQUIRED = True
    browser.get_by_role("button", name="Use a passkey").click()
    browser.get_by_text("Identity cases").first.wait_for()
    assert aside(lambda: LoginAttempt.objects.latest("created_at").method) == "admin"
