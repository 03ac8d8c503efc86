"""Who sees and touches which campaign."""

from typing import Any

import pytest

from accounts.models import User
from campaigns.testing import make_campaign
from core.testing import Api

DRAFT = {"founder": 200, "stranger": 404, "moderator": 404}
WAITING = {"founder": 200, "stranger": 404, "moderator": 200}
LIVE = {"founder": 200, "stranger": 200, "moderator": 200}


@pytest.mark.parametrize(("status", "answers"), [("draft", DRAFT), ("in_review", WAITING), ("live", LIVE)])
def test_reading(
    api: Api, founder: User, stranger: User, moderator: User, status: str, answers: dict[str, Any]
) -> None:
    path = f"/api/campaigns/{make_campaign(founder, status=status).pk}"
    people = {"founder": founder, "stranger": stranger, "moderator": moderator}
    assert {name: api.as_user(who).get(path).status_code for name, who in people.items()} == answers
    listed = {name: len(api.as_user(who).get("/api/campaigns").json()["items"]) for name, who in people.items()}
    assert listed == {name: int(code == 200) for name, code in answers.items()}
    assert api.get(path).status_code == 401


@pytest.mark.parametrize(("status", "code"), [("draft", 404), ("live", 403)])
def test_writing_is_for_the_owner(api: Api, founder: User, backer: User, status: str, code: int) -> None:
    path = f"/api/campaigns/{make_campaign(founder, status=status).pk}"
    other = api.as_user(backer)
    answers = [
        other.put(path, {"title": "Mine"}),
        other.delete(path),
        other.post(f"{path}/submit"),
        other.post(f"{path}/cancel"),
    ]
    assert [answer.status_code for answer in answers] == [code] * 4
    assert api.as_user(founder).put(path, {"title": "Mine"}).status_code == 200


def test_only_the_owner_reads_the_review_note(api: Api, founder: User, moderator: User) -> None:
    from django.utils import timezone

    from campaigns.services.review import reject_campaign

    campaign = make_campaign(founder, status="in_review")
    reject_campaign(moderator=moderator, campaign_id=campaign.pk, reason="Name the roof.", now=timezone.now())
    path = f"/api/campaigns/{campaign.pk}"
    assert api.as_user(founder).get(path).json()["reviewNote"] == "Name the roof."
    assert api.as_user(moderator).get(path).json()["reviewNote"] is None


def test_a_malformed_id_is_not_found(api: Api, stranger: User) -> None:
    assert api.as_user(stranger).get("/api/campaigns/not-an-id").status_code == 404
