"""A card number in any member of an operation about campaigns or investments is refused, and is nowhere afterwards."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import User
from campaigns.testing import make_campaign
from core.api.openapi import generate
from core.testing import Api
from investments.models import PaymentMethod
from investments.testing import invest, make_card

pytestmark = pytest.mark.django_db

NUMBER = "5555555555554444"
"""A number that a network may issue and that is none of the sandbox's test cards."""
WRITTEN = (NUMBER, "5555 5555 5555 4444")
OF_PROVIDERS = "/api/investments/webhooks/{provider}"
"""What a provider signs is the provider's."""


@cache
def document() -> dict[str, Any]:
    return generate()


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return document()["components"]["schemas"][name] if name else schema


def places(schema: dict[str, Any], depth: int = 0) -> Iterator[Callable[[Any], Any]]:
    """For each place of a body that may hold text: a function that builds a body with a value there, and only that."""
    schema = resolved(schema)
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from places(choice, depth)
    types = schema.get("type", [])
    if "string" in ([types] if isinstance(types, str) else types):
        yield _itself
    if depth > 4:
        return
    for name, member in schema.get("properties", {}).items():
        for build in places(member, depth + 1):
            yield partial(_in_object, name, build)
    if isinstance(schema.get("items"), dict):
        for build in places(schema["items"], depth + 1):
            yield partial(_in_list, build)
    if isinstance(schema.get("additionalProperties"), dict):
        yield _as_name


def _itself(value: Any) -> Any:
    return value


def _in_object(name: str, build: Callable[[Any], Any], value: Any) -> Any:
    return {name: build(value)}


def _in_list(build: Callable[[Any], Any], value: Any) -> Any:
    return [build(value)]


def _as_name(value: Any) -> Any:
    return {value: "x"}


def bodies() -> Iterator[tuple[str, str, Any]]:
    """Method, path and a function of the value, for every place of every operation that takes a body."""
    for path, operations in document()["paths"].items():
        if not path.startswith(("/api/investments", "/api/campaigns")) or path == OF_PROVIDERS:
            continue
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            for kind in ("application/json", "multipart/form-data"):
                if kind in content:
                    for build in places(content[kind]["schema"]):
                        yield method, path, build
                    break


def texts_of_the_database() -> Iterator[tuple[str, str]]:
    """Every value of every column of every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            yield from ((table, row) for (row,) in cursor.fetchall())


def holds(text: str) -> bool:
    return any(written in text for written in WRITTEN)


def test_every_operation_is_covered() -> None:
    covered = {(method, path) for method, path, _ in bodies()}
    assert ("post", "/api/campaigns/{campaignId}/invest") in covered
    assert ("post", "/api/campaigns") in covered
    assert ("post", "/api/investments/payment-methods") in covered
    assert len(covered) >= 15
    assert sum(1 for _ in bodies()) >= 60


def test_it_is_refused_everywhere_and_kept_nowhere(
    api: Api, person: Callable[..., User], caplog: pytest.LogCaptureFixture
) -> None:
    founder = person("founder", identity=True)
    campaign = make_campaign(founder, min_investment="10")
    investment = invest(api, person("backer", identity=True), campaign, "100")
    method = make_card(founder)
    ids: dict[str, UUID] = {"campaignId": campaign.pk, "investmentId": investment.pk, "methodId": method.pk}
    client, asked, missed = api.as_user(founder), 0, []
    for verb, path, build in bodies():
        address = path
        for name in [part.partition("}")[0] for part in path.split("{")[1:]]:
            address = address.replace(f"{{{name}}}", str(ids.get(name, campaign.pk)))
        for written in WRITTEN:
            body, headers = build(written), {"idempotency_key": f"k{asked}"} if verb == "post" else {}
            answer = client._send(verb, address, body, headers)
            asked += 1
            assert not holds(answer.content.decode()), (verb, path)
            if answer.status_code != 400 or answer.json()["code"] != "raw_card_data_refused":
                missed.append((verb, path, body, answer.status_code, answer.content[:200]))
    assert not missed, missed[:5]
    assert asked >= 100
    assert PaymentMethod.objects.count() == 2
    assert [table for table, row in texts_of_the_database() if holds(row)] == []
    assert not holds(caplog.text)


@pytest.mark.parametrize("query", [{"search": NUMBER}, {"q": NUMBER}, {"category": NUMBER}, {"cursor": NUMBER}])
def test_a_question_with_a_number_is_kept_nowhere(
    api: Api, person: Callable[..., User], caplog: pytest.LogCaptureFixture, query: dict[str, str]
) -> None:
    client = api.as_user(person("backer"))
    for path in ("/api/campaigns", "/api/investments"):
        client.get(path, query)
    assert [table for table, row in texts_of_the_database() if holds(row)] == []
    assert not holds(caplog.text)
