"""Making, changing and deleting a campaign, through the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from campaigns.models import Campaign
from campaigns.testing import allowed, draft_fields, make_campaign
from core.testing import Api
from uploads.testing import picture


def url(campaign: Campaign, *rest: Any) -> str:
    return "/".join([f"/api/campaigns/{campaign.pk}", *rest])


def refusal(response: Any) -> Any:
    return response.status_code, response.json()["code"]


def test_a_draft_is_made_and_read_back(api: Api, founder: User) -> None:
    made = api.as_user(founder).post("/api/campaigns", draft_fields(maxAmount=1500, minInvestment="10.5"))
    assert made.status_code == 201, made.json()
    body = made.json()
    assert (body["status"], body["goalAmount"], body["maxAmount"], body["minInvestment"]) == (
        "draft",
        "1000.00",
        "1500.00",
        "10.50",
    )
    assert (body["raisedAmount"], body["committedAmount"], body["progressPercent"]) == ("0.00", "0.00", 0)
    assert body["owner"]["firstName"] == "Founder"
    assert allowed(body) == ["edit", "submit", "delete"]
    assert body["slug"].startswith("a-solar-roof-for-the-school-")
    read = api.as_user(founder).get(f"/api/campaigns/{body['id']}")
    assert read.json() == body
    assert read.headers["ETag"] == made.headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"goalAmount": "0"}, "goalAmount", "invalid_amount"),
        ({"goalAmount": "1e3"}, "goalAmount", "invalid_amount"),
        ({"goalAmount": "10.005"}, "goalAmount", "invalid_amount"),
        ({"goalAmount": True}, "goalAmount", "invalid_amount"),
        ({"currency": "JPY", "goalAmount": "10.5"}, "goalAmount", "invalid_amount"),
        ({"currency": "XXX"}, "currency", "invalid_choice"),
        ({"maxAmount": "999.99"}, "maxAmount", "cap_below_goal"),
        ({"minInvestment": "1000.01"}, "minInvestment", "minimum_above_goal"),
        ({"category": "nothing-like-it"}, "category", "unknown_category"),
        ({"endsAt": "2020-01-01T00:00:00Z"}, "endsAt", "deadline_passed"),
        ({"endsAt": "9999-12-31T23:59:59Z"}, "endsAt", "deadline_too_far"),
        ({"startsAt": "2900-01-01T00:00:00Z"}, "endsAt", "ends_before_start"),
        ({"title": "x" * 121}, "title", "max_length"),
        ({"title": "two\nlines"}, "title", "not_one_line"),
        ({"title": "\u200d\u200d"}, "title", "not_one_line"),
        ({"title": "\u2800"}, "title", "shows_nothing"),
        ({"summary": ""}, "summary", "blank"),
        ({"summary": "\u3164"}, "summary", "shows_nothing"),
        ({"description": "ring\u0007"}, "description", "not_plain_text"),
        ({"expectedReturnPercent": "-1"}, "expectedReturnPercent", "min_value"),
    ],
)
def test_what_does_not_fit_is_named(api: Api, founder: User, change: dict[str, Any], field: str, code: str) -> None:
    client = api.as_user(founder)
    refused = client.post("/api/campaigns", draft_fields(**change))
    assert refused.status_code == 400
    assert [(row["field"], row["code"]) for row in refused.json()["errors"]] == [(field, code)]
    assert client.post("/api/campaigns", draft_fields()).status_code == 201


def test_a_title_may_have_what_writing_has(api: Api, founder: User) -> None:
    made = api.as_user(founder).post("/api/campaigns", draft_fields(title="پروژه‌ها\u00a0for families 👨‍👩‍👧"))
    assert made.status_code == 201, made.content
    assert made.json()["title"] == "پروژه‌ها for families 👨‍👩‍👧"


def test_pictures_come_with_the_draft_and_can_be_replaced(api: Api, founder: User) -> None:
    client = api.as_user(founder)
    made = client.upload("/api/campaigns", draft_fields(media=[picture(), picture()]))
    assert made.status_code == 201, made.json()
    first, second = made.json()["media"]
    assert first["url"] != second["url"]
    assert client.get("/api/campaigns").json()["items"][0]["coverImage"] == first["url"]
    changed = client.upload(f"/api/campaigns/{made.json()['id']}", {"media": [picture()]}, method="put")
    assert changed.status_code == 200, changed.json()
    assert len(changed.json()["media"]) == 1
    assert changed.json()["media"][0]["id"] not in (first["id"], second["id"])
    assert changed.json()["title"] == made.json()["title"]


def test_eleven_pictures_are_too_many(api: Api, founder: User) -> None:
    client = api.as_user(founder)
    refused = client.upload("/api/campaigns", draft_fields(media=[picture() for _ in range(11)]))
    assert refused.status_code in (400, 413)
    assert client.upload("/api/campaigns", draft_fields(media=[picture() for _ in range(10)])).status_code == 201


def test_creating_needs_a_proven_identity(api: Api, stranger: User, founder: User) -> None:
    assert refusal(api.as_user(stranger).post("/api/campaigns", draft_fields())) == (403, "kyc_required")
    assert api.as_user(founder).post("/api/campaigns", draft_fields()).status_code == 201


def test_a_stale_edit_is_refused(api: Api, founder: User) -> None:
    draft = make_campaign(founder, status="draft")
    client = api.as_user(founder)
    tag = client.get(url(draft)).headers["ETag"]
    first = client.put(url(draft), {"title": "First"}, if_match=tag)
    assert (first.status_code, first.json()["title"]) == (200, "First")
    assert refusal(client.put(url(draft), {"title": "Second"}, if_match=tag)) == (412, "stale")
    assert client.put(url(draft), {"title": "Second"}, if_match=first.headers["ETag"]).status_code == 200
    assert client.put(url(draft), {"title": "Third"}).json()["title"] == "Third"


def test_once_live_the_terms_are_frozen_and_the_words_are_not(api: Api, founder: User, campaign: Campaign) -> None:
    client = api.as_user(founder)
    later = (timezone.now() + timedelta(days=60)).isoformat()
    for change in ({"goalAmount": "500"}, {"maxAmount": "5000"}, {"minInvestment": "1"}, {"endsAt": later}):
        refused = client.put(url(campaign), change)
        assert refusal(refused) == (409, "terms_frozen")
        assert refused.json()["fields"] == list(change)
    same = client.put(url(campaign), {"goalAmount": "1000.00", "title": "A bigger solar roof"})
    assert (same.status_code, same.json()["title"]) == (200, "A bigger solar roof")


def test_the_database_freezes_the_terms_too(campaign: Campaign) -> None:
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(goal_minor=1)


def test_another_currency_needs_every_amount_again(api: Api, founder: User) -> None:
    draft = make_campaign(founder, status="draft", max_amount="2000")
    client = api.as_user(founder)
    assert refusal(client.put(url(draft), {"currency": "JPY", "goalAmount": 5000})) == (400, "amount_needed")
    changed = client.put(url(draft), {"currency": "JPY", "goalAmount": 5000, "maxAmount": ""})
    assert (changed.json()["goalAmount"], changed.json()["maxAmount"]) == ("5000", None)


def test_only_drafts_can_be_deleted(api: Api, founder: User, campaign: Campaign) -> None:
    client = api.as_user(founder)
    draft = make_campaign(founder, status="draft")
    assert refusal(client.delete(url(campaign))) == (409, "campaign_not_a_draft")
    assert client.delete(url(draft)).json() == {"message": "Campaign deleted successfully"}
    assert client.get(url(draft)).status_code == 404


def test_a_repeated_key_makes_one_campaign(api: Api, founder: User) -> None:
    client = api.as_user(founder)
    fields = draft_fields()
    first = client.post("/api/campaigns", fields, idempotency_key="once")
    again = client.post("/api/campaigns", fields, idempotency_key="once")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Campaign.objects.count() == 1
