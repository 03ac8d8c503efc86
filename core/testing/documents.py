"""
Whether an answer is what the API document says: status, content type, code of a refusal, headers, body of a success.

`core.testing.Api` asks it about every answer that it gets, so that the test suite proves the document.
"""

import json
import re
from copy import deepcopy
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker

from core.api.openapi import PROBLEM

_TOLD_ELSEWHERE = {405}
"""Of methods that an address does not have; the document lists those that it has."""
_NAMED = ("ETag", "Location", "Retry-After", "Idempotent-Replayed", "RateLimit-Limit", "WWW-Authenticate")
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
    found = _operation(verb.lower(), urlsplit(path).path)
    if found is None or response.status_code in _TOLD_ELSEWHERE:
        return
    operation, template = found
    said = f"{verb.upper()} {template} answered {response.status_code}, which docs/openapi.json"
    documented = operation["responses"].get(str(response.status_code))
    assert documented is not None, f"{said} does not have: {response.content[:300]!r}"
    for name in _NAMED:
        assert not response.has_header(name) or name in documented.get("headers", {}), f"{said} has without {name}"
    content_type = response.get("Content-Type", "").partition(";")[0]
    is_redirect = 300 <= response.status_code < 400
    assert is_redirect or content_type in documented.get("content", {}), f"{said} has without {content_type}"
    if content_type == PROBLEM:
        code = json.loads(response.content)["code"]
        assert code in documented["x-codes"], f"{said} has without the code {code}"
    elif content_type == "application/json":
        body = json.loads(response.content)
        wrong = [
            f"{error.json_path}: {error.message}"
            for error in _validator(verb.lower(), template, response.status_code).iter_errors(body)
        ]
        assert not wrong, f"{said} describes differently: {wrong[:5]}"
        _check_limit(operation, path, query, body, said)


def _check_limit(operation: dict[str, Any], path: str, query: Any, body: Any, said: str) -> None:
    """A page that nobody asked a size of has the documented one."""
    parameters = {row["name"]: row for row in operation.get("parameters", ()) if row["in"] == "query"}
    if "limit" in parameters and "limit" not in (query or ()) and "limit=" not in path:
        assert body["limit"] == parameters["limit"]["schema"]["default"], f"{said} gives another default limit"


@cache
def document() -> dict[str, Any]:
    """Made once per process, as /api/schema answers it."""
    with translation.override("en"):
        made: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
    return made


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Those with fewer parameters first, as Django's routes are ordered."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), path) for path in paths]


def _operation(verb: str, path: str) -> tuple[dict[str, Any], str] | None:
    for pattern, template in _templates():
        if pattern.fullmatch(path.rstrip("/")) and verb in document()["paths"][template]:
            return document()["paths"][template][verb], template
    return None


@cache
def _components() -> dict[str, Any]:
    """The components, closed: a member that the document does not name is wrong too."""
    schemas: dict[str, Any] = deepcopy(document()["components"]["schemas"])
    for schema in schemas.values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return {"schemas": schemas}


@cache
def _validator(verb: str, template: str, status: int) -> Draft202012Validator:
    content = document()["paths"][template][verb]["responses"][str(status)]["content"]
    schema = {**content["application/json"]["schema"], "components": _components()}
    return Draft202012Validator(schema, format_checker=_FORMATS)
