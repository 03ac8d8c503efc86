"""The OpenAPI document as a client developer reads it, and the check of every answer against it."""

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from threading import Barrier
from typing import Any

import pytest
from django.http import HttpResponse
from drf_spectacular.validation import validate_schema

from core.api import openapi
from core.api.outputs import DEEPEST, MAX_LIMIT
from core.testing import WAIT_LIMIT, Api, documents, together

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


def codes_of(answer: dict[str, Any]) -> set[str]:
    """The codes that a refusal may have."""
    if not answer:
        return set()
    component = answer["content"]["application/problem+json"]["schema"]["$ref"].rpartition("/")[2]
    return set(SCHEMAS[component]["properties"]["code"]["enum"])


LISTS = [name for name, operation in OPERATIONS.items() if "cursor" in parameters(operation)]
OPEN = [name for name, operation in OPERATIONS.items() if operation.get("x-roles") == ["anyone"]]
PLATFORM = [name for name, operation in OPERATIONS.items() if operation["tags"] == ["Platform"]]


def test_only_one_thread_generates_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """drf-spectacular keeps what it has found in globals; two at once fail or mix their documents."""

    class Generator:
        def get_schema(self, **_: Any) -> dict[str, Any]:
            return {"holds the lock": not openapi._generating.acquire(blocking=False)}

    monkeypatch.setattr(openapi, "SchemaGenerator", Generator)
    assert together(*[openapi.generate] * 2) == [{"holds the lock": True}] * 2


def test_only_one_thread_generates_it_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock two are in the generator at the same moment."""
    meeting = Barrier(2)

    class Generator:
        def get_schema(self, **_: Any) -> dict[str, Any]:
            return {"meets": meeting.wait(WAIT_LIMIT)}

    monkeypatch.setattr(openapi, "SchemaGenerator", Generator)
    monkeypatch.setattr(openapi, "_generating", nullcontext())
    assert sorted(one["meets"] for one in together(*[openapi.generate] * 2)) == [0, 1]


def test_it_is_valid() -> None:
    validate_schema(DOCUMENT)


def test_no_answer_is_a_bare_array() -> None:
    for name, operation in OPERATIONS.items():
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                assert content["schema"].get("type") != "array", (name, status)


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_envelopes_with_bounds(name: Any) -> None:
    asked = parameters(OPERATIONS[name])
    assert (asked["page"]["schema"]["minimum"], asked["page"]["schema"]["maximum"]) == (1, DEEPEST)
    assert (asked["limit"]["schema"]["minimum"], asked["limit"]["schema"]["maximum"]) == (1, MAX_LIMIT)
    answer = OPERATIONS[name]["responses"]["200"]["content"]["application/json"]["schema"]
    named = [one["$ref"].rpartition("/")[2] for one in answer.get("oneOf", [answer])]
    (envelope,) = (SCHEMAS[one] for one in named if "items" in SCHEMAS[one]["properties"])
    assert {"items", "page", "limit", "hasMore", "nextCursor"} <= set(envelope["required"])
    assert envelope["properties"]["items"]["type"] == "array"
    assert {"invalid_page", "invalid_cursor"} <= codes_of(OPERATIONS[name]["responses"]["400"])


def test_lists_say_how_long_a_page_is_by_default() -> None:
    limits = {name: parameters(OPERATIONS[name])["limit"]["schema"]["default"] for name in LISTS}
    assert limits.pop("GET /api/chat/conversations/{conversationId}/messages") == 50
    assert limits.pop("GET /api/campaigns/categories") == 100
    assert set(limits.values()) == {10}


def test_files_are_bytes_in_forms_only() -> None:
    form, plain = (body_of("POST /api/campaigns", kind) for kind in ("multipart/form-data", "application/json"))
    assert form["properties"]["media"]["items"]["format"] == "binary"
    assert set(form["properties"]) - set(plain["properties"]) == {"media"}
    assert form["required"] == plain["required"]
    for name in ("POST /api/profile/photo", "POST /api/profile/cover", "POST /api/kyc/documents"):
        assert list(OPERATIONS[name]["requestBody"]["content"]) == ["multipart/form-data"], name
    for name, schema in SCHEMAS.items():
        is_form = name.endswith("Form")
        assert is_form or '"binary"' not in json.dumps(schema), name


@pytest.mark.parametrize("name", ["PUT /api/campaigns/{campaignId}", "PUT /api/profile"])
def test_edits_take_any_subset(name: str) -> None:
    assert "required" not in body_of(name, "application/json")


def test_a_private_file_is_a_file_for_which_one_may_sign_in() -> None:
    operation = OPERATIONS["GET /files/{token}"]
    assert "application/pdf" in operation["responses"]["200"]["content"]
    assert operation["security"] == [{}, {"bearer": []}]


def test_open_operations_say_so_and_the_others_name_the_codes_of_401() -> None:
    assert len(OPEN) > 10
    for name, operation in OPERATIONS.items():
        codes = codes_of(operation["responses"].get("401", {}))
        reads_token = {"token_invalid", "token_expired"} <= codes
        if name in PLATFORM:
            assert operation["security"] == [], name
        elif name in OPEN:
            assert operation["security"] == ([{}, {"bearer": []}] if reads_token else []), name
        else:
            appeals = name in ("GET /api/social/sanctions", "POST /api/social/sanctions/{sanctionId}/appeal")
            schemes: list[Any] = [{"bearer": []}, {"appeal": []}] if appeals else [{"bearer": []}]
            assert operation["security"] == schemes and reads_token and "not_authenticated" in codes, name


@pytest.mark.parametrize(
    "name",
    ["POST /api/chat/conversations", "POST /api/chat/conversations/{conversationId}/messages"],
)
def test_what_is_there_already_has_a_second_success_code(name: str) -> None:
    answers = OPERATIONS[name]["responses"]
    assert answers["200"]["content"] == answers["201"]["content"]
    assert answers["200"]["description"] != answers["201"]["description"]


def test_headers_are_named_where_they_occur() -> None:
    for name, operation in OPERATIONS.items():
        answers = operation["responses"]
        success = next(answer for status, answer in answers.items() if status < "400")
        is_post = name.startswith("POST")
        assert ("Idempotency-Key" in parameters(operation)) == is_post, name
        assert ("Idempotent-Replayed" in success.get("headers", {})) == is_post, name
        assert all("X-Request-ID" in answer["headers"] for answer in answers.values()), name
        if name in PLATFORM:
            continue
        assert "Retry-After" in answers["503"]["headers"], name
        assert "Allow" in answers["405"]["headers"], name
        if "429" in answers:
            assert "Retry-After" in answers["429"]["headers"], name
        if "rate_limited" in codes_of(answers.get("429", {})):
            assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= answers["429"]["headers"].keys()
            assert "RateLimit-Limit" in success["headers"], name
        if "idempotency_in_progress" in codes_of(answers.get("409", {})):
            assert "Retry-After" in answers["409"]["headers"], name
        assert ("If-Match" in parameters(operation)) == ("412" in answers), name
        if "412" in answers:
            assert "ETag" in success["headers"], name
    for name in ("/api/campaigns/{campaignId}", "/api/profile", "/api/chat/conversations/{conversationId}"):
        assert "ETag" in OPERATIONS[f"GET {name}"]["responses"]["200"]["headers"]


TAGS = [tag["name"] for tag in DOCUMENT["tags"]]
ENUMS = {tuple(schema["enum"]): name for name, schema in SCHEMAS.items() if "enum" in schema}


def schemas_in(part: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside of a part of the document, that of components named only where they are."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from schemas_in(inner)


def test_each_operation_has_an_id_words_and_a_tag_of_its_own() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)
    assert {"login", "getMe", "listCampaigns", "placeInvestment", "sendMessage", "withdrawInvestment"} <= set(ids)
    for name, operation in OPERATIONS.items():
        assert re.fullmatch("[a-z][A-Za-z]+", operation["operationId"]), name
        assert operation["summary"] and not operation["summary"].endswith("."), name
        assert len(operation["tags"]) == 1 and operation["tags"][0] in TAGS, name
        assert all("_" not in parameter["name"] for parameter in operation.get("parameters", ())), name
    assert all(tag["description"] for tag in DOCUMENT["tags"])


def test_no_enum_of_an_answer_or_a_body_is_a_copy_of_a_named_one() -> None:
    for name, schema in SCHEMAS.items():
        for inner in schemas_in(schema.get("properties", {})):
            assert tuple(inner.get("enum", ())) not in ENUMS, name


INNER_WORDS = re.compile(
    r"outbox|celery|redis|django|worker|(?<!/api/)docs/|[.]py\b|\b[a-z]+_[a-z_]+\(|core[.]|subclass|(?-i:OAUTH_)", re.I
)
"""What means nothing to whoever writes a client."""


def test_nothing_is_said_in_inner_words() -> None:
    for schema in schemas_in(DOCUMENT):
        for text in (schema.get("description"), schema.get("summary")):
            assert not isinstance(text, str) or not INNER_WORDS.search(text), text


def test_money_and_moments_of_answers_have_patterns() -> None:
    card = SCHEMAS["CampaignCard"]["properties"]
    assert re.fullmatch(card["goalAmount"]["pattern"], "1000.50") and not re.match(card["goalAmount"]["pattern"], "-1")
    assert re.fullmatch(card["endsAt"]["pattern"], "2026-12-31T23:59:59.123456Z")
    assert not re.fullmatch(card["endsAt"]["pattern"], "2026-12-31T23:59:59+01:00")


# --- The check of every answer ----------------------------------------------------------------------------------------


def answer(status: int = 200, content: Any = None, kind: str = "application/json", **headers: str) -> HttpResponse:
    named = {"X-Request-ID": "0123456789", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return HttpResponse(json.dumps(content), status=status, content_type=kind, headers=named)


def refused(status: int, code: str, kind: str = "application/problem+json", **headers: str) -> HttpResponse:
    problem = {"type": "/x", "title": "No", "status": status, "detail": "No.", "code": code, "requestId": "0123456789"}
    return answer(status, problem, kind, **headers)


PAGE = {"items": [], "page": 1, "limit": 10, "hasMore": False, "nextCursor": None}
PATH = "/api/profile/passkeys"


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
        (answer(200, PAGE, ETag='"7"'), "ETag"),
        (answer(200, PAGE, X_Debug="1"), "X-Debug"),
        (answer(200, PAGE, Set_Cookie="a=b"), "Set-Cookie"),
        (answer(200, PAGE, X_Request_ID="a b"), "X-Request-ID"),
        (refused(401, "strange", WWW_Authenticate="Bearer"), "strange"),
        (refused(401, "not_authenticated"), "WWW-Authenticate"),
        (refused(401, "not_authenticated", "application/json", WWW_Authenticate="Bearer"), "without application/json"),
        (refused(503, "busy", Retry_After="soon"), "Retry-After"),
        (answer(401, {"code": "not_authenticated"}, "application/problem+json", WWW_Authenticate="Bearer"), "required"),
    ],
)
def test_an_answer_that_is_not_in_the_document_fails_the_test_that_got_it(wrong: Any, about: str) -> None:
    with pytest.raises(AssertionError) as found:
        documents.check("get", PATH, None, wrong)
    assert about in str(found.value)


def test_methods_and_addresses_that_are_not_there_are_refused_as_they_should_be() -> None:
    with pytest.raises(AssertionError, match="no such method"):
        documents.check("put", PATH, None, answer(200, PAGE))
    with pytest.raises(AssertionError, match="is not in docs"):
        documents.check("get", "/api/nothing", None, answer(200, {}))
    documents.check("put", PATH, None, refused(405, "method_not_allowed", Allow="GET"))
    documents.check("get", "/api/nothing", None, refused(404, "not_found"))


@pytest.mark.parametrize(
    "right, path, query",
    [
        (answer(200, PAGE), PATH, None),
        (answer(200, {**PAGE, "limit": 20}), f"{PATH}/", {"limit": 20}),
        (refused(401, "not_authenticated", WWW_Authenticate="Bearer"), PATH, None),
        (refused(405, "method_not_allowed", Allow="GET, POST"), PATH, None),
    ],
)
def test_an_answer_that_is_in_the_document_passes(right: Any, path: str, query: dict[str, Any] | None) -> None:
    documents.check("get", path, query, right)


def test_the_client_of_the_tests_asks_for_every_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(documents, "check", lambda *asked: seen.append(asked[:3]))
    api.get("/api/auth/me", {"a": "1"})
    api.post("/api/auth/logout", {"b": "2"})
    assert seen == [("get", "/api/auth/me", {"a": "1"}), ("post", "/api/auth/logout", None)]
