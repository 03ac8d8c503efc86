"""Updates of a campaign: who reads which when, what is kept of an edit, who is notified."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from accounts.services import relations
from campaigns import effects
from campaigns.jobs import ANNOUNCE_UPDATES
from campaigns.models import Backing, Campaign, Update, UpdateEdit
from campaigns.outputs import UpdateOutput
from campaigns.selectors import update_rows
from campaigns.services import updates
from campaigns.testing import make_campaign
from core import clock
from core.jobs.runner import run
from core.testing import Api, drain_outbox
from core.testing.pages import as_json, by_cursor, by_number
from uploads.models import StoredFile
from uploads.testing import picture

TOLD = {"title": "On the roof", "content": "The panels are on the roof.", "audience": "public"}


def url(campaign: Campaign, update: Any = None, what: str = "") -> str:
    return f"/api/campaigns/{campaign.pk}/updates" + (f"/{update['id']}{what}" if update else "")


@pytest.fixture
def investor(campaign: Campaign, backer: User) -> User:
    Backing.objects.create(campaign=campaign, backer=backer, committed_minor=100, since=clock.now())
    return backer


def read_by(api: Api, campaign: Campaign, *people: User) -> list[int]:
    """How many updates each of them reads."""
    return [len(api.as_user(who).get(url(campaign)).json()["items"]) for who in people]


def notices(api: Api, *people: User) -> list[int]:
    """How many notices of updates each of them has."""
    drain_outbox()
    found = [api.as_user(who).get("/api/notifications").json()["items"] for who in people]
    return [sum(item["kind"] == "campaign_update" for item in items) for items in found]


def test_an_update_is_published_and_read(api: Api, campaign: Campaign, founder: User, stranger: User) -> None:
    made = api.as_user(founder).post(url(campaign), TOLD)
    assert made.status_code == 201, made.content
    body = made.json()
    assert {name: body[name] for name in TOLD} == TOLD
    assert (body["authorRole"], body["kind"], body["editedAt"], body["media"]) == ("founder", "update", None, [])
    assert body["publishAt"] == body["createdAt"]
    assert api.as_user(stranger).get(url(campaign)).json()["items"] == [body]


def test_who_reads_what_is_for_investors(
    api: Api, campaign: Campaign, founder: User, investor: User, stranger: User, moderator: User
) -> None:
    api.as_user(founder).post(url(campaign), {**TOLD, "audience": "investors"})
    assert read_by(api, campaign, founder, investor, moderator, stranger) == [1, 1, 1, 0]
    relations.block(person=founder, other_id=investor.pk, now=clock.now())
    assert read_by(api, campaign, investor) == [1], "it is about their money"
    Backing.objects.update(committed_minor=0)
    assert read_by(api, campaign, investor) == [0], "judged when it is read"


def test_pictures_for_investors_have_no_lasting_address(
    api: Api, campaign: Campaign, founder: User, investor: User
) -> None:
    owner = api.as_user(founder)
    sent = {**TOLD, "audience": "investors", "media": [picture()], "mediaAlt": ["Two panels"]}
    made = owner.upload(url(campaign), sent).json()
    [shown] = api.as_user(investor).get(url(campaign)).json()["items"][0]["media"]
    assert (shown["alt"], "/files/" in shown["url"]) == ("Two panels", True)
    assert not StoredFile.objects.get(pk=shown["id"]).is_public
    opened = owner.put(url(campaign, made), {"audience": "public"}).json()
    assert StoredFile.objects.get(pk=shown["id"]).visibility == "public", opened
    replaced = owner.upload(url(campaign, made), {"media": [picture(seed=1)]}, method="put").json()
    assert replaced["media"][0]["id"] != shown["id"] and replaced["editedAt"] is not None


def test_a_scheduled_one_is_visible_by_the_clock(
    api: Api, campaign: Campaign, founder: User, investor: User, stranger: User, moderator: User
) -> None:
    at = clock.now() + timedelta(days=2)
    made = api.as_user(founder).post(url(campaign), {**TOLD, "publishAt": at.isoformat()})
    assert made.status_code == 201, made.content
    assert read_by(api, campaign, founder, investor, stranger, moderator) == [1, 0, 0, 0]
    second = timedelta(seconds=1)
    for who in (investor, stranger, moderator):
        edges = [len(update_rows(who, campaign.pk, moment, limit=2)) for moment in (at - second, at)]
        assert edges == [0, 1], "no job has run"
    api.as_user(stranger).post(f"/api/campaigns/{campaign.pk}/follow")
    assert run(ANNOUNCE_UPDATES, now=at - second).due == 0
    assert notices(api, investor, stranger, founder) == [0, 0, 0]
    for _ in range(2):
        run(ANNOUNCE_UPDATES, now=at)
    assert notices(api, investor, stranger, founder) == [1, 1, 0]


def test_a_scheduled_one_may_change_or_go_before_anybody_reads_it(
    api: Api, campaign: Campaign, founder: User, investor: User
) -> None:
    owner, at = api.as_user(founder), clock.now() + timedelta(days=2)
    made = owner.post(url(campaign), {**TOLD, "publishAt": at.isoformat()}).json()
    moved = owner.put(url(campaign, made), {"content": "Later.", "publishAt": (at + timedelta(days=1)).isoformat()})
    assert (moved.json()["editedAt"], UpdateEdit.objects.count()) == (None, 0), "nobody had read it"
    at_once = owner.put(url(campaign, made), {"publishAt": clock.now().isoformat()})
    assert at_once.status_code == 200, at_once.content
    assert notices(api, investor) == [1]
    late = owner.put(url(campaign, made), {"publishAt": at.isoformat()})
    assert (late.status_code, late.json()["code"]) == (409, "update_already_published")
    other = owner.post(url(campaign), {**TOLD, "publishAt": at.isoformat()}).json()
    assert owner.delete(url(campaign, other)).status_code == 200
    assert run(ANNOUNCE_UPDATES, now=at).due == 0
    assert notices(api, investor) == [1]


def test_what_it_said_before_stays_with_those_who_could_read_it(
    api: Api, campaign: Campaign, founder: User, investor: User, stranger: User
) -> None:
    owner = api.as_user(founder)
    made = owner.post(url(campaign), {**TOLD, "audience": "investors", "content": "The price is 7."}).json()
    owner.put(url(campaign, made), {"audience": "public", "content": "The price is fine."})
    owner.put(url(campaign, made), {"content": "All is fine.", "title": ""})
    owner.put(url(campaign, made), {"content": "All is fine."})

    def before(who: User) -> list[str]:
        answer = api.as_user(who).get(url(campaign, made, "/history"))
        return [item["content"] for item in answer.json()["items"]]

    assert before(investor) == before(founder) == ["The price is fine.", "The price is 7."]
    assert before(stranger) == ["The price is fine."]
    assert api.as_user(stranger).get(url(campaign)).json()["items"][0]["title"] is None
    owner.put(url(campaign, made), {"audience": "investors"})
    assert api.as_user(stranger).get(url(campaign, made, "/history")).status_code == 404


def test_a_deleted_one_is_gone_for_all_but_staff(
    api: Api, campaign: Campaign, founder: User, investor: User, moderator: User
) -> None:
    owner = api.as_user(founder)
    made = owner.upload(url(campaign), {**TOLD, "media": [picture()]}).json()
    assert owner.delete(url(campaign, made)).status_code == 200
    assert read_by(api, campaign, founder, investor, moderator) == [0, 0, 0]
    answers = [
        owner.delete(url(campaign, made)),
        owner.put(url(campaign, made), {"content": "Again"}),
        owner.get(url(campaign, made, "/history")),
    ]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert StoredFile.objects.get(pk=made["media"][0]["id"]).deleted_at is not None
    assert Update.objects.get().content == TOLD["content"]


def test_investors_and_followers_are_notified_once(
    api: Api,
    campaign: Campaign,
    founder: User,
    investor: User,
    stranger: User,
    person: Callable[..., User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(effects, "BATCH", 1)
    silent = person("silent", identity=True)
    Backing.objects.create(campaign=campaign, backer=silent, committed_minor=100, since=clock.now())
    for who in (investor, stranger, founder):
        api.as_user(who).post(f"/api/campaigns/{campaign.pk}/follow")
    api.as_user(founder).post(url(campaign), TOLD)
    assert notices(api, investor, silent, stranger, founder) == [1, 1, 1, 0]
    api.as_user(founder).post(url(campaign), {**TOLD, "audience": "investors"})
    assert notices(api, investor, silent, stranger, founder) == [2, 2, 1, 0]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"content": ""}, "content", "blank"),
        ({"content": "x" * 20_001}, "content", "max_length"),
        ({"audience": "followers"}, "audience", "invalid_choice"),
        ({"title": "two\nlines"}, "title", "not_one_line"),
        ({"publishAt": "2026-01-01T00:00:00"}, "publishAt", "zone_required"),
        ({"publishAt": "2020-01-01T00:00:00Z"}, "publishAt", "publish_at_out_of_range"),
        ({"publishAt": "9999-12-31T23:59:59Z"}, "publishAt", "publish_at_out_of_range"),
        ({"kind": "annual_report", "audience": "investors"}, "audience", "annual_report_is_public"),
    ],
)
def test_what_does_not_fit_is_named(
    api: Api, campaign: Campaign, founder: User, change: dict[str, Any], field: str, code: str
) -> None:
    refused = api.as_user(founder).post(url(campaign), {**TOLD, **change})
    assert refused.status_code == 400, refused.content
    assert [(row["field"], row["code"]) for row in refused.json()["errors"]] == [(field, code)]
    assert not Update.objects.exists()


def test_only_the_owner_of_a_public_campaign_writes(
    api: Api, campaign: Campaign, founder: User, investor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = api.as_user(founder).post(url(campaign), TOLD).json()
    other = api.as_user(investor)
    answers = [other.post(url(campaign), TOLD), other.put(url(campaign, made), TOLD), other.delete(url(campaign, made))]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(403, "not_the_owner")] * 3
    draft = make_campaign(founder, status="draft")
    refused = api.as_user(founder).post(url(draft), TOLD)
    assert (refused.status_code, refused.json()["code"]) == (409, "campaign_not_published")
    assert other.get(url(draft)).status_code == 404 and api.as_user(founder).get(url(draft)).json()["items"] == []
    monkeypatch.setattr(updates, "MOST", 1)
    full = api.as_user(founder).post(url(campaign), TOLD)
    assert (full.status_code, full.json()["code"]) == (409, "too_many_updates")


def test_a_repeated_key_publishes_once(api: Api, campaign: Campaign, founder: User, investor: User) -> None:
    client = api.as_user(founder)
    first = client.post(url(campaign), TOLD, idempotency_key="once")
    again = client.post(url(campaign), TOLD, idempotency_key="once")
    assert (again.status_code, again.content) == (201, first.content)
    assert Update.objects.count() == 1 and notices(api, investor) == [1]


@pytest.mark.parametrize("seed", range(3))
def test_the_list_holds_what_the_queryset_holds(
    api: Api, campaign: Campaign, founder: User, investor: User, stranger: User, moderator: User, seed: int
) -> None:
    chance, now = random.Random(seed), clock.now()
    for n in range(30):
        moment: datetime = now + timedelta(minutes=chance.choice([-3, -2, -1, 30]))
        Update.objects.create(
            campaign=campaign,
            audience=chance.choice(Update.Audience.values),
            author_role="founder",
            title=f"No. {n}",
            content="Told.",
            publish_at=moment,
            deleted_at=chance.choice([None, None, now]),
        )
    for who in (founder, investor, stranger, moderator):
        readable = Update.objects.visible_to(who, now).filter(campaign=campaign).order_by("-publish_at", "-id")
        expected = as_json([UpdateOutput.of(update, now) for update in readable])
        client = api.as_user(who)
        assert by_cursor(client, url(campaign), {}, 7) == expected
        assert by_number(client, url(campaign), {}, 10) == expected
        assert client.get(url(campaign), {"withTotal": "true"}).json()["total"] == len(expected)


def test_a_page_costs_one_query(
    api: Api, campaign: Campaign, founder: User, stranger: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(10):
        Update.objects.create(
            campaign=campaign, audience="public", author_role="founder", content=f"No. {n}", publish_at=clock.now()
        )
    client = api.as_user(stranger)
    with django_assert_num_queries(2):  # the session, the list
        assert len(client.get(url(campaign)).json()["items"]) == 10
