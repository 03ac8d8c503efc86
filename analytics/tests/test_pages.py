"""Pages and files with a campaign's figures: for staff, and for whoever has the owner's signed link."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.utils import timezone

from accounts.models import Status, User
from accounts.services import administration
from accounts.testing import make_person
from analytics.models import DayCount
from analytics.services.rollups import VISIT
from campaigns.models import Campaign
from campaigns.testing import make_campaign
from core.testing import Api
from investments.testing import invest

pytestmark = pytest.mark.django_db
FORMULA = '=HYPERLINK("http://evil.example","open")'
HOSTILE = (FORMULA, "＝1+1", "@sum", " -2+3", "+49", "<script>alert(1)</script>", 'a,"b"')


@pytest.fixture
def founder(person: Callable[..., User]) -> User:
    return person("founder", identity=True)


@pytest.fixture
def campaign(founder: User) -> Campaign:
    """Its sources have names that strangers chose; `few` is of fewer than five people, and so is yesterday."""
    campaign = make_campaign(
        founder, goal_amount="10000", max_amount="50000", min_investment=None, title="Roof & <b>more</b>"
    )
    today = timezone.now().date()
    for number, source in enumerate([*HOSTILE, "newsletter"]):
        count(campaign, today, VISIT, 100 + number, source)
    count(campaign, today, VISIT, 3, "few")
    count(campaign, today, "campaign_view", 70)
    count(campaign, today - timedelta(days=1), "campaign_view", 4)
    return campaign


def count(campaign: Campaign, day: Any, name: str, number: int, source: str = "") -> None:
    DayCount.objects.create(
        day=day, name=name, about_id=campaign.pk, source=source, medium="", events=number, people=number
    )


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def in_admin(campaign: Campaign, file: str = "") -> str:
    return f"/admin/campaigns/campaign/{campaign.pk}/figures/{file}"


def link_of(api: Api, owner: User, campaign: Campaign) -> str:
    """Path and query of a new link."""
    answer = api.as_user(owner).post(f"/api/analytics/campaign/{campaign.pk}/page-link")
    assert answer.status_code == 200, answer.content
    parts = urlsplit(answer.json()["url"])
    return f"{parts.path}?{parts.query}"


def rows_of(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def numbers_of(page: str) -> list[list[str]]:
    """The numbers of the days in the page's table, by day; empty where there is none."""
    table = page.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    return [
        [
            *re.findall(r'datetime="([^"]+)"', row),
            *(value for value in re.findall(r"<td[^>]*>(?:<data value=\"(\d+)\")?", row)),
        ]
        for row in rows
    ]


# --- Who may see them -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "status"), [("reviewer", 403), ("moderator", 200), ("admin", 200)])
def test_the_page_in_the_admin_is_for_those_who_may_read_figures(
    person: Callable[..., User], campaign: Campaign, role: str, status: int
) -> None:
    staff = signed_in(person("staff", role=role))
    for file in ("", "days.csv", "sources.csv"):
        assert staff.get(in_admin(campaign, file)).status_code == status
    review = staff.get(f"/admin/campaigns/campaign/{campaign.pk}/change/")
    assert review.status_code == status
    assert (in_admin(campaign) in review.content.decode()) is (status == 200)


def test_nobody_else_gets_to_the_page_in_the_admin(
    person: Callable[..., User], founder: User, campaign: Campaign
) -> None:
    for client in (Client(), signed_in(founder)):
        assert client.get(in_admin(campaign)).status_code == 302
    moderator = signed_in(person("staff", role="moderator"))
    draft = make_campaign(founder, status="draft", title="Another one")
    for unseen in (in_admin(draft), in_admin(Campaign(pk=uuid4())), in_admin(campaign, "people.csv")):
        assert moderator.get(unseen).status_code == 404
    assert moderator.post(in_admin(campaign)).status_code == 405


def test_a_link_is_made_by_the_owner_only(api: Api, person: Callable[..., User], campaign: Campaign) -> None:
    for other in (person("stranger"), person("staff", role="admin")):
        refused = api.as_user(other).post(f"/api/analytics/campaign/{campaign.pk}/page-link")
        assert (refused.status_code, refused.json()["code"]) == (403, "not_the_owner")


# --- What they show ---------------------------------------------------------------------------------------------------


def plain(value: Any) -> str:
    """A value of the API as a file has it, without the apostrophe before what looks like a formula."""
    return "" if value is None else str(value).removeprefix("'")


def test_pages_and_files_show_what_the_api_answers(
    api: Api, person: Callable[..., User], founder: User, campaign: Campaign
) -> None:
    invest(api, person("backer", identity=True), campaign, "1234.50")
    moderator = person("staff", role="moderator")
    link = link_of(api, founder, campaign)
    views: list[tuple[User, Callable[[str], Any]]] = [
        (moderator, lambda file: signed_in(moderator).get(in_admin(campaign, file))),
        (founder, lambda file: Client().get(link.replace("?", f"/{file}?") if file else link)),
    ]
    for reader, opened in views:
        figures = api.as_user(reader).get(f"/api/analytics/campaign/{campaign.pk}").json()
        by_day = [[day[name] for name in ("date", "views", "uniqueVisitors", "started")] for day in figures["series"]]
        shown = [["" if value is None else str(value) for value in day] for day in by_day]
        page = opened("")
        assert page.status_code == 200
        text = page.content.decode()
        assert numbers_of(text) == shown
        assert "$1,234.50" in text
        assert [list(row.values()) for row in rows_of(opened("days.csv"))] == shown
        written = [
            {name: value.removeprefix("'") for name, value in row.items()} for row in rows_of(opened("sources.csv"))
        ]
        assert written == [
            {**{name: plain(value) for name, value in row.items()}, "currency": "USD"} for row in figures["sources"]
        ]
        exported = api.as_user(reader).get(f"/api/analytics/campaign/{campaign.pk}/export", {"table": "sources"})
        assert exported.content == opened("sources.csv").content
    assert [day["views"] for day in figures["series"][-2:]] == [None, 70], "the owner sees no day of four people"
    assert [row["source"] for row in figures["sources"]][-1] == "other"


def test_an_owner_who_is_staff_shares_no_number_of_few_people(api: Api, campaign: Campaign, founder: User) -> None:
    User.objects.filter(pk=founder.pk).update(role="admin")
    page = Client().get(link_of(api, founder, campaign)).content.decode()
    assert ">hidden<" in page
    assert ">few<" not in page


def test_names_of_strangers_are_text_everywhere(
    api: Api, person: Callable[..., User], founder: User, campaign: Campaign
) -> None:
    moderator = signed_in(person("staff", role="moderator"))
    link = link_of(api, founder, campaign)
    for page in (moderator.get(in_admin(campaign)), Client().get(link)):
        text = page.content.decode()
        assert "<script>alert" not in text and "<b>more" not in text
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", text)
    for file in (moderator.get(in_admin(campaign, "sources.csv")), Client().get(link.replace("?", "/sources.csv?"))):
        names = {row["source"] for row in rows_of(file)}
        assert {"'" + FORMULA, "'＝1+1", "'@sum", "' -2+3", "'+49", 'a,"b"', "newsletter"} <= names
        assert 'filename="sources-' in file["Content-Disposition"]


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("from=2026-01-30&to=2026-02-01", 3),
        ("from=2026-02-01&to=2026-01-01", 30),
        ("from=x", 30),
        ("to=2026-02-30", 30),
    ],
)
def test_periods(person: Callable[..., User], campaign: Campaign, query: str, days: int) -> None:
    moderator = signed_in(person("staff", role="moderator"))
    page = moderator.get(f"{in_admin(campaign)}?{query}")
    is_right = days == 3
    assert page.status_code == (200 if is_right else 400)
    assert len(numbers_of(page.content.decode())) == days
    assert ('role="alert"' in page.content.decode()) is not is_right
    assert moderator.get(f"{in_admin(campaign, 'days.csv')}?{query}").status_code == (200 if is_right else 404)


def test_the_export_refuses_what_is_no_table(api: Api, founder: User, campaign: Campaign) -> None:
    for query in ({}, {"table": "people"}, {"table": "days", "from": "2026-02-02", "to": "2026-02-01"}):
        assert api.as_user(founder).get(f"/api/analytics/campaign/{campaign.pk}/export", query).status_code == 400


# --- The link ---------------------------------------------------------------------------------------------------------


def test_a_link_is_told_to_nobody_and_kept_nowhere(
    api: Api, founder: User, campaign: Campaign, caplog: pytest.LogCaptureFixture
) -> None:
    link = link_of(api, founder, campaign)
    for address in (link, link.replace("?", "/days.csv?"), "/figures?token=x"):
        answer = Client().get(address)
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
        assert not answer.cookies
    token = parse_qs(urlsplit(link).query)["token"][0]
    logged = " ".join(str(vars(record)) for record in caplog.records if record.name == "vectragrow.requests")
    assert "/figures" in logged and token not in logged


def test_every_link_that_does_not_open_answers_alike(api: Api, founder: User, campaign: Campaign) -> None:
    link = link_of(api, founder, campaign)
    token = parse_qs(urlsplit(link).query)["token"][0]
    claims = [campaign.pk.hex, founder.pk.hex, int(timezone.now().timestamp()) + 900]
    other = make_campaign(founder, title="Another one")
    payload, _, signature = token.rpartition(":")
    bad = [
        *("", "x", "%00", token[:-3], token[:20], token + "x", "a" * 5000, f"{payload}:{signature[::-1]}"),
        signing.Signer(salt="another").sign_object(claims),
        signing.dumps(claims, salt="analytics.page"),
        signing.Signer(salt="analytics.page").sign_object([other.pk.hex, uuid4().hex, claims[2]]),
        signing.Signer(salt="analytics.page").sign_object([uuid4().hex, founder.pk.hex, claims[2]]),
        signing.Signer(salt="analytics.page").sign_object([campaign.pk.hex, founder.pk.hex, 1]),
    ]
    assert (
        Client().get("/figures", {"token": signing.Signer(salt="analytics.page").sign_object(claims)}).status_code
        == 200
    )
    answers = [Client().get(path, {"token": each}) for each in bad for path in ("/figures", "/figures/days.csv")]
    answers += [Client().get("/figures"), Client().get("/figures/people.csv", {"token": "x"})]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert "This link does not work" in answers[0].content.decode()
    assert Client().get("/figures/people.csv", {"token": token}).status_code == 404
    assert Client().post("/figures", {"token": token}).status_code == 405


def test_a_link_ends(api: Api, person: Callable[..., User], founder: User, campaign: Campaign) -> None:
    now = timezone.now()
    link = link_of(api, founder, campaign)

    def status() -> int:
        return Client().get(link).status_code

    with time_machine.travel(now + timedelta(hours=23, minutes=59), tick=False):
        assert status() == 200
    with time_machine.travel(now + timedelta(hours=24, seconds=5), tick=False):
        assert status() == 404
    administration.suspend(user_id=founder.pk, reason="Spam.", by=person("staff", role="admin"), now=now)
    assert status() == 404
    User.objects.filter(pk=founder.pk).update(status=Status.DELETED)
    assert status() == 404
    User.objects.filter(pk=founder.pk).update(status=Status.ACTIVE)
    assert status() == 200
    draft = make_campaign(founder, status="draft", title="Another one")
    link = link_of(api, founder, draft)
    assert status() == 200
    Campaign.objects.filter(pk=draft.pk).update(owner=make_person(first_name="Next"))
    assert status() == 404, "it was the owner's"


def test_links_are_not_tried_without_end() -> None:
    client = Client(REMOTE_ADDR=f"2001:db8:{uuid4().hex[:4]}::1")
    assert client.get("/figures", {"token": "x"}).status_code == 404
    answers = {client.get("/figures", {"token": "x"}).status_code for _ in range(120)}
    assert answers == {404, 429}
