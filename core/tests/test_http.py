"""What every answer has in common, whatever path it is for."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from accounts.models import User
from core.api import errors
from core.api.errors import every_refusal
from core.testing import Api

PROBLEM = {"type", "title", "status", "detail", "code", "requestId"}


def problem_of(answer: Any) -> dict[str, Any]:
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body.keys() >= PROBLEM
    assert body["status"] == answer.status_code
    assert body["requestId"] == answer["X-Request-ID"]
    return body


@pytest.mark.parametrize("path", ["/api/nothing", "/api/auth/sessions/not-a-uuid", "/nothing", "/api"])
def test_unknown_paths_are_problems(api: Api, path: str) -> None:
    assert problem_of(api.get(path))["code"] == "not_found"


def test_a_browser_gets_a_page_for_an_unknown_page(api: Api) -> None:
    page = api.get("/nothing", Accept="text/html,*/*")
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")


def test_a_trailing_slash_is_accepted_for_reads_and_writes(api: Api, person: Callable[..., User]) -> None:
    me = api.as_user(person())
    assert me.get("/api/auth/me/").status_code == 200
    assert me.post("/api/auth/logout/").status_code == 200


def test_wrong_method(api: Api, person: Callable[..., User]) -> None:
    assert problem_of(api.as_user(person()).delete("/api/auth/me"))["code"] == "method_not_allowed"


def send(body: bytes, content_type: str = "application/json") -> Any:
    return Api().client.generic("POST", "/api/auth/login", body, content_type=content_type)


FORM = b'--abc\r\nContent-Disposition: form-data; name="email"\r\n\r\n%s\r\n--abc--\r\n'


@pytest.mark.parametrize(
    "body, content_type, status, code",
    [
        (b"{", "application/json", 400, "malformed_body"),
        (b"[]", "application/json", 400, "malformed_body"),
        (b'{"email": "a@b.c", "email": "x"}', "application/json", 400, "malformed_body"),
        (b'{"email": "\xff"}', "application/json", 400, "malformed_body"),
        (b'{"password": "a\\u0000b", "email": "a@example.com"}', "application/json", 400, "malformed_body"),
        (b"[" * 5000, "application/json", 400, "malformed_body"),
        (b"", "application/json", 400, "invalid_input"),
        (b"email=a", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"<x/>", "text/xml", 415, "unsupported_media_type"),
        (b"x", "multipart/form-data", 400, "malformed_body"),
        (b"x", "multipart/form-data; boundary=abc", 400, None),
        (FORM % b"half a \xed\xa0\x80 character", "multipart/form-data; boundary=abc", 400, "malformed_body"),
        (FORM % b"\xff", "multipart/form-data; boundary=abc", 400, "malformed_body"),
        (FORM % "\ufffd".encode(), "multipart/form-data; boundary=abc", 400, "invalid_input"),
        (b'{"email": "%s"}' % (b"x" * 1_100_000), "application/json", 413, "too_large"),
    ],
)
def test_bad_bodies_have_clear_answers(db: None, body: Any, content_type: str, status: int, code: str | None) -> None:
    answer = send(body, content_type)
    problem = problem_of(answer)
    assert answer.status_code == status
    assert code in (None, problem["code"])


def test_a_sane_request_id_is_kept_and_any_other_replaced(api: Api) -> None:
    assert api.get("/api/x", x_request_id="client-42.a_b")["X-Request-ID"] == "client-42.a_b"
    for odd in ("short", "x" * 65, "has space here", "new\tline-here"):
        assert api.get("/api/x", x_request_id=odd)["X-Request-ID"] != odd


@pytest.mark.parametrize("path", ["/api/auth/sessions", "/mailbox/", "/mailbox/messages", "/verify-email", "/admin/"])
def test_nul_in_a_query_is_refused(api: Api, person: Callable[..., User], path: str) -> None:
    answer = api.as_user(person()).get(f"{path}?to=a%00b")
    assert answer.status_code == 400
    assert problem_of(answer)["code"] == "invalid"
    page = api.get(f"{path}?to=%00", Accept="text/html")
    assert page.status_code == 400 and page["Content-Type"].startswith("text/html") != path.startswith("/api")


def test_an_accident_tells_nothing_about_us(
    api: Api, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    def accident(_user: Any) -> None:
        raise RuntimeError("SELECT secret FROM /etc/passwd")

    monkeypatch.setattr("accounts.outputs.people.MeOutput.of", accident)
    answer = api.as_user(person()).get("/api/auth/me")
    assert problem_of(answer)["code"] == "internal_error"
    assert b"SELECT" not in answer.content and b"Traceback" not in answer.content


def test_a_database_that_is_down_is_a_503(
    api: Api, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    me = api.as_user(person())

    def unavailable(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("accounts.authentication.session_of", unavailable)
    answer = me.get("/api/auth/me")
    assert problem_of(answer)["code"] == "database_unavailable"
    assert answer.status_code == 503 and int(answer["Retry-After"]) >= 1


def test_private_answers_are_not_cached_and_carry_the_guards(api: Api, person: Callable[..., User]) -> None:
    answer = api.as_user(person()).get("/api/auth/me")
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert "Set-Cookie" not in answer


def test_cors_is_an_exact_list(api: Api) -> None:
    ours = api.get("/api/auth/me", origin="https://app.example")
    assert ours["Access-Control-Allow-Origin"] == "https://app.example"
    for foreign in ("https://app.example.evil.test", "http://app.example", "null"):
        assert "Access-Control-Allow-Origin" not in api.get("/api/auth/me", origin=foreign)


def test_codes_are_stable_words_and_each_belongs_to_one_refusal() -> None:
    seen: dict[str, type[errors.Refusal]] = {}
    for refusal in every_refusal():
        if not refusal.__module__.endswith("tests"):
            assert refusal.code.replace("_", "").isalnum() and refusal.code == refusal.code.lower()
            assert seen.setdefault(refusal.code, refusal) is refusal, refusal.code
            assert 400 <= refusal.status < 600


def test_input_problems_name_camel_case_paths(api: Api) -> None:
    problem = problem_of(api.post("/api/auth/register", {"email": 5}))
    fields = [row["field"] for row in problem["errors"]]
    assert "firstName" in fields and "first_name" not in json.dumps(problem)
