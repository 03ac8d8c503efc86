"""One line for each request and each socket: who, what, how long, and nothing that is a secret."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from core.api import bodies
from core.logs import JSONFormatter
from core.testing import Api


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[..., list[dict[str, Any]]]:
    """The lines since, as an operator reads them."""
    caplog.set_level(logging.INFO, logger="vectragrow.requests")

    def read() -> list[dict[str, Any]]:
        records = [record for record in caplog.records if record.name == "vectragrow.requests"]
        return [json.loads(JSONFormatter().format(record)) for record in records]

    return read


def test_one_line_for_a_request_with_its_person_and_pattern(
    api: Api, person: Callable[..., User], lines: Callable[..., list[dict[str, Any]]]
) -> None:
    pat = person("pat")
    me = api.as_user(pat)
    answer = me.get("/api/auth/me", {"token": "s3cret"}, x_request_id="request-of-pat")
    [line] = lines()
    took = line.pop("ms")
    assert isinstance(took, float) and 0 <= took < 60_000
    del line["at"]
    assert line == {
        "level": "info",
        "logger": "vectragrow.requests",
        "message": "request",
        "method": "GET",
        "route": "/api/auth/me",
        "status": answer.status_code,
        "person": str(pat.pk),
        **({"requestId": line["requestId"]} if "requestId" in line else {}),
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/api/campaigns/0190aaaa-0000-7000-8000-000000000001?q=s3cret", "/api/campaigns/<str:campaign_id>", 401),
        ("/reset-password?token=s3cret", "/reset-password", 200),
        ("/p/s3crets3crets3crets3cr", "", 404),
        ("/no/such/s3cret?token=s3cret", "none", 404),
        ("/static/vectragrow/mark.svg?x=s3cret", "/static/", 200),
        ("/admin/?q=s3cret", "/admin/", 302),
    ],
)
def test_patterns_and_never_paths_or_queries(
    client: Client, lines: Callable[..., list[dict[str, Any]]], path: str, route: str, status: int
) -> None:
    list(client.get(path))  # reading a static file to its end closes it
    [line] = lines()
    assert line["status"] == status and "person" not in line and "s3cret" not in json.dumps(line)
    if route:
        assert line["route"].split("<")[0] == route.split("<")[0]


def test_staff_of_the_admin_are_named(
    client: Client, person: Callable[..., User], lines: Callable[..., list[dict[str, Any]]]
) -> None:
    ines = person("ines", role="admin")
    client.force_login(ines)
    client.get("/admin/")
    assert [line["person"] for line in lines()] == [str(ines.pk)]


def test_a_large_upload_that_is_asked_about_first_is_logged_once(
    api: Api, person: Callable[..., User], lines: Callable[..., list[dict[str, Any]]]
) -> None:
    """`vectragrow.server` asks without the body whether it is wanted, and comes again with it."""
    me, length = api.as_user(person("pat", verified=True)), str(5 * 1024 * 1024)
    form = {"content_type": "multipart/form-data; boundary=b", "CONTENT_LENGTH": length}
    wanted, refused = bodies.Unread(), bodies.Unread()
    answer = me.client.generic("POST", "/api/profile/photo", b"", **form, **{bodies.KEY: wanted})
    assert (answer.status_code, wanted.wanted) == (413, settings.UPLOAD_MAX_BODY_SIZE)
    assert lines() == []
    answer = api.client.generic("POST", "/api/profile/photo", b"", **form, **{bodies.KEY: refused})
    assert (answer.status_code, refused.wanted) == (401, 0)
    [line] = lines()
    assert line["status"] == 401
