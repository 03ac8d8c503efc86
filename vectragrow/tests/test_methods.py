"""Every address against every method: what it does not declare is 405 with a true `Allow`, whoever asks."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import get_resolver

from accounts.models import User
from core.api.methods import declared_by
from core.testing import Api

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "MADE-UP")
VERBS = {method.lower() for method in METHODS}
EXAMPLES = {"uuid": "0192f0c1-2345-7abc-8def-0123456789ab", "slug": "sandbox", "str": "x", "int": "1", "path": "x"}
BY_HAND = {
    r"^p/(?P<token>[A-Za-z0-9_-]{22})$": "p/" + "a" * 22,
    r"^(?P<place>admin|mailbox)$": "admin",
    r"^media/(?P<name>\d{4}/\d\d/\d\d/[0-9a-f]{32}\.(?:jpg|png|webp|mp4|webm))$": f"media/2026/01/01/{'0' * 32}.jpg",
    r"^(?P<url>.*)$": "nothing-here",
}


def addresses(patterns: Any = None, prefix: str = "/") -> Iterator[tuple[str, Any]]:
    """(path, view) of everything that is mounted."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        text = str(entry.pattern)
        if text in BY_HAND:
            text = BY_HAND[text]
        elif text.startswith("^"):
            text = re.sub(r"\(\?P<[^>]*>[^)]*\)", "1", text).strip("^$")
        text = re.sub(r"<(?:(\w+):)?\w+>", lambda found: EXAMPLES[found[1] or "str"], text)
        if hasattr(entry, "url_patterns"):
            yield from addresses(entry.url_patterns, prefix + text)
        else:
            yield prefix + text, entry.callback


ADDRESSES = list(addresses())


def test_there_are_addresses_of_every_kind() -> None:
    paths = [path for path, _ in ADDRESSES]
    for known in (
        "/healthz",
        "/readyz",
        "/api/schema",
        "/api/auth/login",
        "/mailbox/",
        "/admin/login/",
        "/verify-email",
    ):
        assert known in paths


@pytest.mark.parametrize("signed_in", [False, True])
def test_every_other_method_is_405_with_what_is_allowed(api: Api, person: Callable[..., User], signed_in: bool) -> None:
    client = api.as_user(person("ada", identity=True)).client if signed_in else Api().client
    for path, view in ADDRESSES:
        for method in METHODS:
            if method in declared_by(view) and method != "OPTIONS":
                continue
            answer = client.generic(method, path)
            allowed = set(answer["Allow"].split(", "))
            assert allowed == declared_by(view), (method, path)
            if method == "OPTIONS":
                assert (answer.status_code, answer.content) == (204, b""), path
            else:
                assert answer.status_code == 405, (method, path)
                assert method == "HEAD" or answer.json()["code"] == "method_not_allowed", (method, path)
                assert answer["Content-Type"] == "application/problem+json"


def test_what_is_allowed_is_answered(api: Api, person: Callable[..., User]) -> None:
    client = api.as_user(person("ada")).client
    for path, view in ADDRESSES:
        if path.startswith("/api") or not hasattr(view, "actions"):
            for method in declared_by(view):
                assert client.generic(method, path).status_code not in (405, 500), (method, path)


def test_no_action_has_the_name_of_a_method() -> None:
    """DRF looks a handler up by the method's name: an action called `delete` would answer DELETE everywhere."""
    for path, view in ADDRESSES:
        for action in getattr(view, "actions", {}).values():
            assert action not in VERBS, path
        if hasattr(view, "actions"):
            assert not {verb for verb in VERBS - {"options"} if hasattr(view.cls, verb)}, path


def test_a_method_of_another_address_of_the_same_view_does_nothing(api: Api, person: Callable[..., User]) -> None:
    from campaigns.models import Campaign
    from campaigns.testing import make_campaign

    founder = person("founder", identity=True)
    campaign = make_campaign(founder)
    refused = api.as_user(founder).delete(f"/api/campaigns/{campaign.pk}/submit")
    assert (refused.status_code, refused["Allow"]) == (405, "OPTIONS, POST")
    assert Campaign.objects.filter(pk=campaign.pk).exists()


def test_a_preflight_of_another_origin_is_answered_as_ever(api: Api) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    answer = api.client.generic("OPTIONS", "/api/profile", headers=asked)
    assert answer.status_code == 200
    assert "PUT" in answer["Access-Control-Allow-Methods"]


def test_a_browser_gets_a_page(api: Api) -> None:
    answer = api.client.generic("DELETE", "/verify-email", HTTP_ACCEPT="text/html")
    assert answer.status_code == 405
    assert answer["Content-Type"].startswith("text/html")
