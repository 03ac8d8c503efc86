"""docs/passkeys.md in Chromium, with its virtual authenticator in place of a finger."""

import os
import re
import shutil

import pytest
from django.conf import settings

from accounts.models import Passkey, Session, User
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


def test_the_pages_lines_register_sign_in_and_step_up(site, lines):
    from playwright.sync_api import sync_playwright

    ada = make_person(first_name="Ada")
    token = sign_in(ada)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page()
        devices = page.context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        key = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        devices.send(
            "WebAuthn.addVirtualAuthenticator",
            {"options": {**key, "isUserVerified": True, "automaticPresenceSimulation": True}},
        )
        page.goto(f"{site}/api/docs/errors")

        def run(act: str, *arguments: str):
            return page.evaluate(f"async (given) => {{ {lines}\nreturn await {act}(...given) }}", list(arguments))

        added = run("addPasskey", token, "Ada’s laptop")
        alone = run("logInWithPasskey")
        second = run("logIn", ada.email, PASSWORD)
        stepped_up = run("stepUp", second["token"])
        refused = page.evaluate(
            f"""async (given) => {{ {lines}
                try {{ return await addPasskey(...given) }} catch (error) {{ return error.name }} }}""",
            [alone["token"], "Again"],
        )
        chromium.close()
    assert added["name"] == "Ada’s laptop" and len(added["recoveryCodes"]) == 10
    assert alone["user"]["email"] == second["user"]["email"] == ada.email
    assert stepped_up == {"message": "Confirmed"}
    assert refused == "InvalidStateError", "the browser knows that it holds one already (excludeCredentials)"
    methods = Session.objects.order_by("created_at").values_list("method", flat=True)
    assert list(methods) == ["password", "passkey", "password+passkey"]
    assert Passkey.objects.get().sign_count > 0 and User.objects.get().two_factor_enabled
