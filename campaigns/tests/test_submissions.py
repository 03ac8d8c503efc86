"""What is kept of a submission, what may change after it, and how the difference is shown."""

import random
from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, transaction

from accounts.models import User
from campaigns.models import Submission
from campaigns.services.review import reject_campaign, submit_campaign
from campaigns.services.submissions import MOST_COMPARISONS, changes_since, differences
from campaigns.testing import make_campaign
from core import clock
from core.testing import Api
from uploads.testing import picture


def test_the_rules_are_fixed_while_the_rest_may_change(api: Api, founder: User) -> None:
    campaign = make_campaign(founder, status="in_review")
    client, path = api.as_user(founder), f"/api/campaigns/{campaign.pk}"
    change = {
        "title": "Other",
        "rules": "eu_ecspr",
        "country": "FR",
        "timeZone": "Europe/Paris",
        "fiscalYearEnd": "06-30",
    }
    refused = client.put(path, change)
    assert (refused.status_code, refused.json()["code"]) == (409, "rules_fixed")
    assert refused.json()["fields"] == ["rules", "country", "timeZone", "fiscalYearEnd"]
    past = client.put(path, {"endsAt": (clock.now() - timedelta(days=1)).isoformat()})
    assert (past.status_code, past.json()["errors"][0]["code"]) == (400, "deadline_passed")
    assert client.get(path).json()["title"] == campaign.title
    assert client.put(path, {"title": "Other", "rules": "none"}).json()["title"] == "Other", (
        "the same rules are no change"
    )


def test_pictures_that_came_and_went_are_named(api: Api, founder: User) -> None:
    campaign = make_campaign(founder, status="in_review", media=[picture(), picture(seed=1)])
    submission = Submission.objects.get(campaign=campaign)
    assert not changes_since(submission, campaign)
    client = api.as_user(founder)
    changed = client.upload(f"/api/campaigns/{campaign.pk}", {"media": [picture(seed=2)]}, method="put").json()
    campaign.refresh_from_db()
    found = changes_since(submission, campaign)
    assert ([str(one) for one in found.new_pictures], found.removed_pictures) == ([changed["media"][0]["id"]], 2)
    assert found.fields == []


def test_each_submission_is_kept_as_it_was(founder: User, moderator: User) -> None:
    campaign = make_campaign(founder, status="in_review")
    reject_campaign(moderator=moderator, campaign_id=campaign.pk, reason="Name the roof.", now=clock.now())
    submit_campaign(owner=founder, campaign_id=campaign.pk, now=clock.now())
    first, second = Submission.objects.filter(campaign=campaign).order_by("id")
    assert first.fields == second.fields and first.fields["goal"] == "$1,000.00"
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        Submission.objects.filter(pk=first.pk).update(fields={})


def test_differences_read_as_both_texts() -> None:
    chance = random.Random(7)
    for _ in range(200):
        before, after = (
            "".join(chance.choices(["a", "bb", " ", "\n", "\u00e9"], k=chance.randrange(30))) for _ in range(2)
        )
        pieces = differences(before, after)
        assert "".join(piece.text for piece in pieces if piece.kind != "new") == before
        assert "".join(piece.text for piece in pieces if piece.kind != "gone") == after


def test_texts_that_take_long_to_compare_are_shown_whole() -> None:
    before, after = "a b " * 5_000, "b a " * 5_000
    pieces = differences("Same. " + before + " end", "Same. " + after + " end")
    assert len(before.split()) ** 2 > MOST_COMPARISONS
    assert [piece.kind for piece in pieces] == ["same", "gone", "new", "same"]
