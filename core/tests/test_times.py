"""Moments and days as clients write them (API.md, *times*)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework import fields

from accounts.testing import make_person
from core import clock
from core.api import serializers
from core.api.errors import ZoneRequired
from core.testing import Api
from core.times import parse_day, parse_moment

NOON = datetime(2090, 12, 31, 12, tzinfo=UTC)
MOMENTS = {
    "2090-12-31T12:00:00Z": NOON,
    "2090-12-31t12:00:00z": NOON,
    "2090-12-31T12:00:00.000Z": NOON,
    "2090-12-31T13:00:00+01:00": NOON,
    "2090-12-31T00:30:00-11:30": NOON,
    "2090-12-31T12:00:00-00:00": NOON,
    "2090-12-31T12:00:00.1234567Z": NOON.replace(microsecond=123456),
}
NO_ZONE = [
    "2090-12-31T12:00:00", "2090-12-31", "2090-12-31T12:00", "2090-12-31T12:00Z", "20901231T120000Z", "2090-W52-7",
    "2090-W52-7T12:00:00Z", "2090-365", "2090-12-31 12:00:00Z", "2090-12-31T12:00:00,5Z", "2090-12-31T12:00:00+01",
    "2090-12-31T12:00:00+0100", "2090", "2090-12", "2090-12-31T12", "2090-12-31T12:00:00 Z",
]  # fmt: skip
NO_MOMENT = [
    "", "soon", "12:00", "2090-13-01T12:00:00Z", "2090-02-30T12:00:00Z", "2090-12-31T25:00:00Z",
    "0001-01-01T00:00:00+14:00", "2090-12-31T12:00:00+25:00", "２０９０-12-31T12:00:00Z", "2090-12-31T12:00:00Z\n",
    "2090-12-31T12:00:00[Europe/Berlin]",
]  # fmt: skip
DAYS_REFUSED = [
    "1990-W01-1", "19900101", "1990-1-1", "1990-001", "1990-01-01T00:00:00Z", "01.01.1990", "1990-02-30", "0000-01-01",
    "１９９０-01-01", "1990-01-01 ", "1990-01",
]  # fmt: skip


@pytest.mark.parametrize(("text", "moment"), MOMENTS.items())
def test_moments_with_a_zone_are_taken(text: Any, moment: Any) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize("text", NO_ZONE)
def test_other_forms_of_iso_8601_need_a_zone(text: Any) -> None:
    with pytest.raises(ZoneRequired):
        parse_moment(text)


@pytest.mark.parametrize("text", NO_MOMENT)
def test_what_is_no_moment_is_refused(text: Any) -> None:
    with pytest.raises(ValueError):
        parse_moment(text)


@pytest.mark.parametrize("text", DAYS_REFUSED)
def test_a_day_is_written_in_one_way(text: Any) -> None:
    assert parse_day("1990-01-01") == date(1990, 1, 1)
    with pytest.raises(ValueError):
        parse_day(text)


def inputs() -> list[type[serializers.Serializer]]:
    """Every class that reads what clients send."""
    found, waiting = [], [serializers.Serializer]
    while waiting:
        below = waiting.pop().__subclasses__()
        waiting += below
        found += [one for one in below if one.__name__.endswith(("Input", "Query", "Frame"))]
    return found


def test_every_moment_and_day_of_a_request_is_read_here(db: None) -> None:
    Api().get("/api/schema")  # so that every view is imported
    strict = (serializers.MomentField, serializers.DayField)
    lax = [
        f"{one.__name__}.{name}"
        for one in inputs()
        for name, field in one().fields.items()
        if isinstance(field, fields.DateTimeField | fields.DateField) and not isinstance(field, strict)
    ]
    assert len(inputs()) > 30 and lax == []


@pytest.fixture
def campaign_fields(db: None) -> dict[str, Any]:
    from campaigns.models import Category

    category = Category.objects.first()
    assert category is not None
    return {
        "title": "Roofs", "summary": "s", "description": "d", "category": category.slug, "goalAmount": "1000",
        "currency": "EUR",
    }  # fmt: skip


@pytest.mark.parametrize("form", ["%Y-%m-%dT12:00:00", "%Y-%m-%d", "%Y%m%dT120000Z"])
def test_a_deadline_without_a_zone_is_refused(api: Api, campaign_fields: dict[str, Any], form: str) -> None:
    day = clock.now() + timedelta(days=200)
    text = f"{day:{form}}"
    founder = api.as_user(make_person(identity=True))
    refused = founder.post("/api/campaigns", {**campaign_fields, "endsAt": text})
    assert (refused.status_code, refused.json()["code"]) == (400, "zone_required")
    assert [(row["field"], row["code"]) for row in refused.json()["errors"]] == [("endsAt", "zone_required")]
    beside = founder.post("/api/campaigns", {**campaign_fields, "title": "", "endsAt": text}).json()
    assert beside["code"] == "invalid_input"
    assert {row["code"] for row in beside["errors"]} == {"blank", "zone_required"}
    made = founder.post("/api/campaigns", {**campaign_fields, "endsAt": f"{day:%Y-%m-%d}T13:00:00+01:00"})
    assert (made.status_code, made.json()["endsAt"]) == (201, f"{day:%Y-%m-%d}T12:00:00Z")
    url = f"/api/campaigns/{made.json()['id']}"
    assert founder.put(url, {"startsAt": text}).json()["code"] == "zone_required"


@pytest.mark.parametrize("text", ["1990-W01-1", "19900101", "1990-01-01T00:00:00Z"])
def test_a_date_of_birth_is_a_day(api: Api, text: str) -> None:
    me = api.as_user(make_person())
    body = {"documentType": "passport", "documentNumber": "C01X00T47"}
    refused = me.post("/api/kyc/initiate", {**body, "dateOfBirth": text})
    assert [row["field"] for row in refused.json()["errors"]] == ["dateOfBirth"]
    assert me.post("/api/kyc/initiate", {**body, "dateOfBirth": "1990-01-01"}).status_code == 201


def test_a_badge_ends_at_a_moment(api: Api) -> None:
    staff, holder = api.as_user(make_person(role="moderator")), make_person()
    body = {"userId": str(holder.pk), "expiresAt": "2090-12-31"}
    assert staff.post("/api/kyc/badges/founder", body).json()["code"] == "zone_required"


def test_the_command_that_closes_takes_moments_with_a_zone(db: None) -> None:
    call_command("close_campaigns", at="2020-01-01T00:00:00Z")
    with pytest.raises(CommandError):
        call_command("close_campaigns", at="2020-01-01")
