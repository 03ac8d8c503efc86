"""What comes in and goes out: strict JSON, one problem shape, camelCase names, ids."""

import uuid
from datetime import UTC, datetime

import pytest
from rest_framework.fields import CharField, SerializerMethodField

from core.api.errors import MalformedBody
from core.api.parsing import parse_json
from core.api.rendering import to_json
from core.api.serializers import Serializer
from core.data.ids import uuid7


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"", b"nope", b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 1}}', b'{"a": NaN}', b'{"a": -Infinity}',
        b'{"a": "\\u0000"}', b'{"a\\u0000": 1}', b'{"a": "\\ud800"}', b'\xff\xfe', b'{"a": "\xff"}', b"1" * 50,
        b"[" * 21 + b"]" * 21, b"[" * 100_000, b'{"a": tru}', b'{"a": 1}x',
    ],
)  # fmt: skip
def test_malformed_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        parse_json(body)


def test_depth_twenty_is_fine() -> None:
    assert parse_json(b"[" * 20 + b"]" * 20)


def test_json_out_writes_utc_with_z_and_refuses_decimals() -> None:
    moment = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    assert to_json({"at": moment}) == b'{"at":"2026-11-23T10:00:00Z"}'


class Inner(Serializer):
    given_name = CharField()


class Outer(Inner):
    inner_part = Inner()
    made_up = SerializerMethodField()

    def get_made_up(self, _row: object) -> str:
        return "yes"


def test_names_are_translated_both_ways() -> None:
    serializer = Outer(data={"givenName": "A", "innerPart": {"givenName": "B"}})
    assert serializer.is_valid(), serializer.errors
    assert serializer.validated_data == {"given_name": "A", "inner_part": {"given_name": "B"}}
    assert Outer({"given_name": "A", "inner_part": {"given_name": "B"}}).data == {
        "givenName": "A",
        "innerPart": {"givenName": "B"},
        "madeUp": "yes",
    }


def test_ids_are_version_seven_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.data.ids._last", 0)  # other tests travel in time
    ids = [uuid7() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {one.version for one in ids} == {7}
    assert {one.variant for one in ids} == {uuid.RFC_4122}
    age = datetime.now(UTC).timestamp() * 1000 - (ids[0].int >> 80)
    assert abs(age) < 60_000
