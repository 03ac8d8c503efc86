"""
Whether an answer is what the API document says: status, media type, headers, and the body member by member.

`core.testing.Api` asks it about every answer that it gets, so that the test suite proves the document. What the
document does not declare fails the test that got it.
"""

import json
import re
from copy import deepcopy
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.utils import translation
from jsonschema import Draft202012Validator, FormatChecker

from core.api.openapi import PROBLEM, generate

GENERAL = frozenset(
    """
    accept-ranges access-control-allow-origin access-control-expose-headers allow cache-control content-disposition
    content-language content-length content-range content-security-policy content-type cross-origin-opener-policy
    cross-origin-resource-policy expires referrer-policy vary x-content-type-options x-frame-options
    """.split()
)
"""Headers that HTTP or browsers give a meaning; a client of the API need not read them."""
ALWAYS = frozenset({"Allow", "ETag", "Location", "WWW-Authenticate", "X-Request-ID"})
"""Headers that are on every answer that declares them; the others depend on the request."""
_FORMATS = FormatChecker(["uuid", "date", "email"])


@_FORMATS.checks("date-time")
def _is_moment(value: Any) -> bool:
    """RFC 3339 in UTC with `Z` (API.md, times)."""
    if not isinstance(value, str):
        return True
    try:
        return value.endswith("Z") and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def check(verb: str, path: str, query: Any, response: Any) -> None:
    """
    :param verb: `get`; `path` as it was asked, `query` what was asked with it: members or text
    :raises AssertionError: the document does not say that this operation may answer so
    """
    template = _template(urlsplit(path).path)
    if template is None:
        _check_unknown(path, response)
        return
    operations = document()["paths"][template]
    said = f"{verb.upper()} {template} answered {response.status_code}, which docs/openapi.json"
    if verb.lower() not in operations:
        is_refused = response.status_code == 404 or (response.status_code == 405 and response.has_header("Allow"))
        assert is_refused, f"{said} has not: no such method"
        return
    operation = operations[verb.lower()]
    documented = operation["responses"].get(str(response.status_code))
    assert documented is not None, f"{said} does not have: {response.content[:300]!r}"
    _check_headers(documented.get("headers", {}), response, said)
    content_type = response.get("Content-Type", "").partition(";")[0]
    if 300 <= response.status_code < 400:
        return
    assert content_type in documented.get("content", {}), f"{said} has without {content_type}"
    if content_type in ("application/json", PROBLEM):
        body = json.loads(response.content)
        validator = _validator(verb.lower(), template, response.status_code, content_type)
        wrong = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
        assert not wrong, f"{said} describes differently: {wrong[:5]}"
        if content_type != PROBLEM:
            _check_limit(operation, path, query, body, said)


def _check_unknown(path: str, response: Any) -> None:
    """An address of the API that the document does not have is a problem, 404 as a rule."""
    if path.startswith("/api/") and not path.startswith("/api/docs"):
        kind = response.get("Content-Type", "").partition(";")[0]
        assert response.status_code >= 400 and kind == PROBLEM, f"{path} answers and is not in docs/openapi.json"


def _check_headers(declared: dict[str, Any], response: Any, said: str) -> None:
    known = {name.lower() for name in declared} | GENERAL
    undeclared = {name for name in response.headers if name.lower() not in known}
    assert not undeclared, f"{said} has without {sorted(undeclared)}"
    for name, reference in declared.items():
        if not response.has_header(name):
            assert name not in ALWAYS, f"{said} has with {name}"
            continue
        value: Any = response[name]
        schema = document()["components"]["headers"][reference["$ref"].rpartition("/")[2]]["schema"]
        value = int(value) if schema["type"] == "integer" and value.isdigit() else value
        wrong = [error.message for error in Draft202012Validator(schema).iter_errors(value)]
        assert not wrong, f"{said} describes differently: {name}: {wrong}"


def _check_limit(operation: dict[str, Any], path: str, query: Any, body: Any, said: str) -> None:
    """A page that nobody asked a size of has the documented one."""
    parameters = {row["name"]: row for row in operation.get("parameters", ()) if row["in"] == "query"}
    is_page = "limit" in parameters and "items" in body  # and not the other answer of a union
    if is_page and "limit" not in (query or ()) and "limit=" not in path:
        assert body["limit"] == parameters["limit"]["schema"]["default"], f"{said} gives another default limit"


@cache
def document() -> dict[str, Any]:
    """Made once per process, as /api/schema answers it."""
    with translation.override("en"):
        made: dict[str, Any] = json.loads(json.dumps(generate()))
    return made


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Those with fewer parameters first, as Django's routes are ordered."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), path) for path in paths]


def _template(path: str) -> str | None:
    return next((template for pattern, template in _templates() if pattern.fullmatch(path.rstrip("/"))), None)


@cache
def _components() -> dict[str, Any]:
    """The components, closed: a member that the document does not name is wrong too."""
    schemas: dict[str, Any] = deepcopy(document()["components"]["schemas"])
    for schema in schemas.values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return {"schemas": schemas}


@cache
def _validator(verb: str, template: str, status: int, content_type: str) -> Draft202012Validator:
    content = document()["paths"][template][verb]["responses"][str(status)]["content"]
    schema = {**content[content_type]["schema"], "components": _components()}
    return Draft202012Validator(schema, format_checker=_FORMATS)
