"""
Junk at every operation of the OpenAPI document: half-right bodies, odd values, odd paths. Whatever comes, the answer is
one that a client can read, and never an accident of ours. The dice are seeded, so a failure can be thrown again.
"""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from core.testing import Api, documents

DOCUMENT = json.loads(Path(settings.BASE_DIR, "docs/openapi.json").read_text())
OPERATIONS = sorted((path, verb) for path, verbs in DOCUMENT["paths"].items() for verb in verbs)
ENDS_THE_CALLER = re.compile("logout|/api/profile$|change-password")
TIMES = 6
ABSENT = "01900000-0000-7000-8000-000000000000"
VALUES: list[Any] = [
    None, True, 0, -1, 1.5, "", "x", "y" * 5000, [], {}, [1] * 50, {"a": {"b": 1}}, "١", "2026-13-45", ABSENT,
    "' OR 1=1--", "<script>", 10**30, 2**63, "😀" * 100, "a\r\nb: c", "1e5", "-0", "NaN", "http://x",
    "javascript:alert(1)",
]  # fmt: skip
IN_PATHS = [ABSENT, "x", "identity", "google", "%00", "..%2f", "%F0%9F%98%80", "'", "a" * 500]
IN_QUERIES = ["1", "0", "-1", "x", "%00", "9" * 30, "%F0%9F%98%80", "2026-01-01", "%27", ""]


class Dice(random.Random):
    def body(self, schema: dict[str, Any], depth: int = 0) -> Any:
        """Something of this schema, with junk here and there."""
        if "$ref" in schema:
            return self.body(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], depth + 1)
        if depth and self.random() < 0.35:
            return self.choice(VALUES)
        if "enum" in schema:
            return self.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                members = schema.get("properties", {}) if depth < 6 else {}
                return {name: self.body(inner, depth + 1) for name, inner in members.items() if self.random() < 0.9}
            case "array":
                return [self.body(schema["items"], depth + 1) for _ in range(self.choice([0, 1, 3]))]
            case "integer":
                return self.choice([0, 1, 12, -5])
            case "boolean":
                return True
            case "string":
                right = {
                    "uuid": ABSENT,
                    "email": "a@example.com",
                    "date-time": "2027-01-01T00:00:00Z",
                    "date": "1990-01-01",
                }
                return right.get(schema.get("format", ""), "word")
        return "12.50"


@pytest.fixture
def callers(api: Api, person: Callable[..., User]) -> list[Any]:
    return [api.as_user(person(role, role=role, identity=True)) for role in ("user", "reviewer", "moderator")]


@pytest.mark.parametrize("path, verb", OPERATIONS)
def test_junk_has_a_clear_answer(path: str, verb: str, callers: list[Any]) -> None:
    dice = Dice(f"{verb} {path}")
    operation = DOCUMENT["paths"][path][verb]
    content = operation.get("requestBody", {}).get("content", {})
    schema = next(iter(content.values()))["schema"] if content else {"type": "object"}
    for _ in range(1 if ENDS_THE_CALLER.search(path) else TIMES):
        address = re.sub(r"{\w+}", lambda _: dice.choice(IN_PATHS), path)
        asked = [row["name"] for row in operation.get("parameters", []) if row["in"] == "query" and dice.random() < 0.5]
        query = "&".join(f"{name}={dice.choice(IN_QUERIES)}" for name in asked)
        body = json.dumps(dice.body(schema)) if verb in ("post", "put") else ""
        caller = dice.choice(callers)
        answer = caller.client.generic(
            verb.upper(), f"{address}?{query}", body, content_type="application/json" if body else ""
        )
        said = f"{verb} {address}?{query} {body[:500]} → {answer.status_code}"
        assert answer.status_code < 500, said
        documents.check(verb, address, query, answer)
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json", said
            assert answer.json()["code"], said
