"""Taking events: who they are from, when they were, what is refused, and that a bad one loses only itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.testing import sign_in
from analytics.jobs import MAKE_PARTITIONS
from analytics.models import DailySalt, EventName, RawEvent
from analytics.services import event_names, visitors
from campaigns.testing import make_campaign
from core.jobs.runner import run
from core.testing import Api, run_retention
from core.times import parse_moment

pytestmark = pytest.mark.django_db
TRACK = "/api/analytics/track"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process remembers registered names and the key of the day; those of another test are gone with it."""
    monkeypatch.setitem(event_names._known, "until", None)
    visitors.salt_of.cache_clear()


@pytest.fixture
def visitor(person: Callable[..., User], api: Api) -> Api:
    return api.as_user(person("visitor"))


def send(client: Api, *events: Any, **more: Any) -> Any:
    return client.post(f"{TRACK}/batch", {"events": list(events), **more}).json()


def refusals(answer: Any) -> list[str | None]:
    return [item["code"] for item in answer["items"]]


# --- What is stored ------------------------------------------------------------------------------------------------


def test_a_page_view_keeps_path_source_and_person(api: Api, person: Callable[..., User]) -> None:
    reader = person("reader")
    page = "https://app.example/c/solar?utm_source=News&utm_medium=mail&utm_campaign=May&token=secret#top"
    answer = api.as_user(reader).post(f"{TRACK}/page-view", {"page": page, "referrer": "https://x.example/private?q=1"})
    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Page view tracked successfully", "status": "stored"},
    )
    event = RawEvent.objects.get()
    assert (event.name, event.user_id, event.page) == ("page_view", reader.pk, "/c/solar")
    assert (event.source, event.medium, event.label) == ("news", "mail", "May")
    assert "secret" not in str(RawEvent.objects.values()[0]) and "private" not in str(RawEvent.objects.values()[0])


@pytest.mark.parametrize(
    ("page", "referrer", "source"),
    [
        ("/", "https://www.google.co.uk/search?q=x", ("google", "search")),
        ("/", "https://m.facebook.com/", ("facebook", "social")),
        ("/", "https://news.example.org/article", ("news.example.org", "referral")),
        ("/", "", ("", "")),
        ("/", "http://localhost:8000/before", ("", "")),
        ("/?via=invite", "https://mail.example/", ("invite", "link")),
        ("/s/campaign/solar", "", ("share", "link")),
        ("http://[", "http://[::", ("", "")),
    ],
)
def test_sources(visitor: Api, page: str, referrer: str, source: tuple[str, str], settings: Any) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    visitor.post(f"{TRACK}/page-view", {"page": page, "referrer": referrer or None})
    event = RawEvent.objects.get()
    assert (event.source, event.medium) == source


def test_an_interaction_belongs_to_a_campaign_that_the_person_may_see(visitor: Api, person: Any) -> None:
    owner = person("owner", identity=True)
    live, draft = make_campaign(owner, status="live"), make_campaign(owner, status="draft")
    body = {"interactionType": "share", "interactionData": {"network": "signal"}}
    assert visitor.post(f"{TRACK}/campaign/{live.pk}", body).status_code == 200
    assert RawEvent.objects.get().campaign_id == live.pk
    for unseen in (draft.pk, uuid4()):
        assert visitor.post(f"{TRACK}/campaign/{unseen}", body).status_code == 404
        event = {"eventType": "campaign_view", "campaignId": str(unseen)}
        assert refusals(send(visitor, event)) == ["no_such_campaign"]
    wrong = visitor.post(f"{TRACK}/campaign/{live.pk}", {"interactionType": "share", "interactionData": {"network": 7}})
    assert wrong.json()["errors"][0]["field"] == "interactionData.network"
    assert RawEvent.objects.count() == 1


def test_a_batch_keeps_the_good_ones_and_says_why_of_the_others(visitor: Api) -> None:
    good = {"eventType": "search", "eventId": str(uuid4()), "eventData": {"type": "posts", "results": 3, "score": 0.5}}
    bad = [
        {"eventType": "Search"},
        {"eventType": "search", "eventData": {"results": "three"}},
        {"eventType": "search", "eventData": {f"k{n}": n for n in range(51)}},
        {"eventType": "search", "eventData": {"text": "x" * 8200}},
        {"eventType": "search", "eventData": {"text": "a\x00b"}},
        {"eventType": "search", "userId": str(uuid4())},
        {"eventType": "search", "eventId": "7"},
        {"eventType": "campaign_view"},
        "search",
        {"eventType": "search", "at": "2026-11-26"},
        {"eventType": "search", "at": "yesterday"},
    ]
    answer = send(visitor, *bad, good)
    assert answer["stored"] == 1 and answer["refused"] == len(bad)
    assert refusals(answer) == [
        "malformed_event_name",
        "property_type_differs",
        "too_many_properties",
        "properties_too_large",
        "malformed_event",
        "malformed_event",
        "malformed_event",
        "campaign_needed",
        "malformed_event",
        "zone_required",
        "malformed_event",
        None,
    ]
    assert RawEvent.objects.get().properties == {"type": "posts", "results": 3, "score": 0.5}


def test_half_a_character_refuses_its_event_only(person: Callable[..., User]) -> None:
    bad = [
        '{"eventType": "search", "eventData": {"x": "\\ud800"}}',
        '{"\\ud800": 1}',
        '{"eventType": "\\ud800"}',
        '"\\ud800"',
    ]
    text = f'{{"events": [{", ".join(bad)}, {{"eventType": "search"}}]}}'
    client: Any = Client(HTTP_AUTHORIZATION=f"Bearer {sign_in(person('sender'))}")
    answer = client.post(f"{TRACK}/batch", text, content_type="application/json").json()
    assert refusals(answer) == ["malformed_event"] * 4 + [None]


@pytest.mark.parametrize("path", ["event", "public", "page-view"])
def test_half_a_character_in_a_single_event_is_malformed(person: Callable[..., User], path: str) -> None:
    client: Any = Client(HTTP_AUTHORIZATION=f"Bearer {sign_in(person('sender'))}")
    text = '{"eventType": "\\ud800", "page": "\\ud800"}'
    answer = client.post(f"{TRACK}/{path}", text, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


def test_a_batch_sent_again_changes_no_number(api: Api, person: Callable[..., User]) -> None:
    first, other = api.as_user(person("first")), api.as_user(person("other"))
    events = [{"eventType": "search", "eventId": str(uuid4())} for _ in range(3)]
    assert send(first, *events, events[0])["stored"] == 3
    again = send(first, *events)
    assert (again["stored"], again["duplicates"]) == (0, 3)
    assert send(other, *events)["stored"] == 3, "an id cannot be taken away from somebody else"
    assert RawEvent.objects.count() == 6


def test_sizes_of_batches(visitor: Api) -> None:
    too_many = visitor.post(f"{TRACK}/batch", {"events": [{"eventType": "search"}] * 1001})
    assert (too_many.status_code, too_many.json()["errors"][0]["field"]) == (400, "events")
    assert visitor.post(f"{TRACK}/batch", {"events": []}).status_code == 400
    assert visitor.post(f"{TRACK}/batch", {"events": {"eventType": "search"}}).status_code == 400
    assert send(visitor, *[{"eventType": "search"}] * 1000)["stored"] == 1000


# --- Clocks --------------------------------------------------------------------------------------------------------


def test_clocks_that_are_a_little_wrong_are_taken_and_others_corrected_or_refused(visitor: Api) -> None:
    now = timezone.now().replace(microsecond=0)

    def at(**delta: float) -> dict[str, str]:
        return {"eventType": "search", "at": (now + timedelta(**delta)).isoformat()}

    with time_machine.travel(now, tick=False):
        answer = send(visitor, at(minutes=4), at(minutes=-4), at(hours=-71))
        assert answer["stored"] == 3
        assert refusals(send(visitor, at(minutes=6), at(hours=-73), at(days=-20000))) == [
            "event_in_the_future",
            "event_too_old",
            "event_too_old",
        ]
        ahead = (now + timedelta(days=400)).isoformat()
        assert send(visitor, {**at(days=400), "eventType": "link_open"}, sentAt=ahead)["stored"] == 1
    stored = set(RawEvent.objects.filter(name="search").values_list("occurred_at", flat=True))
    assert stored == {now + timedelta(minutes=4), now - timedelta(minutes=4), now - timedelta(hours=71)}
    assert RawEvent.objects.get(name="link_open").occurred_at == now


def test_a_corrected_event_that_comes_again_later_is_counted_once(visitor: Api) -> None:
    now = timezone.now()
    event = {"eventType": "search", "eventId": str(uuid4()), "at": (now - timedelta(days=300)).isoformat()}
    with time_machine.travel(now, tick=False):
        assert send(visitor, event, sentAt=event["at"])["stored"] == 1
    with time_machine.travel(now + timedelta(minutes=3), tick=False):
        later = parse_moment(event["at"]) + timedelta(minutes=2, seconds=50)
        assert send(visitor, event, sentAt=later.isoformat())["duplicates"] == 1
    assert RawEvent.objects.count() == 1


# --- Personal data -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        {"note": "write to ana@example.org"},
        {"a": {"b": ["x", {"c": "+44 20 7946 0958"}]}},
        {"n": "4242 4242 4242 4242"},
        {"n": 5555555555554444},
        {"n": "GB82 WEST 1234 5698 7654 32"},
        {"n": "078-05-1120"},
        {"n": "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"},
        {"phoneNumber": "5551234"},
        {"password": "x"},
        {"user": {"Email": "none"}},
        {"ana@example.org": 1},
    ],
)
def test_personal_data_is_refused(visitor: Api, data: dict[str, Any]) -> None:
    refused = visitor.post(f"{TRACK}/event", {"eventType": "search", "eventData": data})
    assert (refused.status_code, refused.json()["code"]) == (400, "personal_data")
    assert not RawEvent.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {"sentAt": 1764139000123, "price": "1000.50", "ratio": 0.123456789012345},
        {"id": "0193f2b0-7a4c-7d52-9c3a-424242424242", "version": "1.2.3", "date": "2026-11-26"},
        {"text": "the 4th of May, 3 x 12 = 36 @ home", "order": "1234-5678"},
        {"title": "日本語 100%", "email": None, "phone": False},
    ],
)
def test_what_only_looks_a_little_like_it_is_taken(visitor: Api, data: dict[str, Any]) -> None:
    assert visitor.post(f"{TRACK}/event", {"eventType": "search", "eventData": data}).status_code == 200


def test_a_path_with_a_mail_address_is_refused_and_a_query_is_dropped(visitor: Api) -> None:
    refused = visitor.post(f"{TRACK}/page-view", {"page": "/reset/ana@example.org"})
    assert refused.json()["code"] == "personal_data"
    assert visitor.post(f"{TRACK}/page-view", {"page": "/reset?mail=ana@example.org"}).status_code == 200


# --- Names ---------------------------------------------------------------------------------------------------------


def test_unknown_names_are_kept_aside_and_listed_until_an_operator_registers_them(visitor: Api) -> None:
    for _ in range(2):
        assert send(visitor, {"eventType": "quiz_done"}, {"eventType": "search"})["stored"] == 2
    assert EventName.objects.values_list("name", "count").get() == ("quiz_done", 2)
    assert RawEvent.objects.filter(is_known=False).count() == 2
    assert event_names.register(["quiz_done"], actor=None, now=timezone.now()) == 1
    assert event_names.register(["quiz_done"], actor=None, now=timezone.now()) == 0
    send(visitor, {"eventType": "quiz_done"})
    assert RawEvent.objects.filter(name="quiz_done", is_known=True).count() == 1


def test_the_list_of_unknown_names_is_bounded(visitor: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_names, "MAX_LISTED", 3)
    for start in (0, 3, 0):
        send(visitor, *[{"eventType": f"name_{n}"} for n in range(start, start + 3)])
    assert dict(EventName.objects.values_list("name", "count")) == {"name_0": 2, "name_1": 2, "name_2": 2}
    assert RawEvent.objects.count() == 9


# --- Visitors ------------------------------------------------------------------------------------------------------


def public(agent: str = BROWSER, address: str = "203.0.113.9", **headers: str) -> Any:
    body = {"eventType": "page_view", "page": "/s/campaign/solar"}
    client: Any = Client(REMOTE_ADDR=address, HTTP_USER_AGENT=agent)
    return client.post(f"{TRACK}/public", body, content_type="application/json", headers=headers)


def test_a_visitor_is_the_same_for_a_day_and_nobody_afterwards() -> None:
    now = timezone.now().replace(hour=10)
    with time_machine.travel(now, tick=False):
        assert [public().status_code, public().status_code, public(address="203.0.113.10").status_code] == [200] * 3
        today = list(RawEvent.objects.values_list("visitor_id", flat=True))
        assert len(set(today)) == 2
        salt = bytes(DailySalt.objects.get().salt)
    with time_machine.travel(now + timedelta(days=1), tick=False):
        public()
        assert RawEvent.objects.exclude(visitor_id__in=today).count() == 1
        run_retention(now=timezone.now(), only=DailySalt)
        assert salt not in [bytes(kept) for kept in DailySalt.objects.values_list("salt", flat=True)]
    row = RawEvent.objects.values()[0]
    assert "203.0.113" not in str(row) and "Firefox" not in str(row) and row["user_id"] is None


@pytest.mark.parametrize("header", [{"DNT": "1"}, {"Sec-GPC": "1"}])
def test_nothing_is_kept_of_those_who_ask_not_to_be_tracked(visitor: Api, header: dict[str, str]) -> None:
    assert public(**header).json()["status"] == "ignored"
    answer = visitor.post(
        f"{TRACK}/event", {"eventType": "search"}, **{k.replace("-", "_"): v for k, v in header.items()}
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
    assert not RawEvent.objects.exists()


def test_bots_and_the_team_count_apart(api: Api, person: Callable[..., User]) -> None:
    public(agent=CRAWLER)
    public(agent="")
    public()
    owner = person("owner", identity=True)
    campaign = make_campaign(owner, status="live")
    for sender in (person("staff", role="moderator"), owner, person("reader")):
        api.as_user(sender).post(f"{TRACK}/campaign/{campaign.pk}", {"interactionType": "view"})
    counted = list(RawEvent.objects.order_by("occurred_at", "id").values_list("audience", flat=True))
    assert counted == ["bot", "bot", "visitor", "team", "team", "person"]


def test_the_person_comes_from_the_session(api: Api, person: Callable[..., User]) -> None:
    sender, other = person("sender"), person("other")
    answer = api.as_user(sender).post(f"{TRACK}/event", {"eventType": "search", "userId": str(other.pk)})
    assert answer.status_code == 200
    assert RawEvent.objects.get().user_id == sender.pk


def test_events_of_every_accepted_moment_have_a_partition(visitor: Api) -> None:
    run(MAKE_PARTITIONS, now=timezone.now())
    oldest = timezone.now() - timedelta(hours=71, minutes=59)
    assert send(visitor, {"eventType": "search", "at": oldest.isoformat()})["stored"] == 1


def test_exported_and_erased_with_the_person(api: Api, person: Callable[..., User]) -> None:
    from core.privacy import erasure, exports

    leaver = person("leaver")
    api.with_token(sign_in(leaver)).post(f"{TRACK}/event", {"eventType": "search", "eventData": {"results": 2}})
    rows = dict(exports.rows_of(leaver.pk))
    assert rows["analytics/raw-events.json"][0]["properties"] == {"results": 2}
    erasure.erase_person(person_id=leaver.pk, now=timezone.now())
    assert not RawEvent.objects.exists()
