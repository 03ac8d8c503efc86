"""Submit, publish, reject, cancel, decide: the steps and nothing but the steps."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from campaigns.errors import NotInReview, OwnCampaign, ReviewedDeadlinePassed
from campaigns.models import Campaign, Status, StatusChange
from campaigns.selectors import campaign_list, campaign_page, campaign_rows
from campaigns.services.closing import decide_campaign
from campaigns.services.review import publish_campaign, reject_campaign
from campaigns.services.transitions import TRANSITIONS, table
from campaigns.testing import allowed, make_campaign
from core import events
from core.models import Event
from core.money import Money
from core.testing import Api, deliver_events


def url(campaign: Campaign, *rest: Any) -> str:
    return "/".join([f"/api/campaigns/{campaign.pk}", *rest])


def refusal(response: Any) -> Any:
    return response.status_code, response.json()["code"]


def notified_of(client: Api) -> list[Any]:
    """Kinds of the person's notices, newest first."""
    deliver_events()
    return [item["kind"] for item in client.get("/api/notifications").json()["items"]]


def test_from_draft_to_live(api: Api, founder: User, moderator: User) -> None:
    draft = make_campaign(founder, status="draft")
    client = api.as_user(founder)
    submitted = client.post(url(draft, "submit"))
    assert (submitted.status_code, submitted.json()["status"]) == (200, "in_review")
    assert allowed(submitted.json()) == ["edit"]
    assert refusal(client.post(url(draft, "submit"))) == (409, "campaign_not_a_draft")
    publish_campaign(moderator=moderator, campaign_id=draft.pk, now=timezone.now(), seen=submitted.json()["version"])
    live = client.get(url(draft)).json()
    assert (live["status"], allowed(live)) == ("live", ["edit", "cancel", "amend", "post_update"])
    assert live["startsAt"] is not None
    steps = StatusChange.objects.filter(campaign=draft).order_by("id").values_list("to_status", "actor__first_name")
    assert list(steps) == [("in_review", "Founder"), ("live", "Moderator")]
    kinds = events.timeline(draft).values_list("kind", "actor_id")
    assert list(kinds) == [("campaign.submitted", founder.pk), ("campaign.published", moderator.pk)]
    assert notified_of(client) == ["campaign_published", "campaign_submitted"]


def test_nobody_reviews_their_own_campaign(person: Callable[..., User], moderator: User) -> None:
    owner = person("mod", role="moderator", identity=True)
    campaign = make_campaign(owner, status="in_review")
    now = timezone.now()
    with pytest.raises(OwnCampaign):
        publish_campaign(moderator=owner, campaign_id=campaign.pk, now=now, seen=campaign.version)
    with pytest.raises(OwnCampaign):
        reject_campaign(moderator=owner, campaign_id=campaign.pk, reason="No", now=now)
    assert (
        publish_campaign(moderator=moderator, campaign_id=campaign.pk, now=now, seen=campaign.version).status
        == Status.LIVE
    )
    with pytest.raises(NotInReview):
        publish_campaign(moderator=moderator, campaign_id=campaign.pk, now=now, seen=campaign.version)


def test_a_rejected_campaign_can_be_mended_and_submitted_again(api: Api, founder: User, moderator: User) -> None:
    campaign = make_campaign(founder, status="in_review")
    reject_campaign(moderator=moderator, campaign_id=campaign.pk, reason="Name the roof.", now=timezone.now())
    client = api.as_user(founder)
    assert client.get(url(campaign)).json()["status"] == "rejected"
    deliver_events()
    notice = client.get("/api/notifications").json()["items"][0]
    assert (notice["kind"], notice["data"]["reason"]) == ("campaign_rejected", "Name the roof.")
    assert "Name the roof." in notice["body"]
    assert "Name the roof." not in str(Event.objects.values()), "words are not kept"
    mended = client.put(url(campaign), {"title": "The roof of the school"}).json()
    assert (mended["status"], mended["reviewNote"]) == ("draft", None)
    assert client.post(url(campaign, "submit")).json()["status"] == "in_review"
    reject_campaign(moderator=moderator, campaign_id=campaign.pk, reason="Still.", now=timezone.now())
    assert client.post(url(campaign, "submit")).json()["status"] == "in_review"


def test_a_deadline_that_passed_in_review_is_not_published(founder: User, moderator: User) -> None:
    campaign = make_campaign(founder, status="in_review")
    with pytest.raises(ReviewedDeadlinePassed):
        publish_campaign(moderator=moderator, campaign_id=campaign.pk, now=campaign.ends_at, seen=campaign.version)
    before = campaign.ends_at - timedelta(seconds=1)
    assert (
        publish_campaign(moderator=moderator, campaign_id=campaign.pk, now=before, seen=campaign.version).status
        == Status.LIVE
    )


def test_the_operators_command(founder: User) -> None:
    campaign = make_campaign(founder, status="in_review")
    out = StringIO()
    call_command("publish_campaign", str(campaign.pk), stdout=out)
    assert "is live until" in out.getvalue()
    with pytest.raises(CommandError, match="in review"):
        call_command("publish_campaign", str(campaign.pk))


def test_cancelling_is_for_live_campaigns(api: Api, founder: User, campaign: Campaign) -> None:
    client = api.as_user(founder)
    draft = make_campaign(founder, status="draft")
    assert refusal(client.post(url(draft, "cancel"))) == (409, "campaign_not_live")
    assert client.post(url(campaign, "cancel")).json()["status"] == "cancelled"
    assert refusal(client.post(url(campaign, "cancel"))) == (409, "campaign_not_live")
    event = Event.objects.get(kind="campaign.cancelled")
    assert (event.subject_id, event.actor_id, events.facts_of(event)) == (
        campaign.pk,
        founder.pk,
        {"owner_id": founder.pk, "before": "live", "amount": Money(0, "USD")},
    )


def test_the_deadline_decides_once(founder: User, campaign: Campaign) -> None:
    assert decide_campaign(campaign.pk, now=campaign.ends_at - timedelta(seconds=1)).status == Status.LIVE
    assert decide_campaign(campaign.pk, now=campaign.ends_at).status == Status.FAILED
    assert decide_campaign(campaign.pk, now=campaign.ends_at + timedelta(days=1)).status == Status.FAILED
    assert StatusChange.objects.filter(campaign=campaign, to_status=Status.FAILED).count() == 1


def test_the_database_takes_the_same_steps_as_the_code(campaign: Campaign) -> None:
    """Every pair of statuses is tried on the table itself."""
    allowed = set()
    for before in Status.values:
        for after in Status.values:
            if before == after:
                continue
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("ALTER TABLE campaigns_campaign DISABLE TRIGGER campaign_keeps_its_rules")
                Campaign.objects.filter(pk=campaign.pk).update(status=before)
                cursor.execute("ALTER TABLE campaigns_campaign ENABLE TRIGGER campaign_keeps_its_rules")
                try:
                    with transaction.atomic():
                        Campaign.objects.filter(pk=campaign.pk).update(status=after)
                    allowed.add((before, after))
                except IntegrityError:
                    pass
                transaction.set_rollback(True)
    assert allowed == {(str(before), str(after)) for before, after in TRANSITIONS}


def test_the_docs_show_the_table_of_steps() -> None:
    assert table() in (settings.BASE_DIR / "docs" / "campaign-lifecycle.md").read_text()


def test_the_history_is_for_the_owner_and_moderators(api: Api, founder: User, moderator: User, stranger: User) -> None:
    campaign = make_campaign(founder, status="in_review")
    reject_campaign(moderator=moderator, campaign_id=campaign.pk, reason="Name the roof.", now=timezone.now())
    api.as_user(founder).post(url(campaign, "submit"))
    campaign.refresh_from_db()
    publish_campaign(moderator=moderator, campaign_id=campaign.pk, now=timezone.now(), seen=campaign.version)
    told = [api.as_user(who).get(url(campaign)).json()["history"] for who in (founder, moderator, stranger)]
    assert told[0] == told[1] and told[2] is None
    assert [(step["from"], step["to"], step["actor"], step["reason"]) for step in told[0]] == [
        ("draft", "in_review", "owner", None),
        ("in_review", "rejected", "staff", "Name the roof."),
        ("rejected", "draft", "owner", None),
        ("draft", "in_review", "owner", None),
        ("in_review", "live", "staff", None),
    ]


def test_a_campaign_is_what_it_is_by_the_clock(api: Api, founder: User, stranger: User) -> None:
    """Nothing runs at the deadline here: the status stays, the phase does not."""
    starts_at, second = timezone.now() + timedelta(days=1), timedelta(seconds=1)
    campaign = make_campaign(founder, starts_at=starts_at, ends_at=starts_at + timedelta(days=2), max_amount="1000")
    edges = {
        starts_at - second: ("upcoming", False),
        starts_at: ("open", True),
        campaign.ends_at - second: ("open", True),
        campaign.ends_at: ("ended", False),
    }
    for moment, expected in edges.items():
        page = campaign_page(stranger, campaign.pk, moment)
        assert (page.phase, page.accepts_investments, page.status) == (*expected, "live")
        for phase in ("upcoming", "open", "ended"):
            assert campaign_list(stranger, now=moment, phase=phase).exists() == (phase == expected[0])
            rows = campaign_rows(stranger, now=moment, phase=phase, limit=2)
            assert len(rows) == (phase == expected[0])
    Campaign.objects.filter(pk=campaign.pk).update(reserved_minor=100_000)
    full = campaign_page(stranger, campaign.pk, starts_at)
    assert (full.phase, full.accepts_investments) == ("open", False)
    assert api.as_user(stranger).get("/api/campaigns", {"phase": "draft"}).status_code == 400
