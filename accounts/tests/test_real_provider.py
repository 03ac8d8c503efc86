"""Signing in through a real OpenID provider, which runs as a process of its own, over real HTTP and in a browser."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import ExternalIdentity, Session, User
from accounts.openid import calls
from accounts.openid.provider import forget
from core.testing import WAIT_LIMIT
from core.testing.browser import needs_browser, open_page
from core.testing.processes import free_port, program

ADA = {"email": "ada@example.com", "email_verified": True, "given_name": "Ada", "family_name": "Lovelace"}


@pytest.fixture(scope="module")
def provider_port() -> Iterator[int]:
    port = free_port()

    def knows_ada() -> bool:
        with suppress(httpx.HTTPError):
            return httpx.put(f"http://127.0.0.1:{port}/users/ada", json=ADA, timeout=WAIT_LIMIT).is_success
        return False

    with program("-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "1") as provider:
        provider.wait_for(knows_ada)
        yield port


@pytest.fixture
def site(
    live_server: LiveServer, provider_port: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Our own address. The provider's issuer follows its host's name, so that one process is two providers."""
    client = {"client_id": "our-client", "client_secret": "our-secret", "pkce": True}
    settings.OPENID_PROVIDERS = {
        "google": {"issuer": f"http://127.0.0.1:{provider_port}", **client},
        "linkedin": {"issuer": f"http://localhost:{provider_port}", **client},
    }
    settings.PUBLIC_URL = settings.FRONTEND_URL = live_server.url
    monkeypatch.setattr(calls, "TIMEOUT", (WAIT_LIMIT, WAIT_LIMIT))
    forget()
    yield live_server.url
    forget()


@pytest.mark.parametrize("platform", ["google", "linkedin"])
def test_the_whole_way_over_http(site: str, platform: str) -> None:
    with httpx.Client(follow_redirects=True, timeout=WAIT_LIMIT) as browser:
        consent = browser.get(f"{site}/api/auth/{platform}")
        assert consent.status_code == 200 and "Authorize" in consent.text
        landed = browser.post(consent.url, data={"sub": "ada"})
        assert landed.url.path == "/signed-in" and landed.status_code == 200
        code = landed.url.params["code"]
        tokens = browser.post(f"{site}/api/auth/oauth/exchange", json={"code": code})
        assert tokens.status_code == 200, tokens.text
        me = browser.get(f"{site}/api/auth/me", headers={"Authorization": f"Bearer {tokens.json()['token']}"}).json()
        assert (me["email"], me["firstName"], me["emailVerified"]) == ("ada@example.com", "Ada", True)
        assert browser.post(f"{site}/api/auth/oauth/exchange", json={"code": code}).status_code == 401
    identity = ExternalIdentity.objects.get()
    assert (identity.platform, identity.subject) == (platform, "ada") and Session.objects.get().method == platform


def test_denied_at_the_provider(site: str) -> None:
    with httpx.Client(follow_redirects=True, timeout=WAIT_LIMIT) as browser:
        consent = browser.get(f"{site}/api/auth/google")
        landed = browser.post(consent.url, data={"action": "deny"})
        assert dict(landed.url.params) == {"error": "oauth_denied"} and "not signed in" in landed.text


def test_two_providers_with_one_address_are_not_merged(site: str) -> None:
    def error_of(platform: str) -> Any:
        with httpx.Client(follow_redirects=True, timeout=WAIT_LIMIT) as browser:
            consent = browser.get(f"{site}/api/auth/{platform}")
            return browser.post(consent.url, data={"sub": "ada"}).url.params.get("error")

    assert error_of("google") is None
    assert error_of("linkedin") == "account_exists"
    assert User.objects.count() == 1


@needs_browser
def test_in_a_browser(site: str) -> None:
    with open_page() as page:
        page.goto(f"{site}/api/auth/google?redirect=/signed-in%3Ftab%3D7")
        page.get_by_placeholder("sub").fill("ada")
        page.get_by_role("button", name="Authorize").click()
        page.wait_for_url(f"{site}/signed-in?**")
        assert page.get_by_role("heading", name="Your provider knows you").is_visible()
        answer = page.evaluate(
            """async () => {
                const code = new URL(location).searchParams.get("code")
                const headers = {"Content-Type": "application/json"}
                const body = JSON.stringify({code})
                const answer = await fetch("/api/auth/oauth/exchange", {method: "POST", headers, body})
                return [answer.status, await answer.json()]
            }"""
        )
        query = parse_qs(urlsplit(page.url).query)
        cookies = page.context.cookies()
    assert answer[0] == 200 and answer[1]["user"]["email"] == "ada@example.com"
    assert query["tab"] == ["7"] and not [cookie for cookie in cookies if cookie["name"].startswith("vg_")]
    assert Session.objects.get().method == "google"
