"""Following a campaign: counts, notices of deadline and outcome, erasure."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.services.leaving import erase_when_due
from campaigns import effects
from campaigns.jobs import ANNOUNCE_DEADLINES
from campaigns.models import Campaign, CampaignAudience, CampaignFollow
from campaigns.services import follows
from campaigns.services.closing import cancel_campaign, decide_campaign
from campaigns.testing import make_campaign
from core.jobs.runner import run
from core.models import Event
from core.privacy.exports import rows_of
from core.testing import WAIT_LIMIT, Api, drain_outbox, together


def url(campaign: Campaign, what: str = "/follow") -> str:
    return f"/api/campaigns/{campaign.pk}{what}"


def kinds(api: Api, who: User) -> list[str]:
    return [item["kind"] for item in api.as_user(who).get("/api/notifications").json()["items"]]


def test_a_follow_and_its_end(api: Api, campaign: Campaign, stranger: User, backer: User) -> None:
    me = api.as_user(stranger)
    for _ in range(2):
        shown = me.post(url(campaign)).json()
        assert (shown["followedByMe"], shown["followerCount"]) == (True, 1)
    other = api.as_user(backer).get(url(campaign, "")).json()
    assert (other["followedByMe"], other["followerCount"]) == (False, 1)
    for _ in range(2):
        shown = me.delete(url(campaign)).json()
        assert (shown["followedByMe"], shown["followerCount"]) == (False, 0)
    recorded = Event.objects.filter(actor_id=stranger.pk, subject_id=campaign.pk).order_by("id")
    assert list(recorded.values_list("kind", flat=True)) == ["campaign.followed", "campaign.unfollowed"]


def test_a_draft_of_somebody_else_is_not_there(api: Api, founder: User, stranger: User) -> None:
    draft = make_campaign(founder, status="draft")
    for method in (api.as_user(stranger).post, api.as_user(stranger).delete):
        assert method(url(draft)).status_code == 404


def test_at_most_so_many(
    api: Api, campaign: Campaign, founder: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follows, "MAX_FOLLOWS", 1)
    me = api.as_user(stranger)
    me.post(url(campaign))
    refused = me.post(url(make_campaign(founder)))
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_followed_campaigns")
    assert me.post(url(campaign)).status_code == 200


def test_followers_hear_of_the_deadline_once(api: Api, campaign: Campaign, founder: User, stranger: User) -> None:
    for who in (stranger, founder):
        api.as_user(who).post(url(campaign))
    assert run(ANNOUNCE_DEADLINES, now=campaign.ends_at - timedelta(hours=49)).due == 0
    for hours in (48, 47):
        run(ANNOUNCE_DEADLINES, now=campaign.ends_at - timedelta(hours=hours))
        drain_outbox()
    assert kinds(api, stranger) == ["followed_campaign_ending"]
    assert "followed_campaign_ending" not in kinds(api, founder), "the owner knows"


@pytest.mark.parametrize("outcome", ["failed", "cancelled"])
def test_followers_hear_of_the_outcome(
    api: Api, campaign: Campaign, founder: User, stranger: User, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "BATCH", 1)
    for who in (stranger, founder):
        api.as_user(who).post(url(campaign))
    if outcome == "cancelled":
        cancel_campaign(owner=founder, campaign_id=campaign.pk, now=timezone.now())
    else:
        decide_campaign(campaign.pk, now=campaign.ends_at)
    drain_outbox()
    assert kinds(api, stranger) == [f"followed_campaign_{outcome}"]
    assert f"followed_campaign_{outcome}" not in kinds(api, founder)


def test_an_order_that_is_delivered_twice_notifies_once(api: Api, campaign: Campaign, stranger: User) -> None:
    api.as_user(stranger).post(url(campaign))
    run(ANNOUNCE_DEADLINES, now=campaign.ends_at - timedelta(hours=1))
    drain_outbox()
    event = Event.objects.get(kind="campaign.ending_soon")
    effects.notify_followers(
        event.pk, "followed_campaign_ending", str(campaign.pk), str(event.pk), str(UUID(int=2**128 - 1))
    )
    assert kinds(api, stranger) == ["followed_campaign_ending"]


def test_an_erasure_takes_the_follow_back(campaign: Campaign, stranger: User, backer: User) -> None:
    now = timezone.now()
    for who in (stranger, backer):
        follows.follow_campaign(person=who, campaign_id=campaign.pk, now=now)
    exported = dict(rows_of(stranger.pk))["campaigns/campaign-follows.json"]
    assert [row["campaignId"] for row in exported] == [campaign.pk]
    User.objects.filter(pk=stranger.pk).update(deletion_due_at=now)
    erase_when_due(user_id=stranger.pk, now=now)
    assert (CampaignFollow.objects.count(), CampaignAudience.objects.get().follower_count) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_many_follow_at_once(campaign: Campaign, stranger: User, person: Callable[..., User]) -> None:
    now, others = timezone.now(), [person() for _ in range(5)]
    calls = [partial(follows.follow_campaign, person=who, campaign_id=campaign.pk, now=now) for who in others]
    twice = [partial(follows.follow_campaign, person=stranger, campaign_id=campaign.pk, now=now)] * 2
    assert together(*calls, *twice) == [None] * 7
    assert (CampaignFollow.objects.count(), CampaignAudience.objects.get().follower_count) == (6, 6)


@pytest.mark.django_db(transaction=True)
def test_many_follow_at_once_twin(
    campaign: Campaign, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count that is read and written back loses one of two that meet."""
    met = Barrier(2)
    CampaignAudience.objects.create(campaign=campaign)

    def read_and_write(campaign_id: UUID, by: int) -> None:
        audience = CampaignAudience.objects.get(pk=campaign_id)
        met.wait(timeout=WAIT_LIMIT)
        audience.follower_count += by
        audience.save()

    monkeypatch.setattr(follows, "_count", read_and_write)
    rivals: list[Any] = [person(), person()]
    now = timezone.now()
    together(*(partial(follows.follow_campaign, person=who, campaign_id=campaign.pk, now=now) for who in rivals))
    assert (CampaignFollow.objects.count(), CampaignAudience.objects.get().follower_count) == (2, 1)
