"""Shapes of answers: what is written, what the documents say, what mypy and msgspec would not tell."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from django.db import models
from django.utils.translation import gettext_lazy
from msgspec import UNSET, Meta, UnsetType

from core.api import schemas
from core.api.outputs import Message, Moment, MoneyText, Output, Page
from core.api.rendering import to_json


class Colour(models.TextChoices):
    RED = "red"
    BLUE = "blue"


class Small(Output):
    """A small thing."""

    given_name: str
    colour: Colour | None = None


class Large(Small):
    small_ones: list[Small]
    kind: Literal["a", "b"]
    at: Moment
    left_out: int | UnsetType = UNSET
    amount: Annotated[MoneyText | None, Meta(description="How much.")]
    facts: dict[str, Any]


class NamedPage(Page[Small]):
    unread_count: int


ID = UUID("01900000-0000-7000-8000-000000000000")
LARGE = Large(
    given_name="Ada",
    small_ones=[Small(given_name="Bo", colour=Colour.RED)],
    kind="a",
    at=datetime(2026, 11, 23, 10, tzinfo=UTC),
    amount="1.00",
    facts={"id": ID},
)


def test_it_is_written_in_camel_case_and_what_is_unset_is_left_out() -> None:
    assert to_json(LARGE) == (
        b'{"givenName":"Ada","colour":null,"smallOnes":[{"givenName":"Bo","colour":"red"}],"kind":"a",'
        b'"at":"2026-11-23T10:00:00Z","amount":"1.00","facts":{"id":"01900000-0000-7000-8000-000000000000"}}'
    )


def test_it_may_lie_in_dictionaries_and_lists() -> None:
    assert to_json({"items": [Small(given_name="Ada")]}) == b'{"items":[{"givenName":"Ada","colour":null}]}'


def test_text_is_translated_when_it_is_written() -> None:
    done: Any = gettext_lazy("Done")
    assert to_json(Message(message=done)) == b'{"message":"Done"}'


def test_members_are_keywords_and_do_not_change() -> None:
    with pytest.raises(TypeError):
        Message("Done")  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        LARGE.kind = "b"  # type: ignore[misc]


def test_members_with_defaults_are_always_there_and_unset_ones_are_not() -> None:
    component = schemas.components(Large)["Large"]
    assert set(component["required"]) == {"givenName", "colour", "smallOnes", "kind", "at", "amount", "facts"}
    assert "description" not in component
    assert component["properties"]["leftOut"] == {"type": "integer"}
    assert component["properties"]["amount"]["type"] == ["string", "null"]
    assert component["properties"]["amount"]["description"] == "How much."


def test_outputs_and_enums_are_components_with_names_of_their_own() -> None:
    found = schemas.components(Page[Small])
    assert found.keys() == {"SmallPage", "Small", "CoreColour"}
    assert found["Small"]["properties"]["colour"] == {
        "oneOf": [{"$ref": "#/components/schemas/CoreColour"}, {"type": "null"}]
    }
    assert found["CoreColour"] == {"type": "string", "enum": ["red", "blue"]}
    assert found["Small"]["description"] == "A small thing."
    assert schemas.components(NamedPage)["NamedPage"]["properties"]["items"]["items"] == schemas.schema(Small)


def test_an_answer_may_be_one_of_two_outputs() -> None:
    assert schemas.schema(Small | Large)["oneOf"] == [schemas.schema(Small), schemas.schema(Large)]


def test_a_decimal_has_no_form_in_an_answer() -> None:
    class Priced(Output):
        price: Decimal

    with pytest.raises(TypeError, match="money goes out as text"):
        schemas.components(Priced)
