"""The OpenAPI document as a client developer reads it, and the check of every answer against it."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from drf_spectacular.validation import validate_schema

from core.api.pages import DEEPEST, MAX_LIMIT
from core.testing import documents

DOCUMENT = documents.document()
OPERATIONS = {
    f"{verb.upper()} {path}": operation
    for path, verbs in DOCUMENT["paths"].items()
    for verb, operation in verbs.items()
}
SCHEMAS = DOCUMENT["components"]["schemas"]


def parameters(operation: dict[str, Any]) -> dict[str, Any]:
    return {row["name"]: row for row in operation.get("parameters", [])}


def body_of(name: str, content_type: str) -> dict[str, Any]:
    content = OPERATIONS[name]["requestBody"]["content"]
    return SCHEMAS[content[content_type]["schema"]["$ref"].rpartition("/")[2]]


LISTS = [name for name, operation in OPERATIONS.items() if "cursor" in parameters(operation)]
OPEN = [name for name, operation in OPERATIONS.items() if operation["x-roles"] == ["anyone"]]


def test_it_is_valid():
    validate_schema(DOCUMENT)


def test_no_answer_is_a_bare_array():
    for name, operation in OPERATIONS.items():
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                assert content["schema"].get("type") != "array", (name, status)


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_envelopes_with_bounds(name):
    asked = parameters(OPERATIONS[name])
    assert (asked["page"]["schema"]["minimum"], asked["page"]["schema"]["maximum"]) == (1, DEEPEST)
    assert (asked["limit"]["schema"]["minimum"], asked["limit"]["schema"]["maximum"]) == (1, MAX_LIMIT)
    answer = OPERATIONS[name]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    envelope = SCHEMAS[answer.rpartition("/")[2]]
    assert {"items", "page", "limit", "hasMore", "nextCursor"} <= set(envelope["required"])
    assert envelope["properties"]["items"]["type"] == "array"
    assert {"invalid_page", "invalid_cursor"} <= set(OPERATIONS[name]["responses"]["400"]["x-codes"])


def test_lists_say_how_long_a_page_is_by_default():
    limits = {name: parameters(OPERATIONS[name])["limit"]["schema"]["default"] for name in LISTS}
    assert limits.pop("GET /api/chat/conversations/{conversation_id}/messages") == 50
    assert limits.pop("GET /api/campaigns/categories") == 100
    assert set(limits.values()) == {10}


def test_files_are_bytes_in_forms_only():
    form, plain = (body_of("POST /api/campaigns", kind) for kind in ("multipart/form-data", "application/json"))
    assert form["properties"]["media"]["items"]["format"] == "binary"
    assert set(form["properties"]) - set(plain["properties"]) == {"media"}
    assert form["required"] == plain["required"]
    for name in ("POST /api/profile/photo", "POST /api/profile/cover", "POST /api/kyc/documents"):
        assert list(OPERATIONS[name]["requestBody"]["content"]) == ["multipart/form-data"], name
    for name, schema in SCHEMAS.items():
        is_form = name.endswith("Form")
        assert is_form or '"binary"' not in json.dumps(schema), name


@pytest.mark.parametrize("name", ["PUT /api/campaigns/{campaign_id}", "PUT /api/profile"])
def test_edits_take_any_subset(name):
    assert "required" not in body_of(name, "application/json")


def test_a_private_file_is_a_file_for_which_one_may_sign_in():
    operation = OPERATIONS["GET /files/{token}"]
    assert "application/pdf" in operation["responses"]["200"]["content"]
    assert operation["security"] == [{}, {"bearer": []}]


def test_open_operations_say_so_and_the_others_name_the_codes_of_401():
    assert len(OPEN) > 10
    for name, operation in OPERATIONS.items():
        codes = set(operation["responses"].get("401", {}).get("x-codes", ()))
        reads_token = {"token_invalid", "token_expired"} <= codes
        if name in OPEN:
            assert operation["security"] == ([{}, {"bearer": []}] if reads_token else []), name
        else:
            assert operation["security"] == [{"bearer": []}] and reads_token and "not_authenticated" in codes, name


@pytest.mark.parametrize(
    "name",
    ["POST /api/chat/conversations", "POST /api/chat/conversations/{conversation_id}/messages"],
)
def test_what_is_there_already_has_a_second_success_code(name):
    answers = OPERATIONS[name]["responses"]
    assert answers["200"]["content"] == answers["201"]["content"]
    assert answers["200"]["description"] != answers["201"]["description"]


def test_headers_are_named_where_they_occur():
    for name, operation in OPERATIONS.items():
        answers = operation["responses"]
        success = next(answer for status, answer in answers.items() if status < "400")
        is_post = name.startswith("POST")
        assert ("Idempotency-Key" in parameters(operation)) == is_post, name
        assert ("Idempotent-Replayed" in success.get("headers", {})) == is_post, name
        assert "Retry-After" in answers["503"]["headers"], name
        if "429" in answers:
            assert "Retry-After" in answers["429"]["headers"], name
        if "rate_limited" in answers.get("429", {}).get("x-codes", []):
            assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= answers["429"]["headers"].keys()
            assert "RateLimit-Limit" in success["headers"], name
        if "idempotency_in_progress" in answers.get("409", {}).get("x-codes", []):
            assert "Retry-After" in answers["409"]["headers"], name
        assert ("If-Match" in parameters(operation)) == ("412" in answers), name
        if "412" in answers:
            assert "ETag" in success["headers"], name
    for name in ("/api/campaigns/{campaign_id}", "/api/profile", "/api/chat/conversations/{conversation_id}"):
        assert "ETag" in OPERATIONS[f"GET {name}"]["responses"]["200"]["headers"]


# --- The check of every answer ----------------------------------------------------------------------------------------


def answer(status: int = 200, content: Any = None, kind: str = "application/json", **headers: str) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(json.dumps(content), status=status, content_type=kind, headers=named)


PAGE = {"items": [], "page": 1, "limit": 10, "hasMore": False, "nextCursor": None}
PROBLEM = {"code": "not_authenticated"}


@pytest.mark.parametrize(
    "wrong, about",
    [
        (answer(418, PAGE), "418"),
        (answer(200, PAGE, "text/html"), "without text/html"),
        (answer(200, []), "is not of type 'object'"),
        (answer(200, {**PAGE, "page": 0}), "minimum"),
        (answer(200, {**PAGE, "extra": 1}), "extra"),
        (answer(200, {**PAGE, "limit": 20}), "default limit"),
        (answer(200, {**PAGE, "items": [{"id": "7"}]}), "uuid"),
        (answer(401, {"code": "strange"}, "application/problem+json"), "strange"),
        (answer(401, PROBLEM), "without application/json"),
        (answer(200, PAGE, ETag='"7"'), "ETag"),
    ],
)
def test_an_answer_that_is_not_in_the_document_fails_the_test_that_got_it(wrong, about):
    with pytest.raises(AssertionError) as found:
        documents.check("get", "/api/profile/passkeys", None, wrong)
    assert about in str(found.value)


@pytest.mark.parametrize(
    "right, path, query",
    [
        (answer(200, PAGE), "/api/profile/passkeys", None),
        (answer(200, {**PAGE, "limit": 20}), "/api/profile/passkeys/", {"limit": 20}),
        (answer(401, PROBLEM, "application/problem+json", WWW_Authenticate="Bearer"), "/api/profile/passkeys", None),
        (answer(405, PROBLEM, "application/problem+json"), "/api/profile/passkeys", None),
        (SimpleNamespace(status_code=404), "/api/nothing", None),
    ],
)
def test_an_answer_that_is_in_the_document_passes(right, path, query):
    documents.check("get", path, query, right)


def test_the_client_of_the_tests_asks_for_every_answer(api, monkeypatch):
    seen = []
    monkeypatch.setattr(documents, "check", lambda *asked: seen.append(asked[:3]))
    api.get("/api/auth/me", {"a": "1"})
    api.post("/api/auth/logout", {"b": "2"})
    assert seen == [("get", "/api/auth/me", {"a": "1"}), ("post", "/api/auth/logout", None)]
