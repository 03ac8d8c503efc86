"""Ads: handing in, review, who sees which and how often, and clicks."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.core import signing
from django.utils import timezone

from accounts.models import User
from accounts.services.administration import reinstate, suspend
from accounts.services.relations import block
from accounts.testing import make_person
from accounts.tests.test_suspension import staff_browser
from core import clock
from core.data.statements import Statement
from core.privacy.erasure import erase_person
from core.testing import Api, together
from social.models import Ad, AdClick, AdDay
from social.services.ads import approve_ad, next_ad
from social.testing import make_ad, make_post
from uploads.models import StoredFile
from uploads.testing import picture


def form(**fields: Any) -> dict[str, Any]:
    now = timezone.now()
    return {
        "title": "Solar roofs",
        "body": "Ask us.",
        "targetUrl": "https://sun.example.com/roofs?from=feed",
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(days=3)).isoformat(),
        "media": picture(),
        **fields,
    }


# --- Handing in and review -----------------------------------------------------------------------------------------


def test_an_ad_is_handed_in_reviewed_and_reviewed_anew_when_its_words_change(
    api: Api, author: User, stranger: User, moderator: User
) -> None:
    client = api.as_user(author)
    made = client.upload("/api/profile/ads", form(dailyCap=5))
    assert (made.status_code, made.json()["status"], made.json()["dailyCap"]) == (201, "pending_review", 5)
    address = f"/api/profile/ads/{made.json()['id']}"
    ad = Ad.objects.get()
    assert next_ad(stranger, clock.now()) is None
    approve_ad(reviewer=moderator, ad_id=ad.pk, revision=1, now=clock.now())
    assert client.get(address).json()["status"] == "approved"
    assert client.upload(address, {"dailyCap": 9}, method="put").json()["status"] == "approved"
    edited = client.upload(address, {"title": "Solar roofs for all"}, method="put")
    assert (edited.status_code, edited.json()["status"]) == (200, "pending_review")
    assert next_ad(stranger, clock.now()) is None
    refused = client.post(f"{address}/pause")
    assert (refused.status_code, refused.json()["code"]) == (409, "ad_not_running")
    assert api.as_user(stranger).get(address).status_code == 404
    assert api.as_user(stranger).post(f"{address}/pause").status_code == 404
    assert [item["title"] for item in client.get("/api/profile/ads").json()["items"]] == ["Solar roofs for all"]
    assert api.as_user(stranger).get("/api/profile/ads").json()["items"] == []


def test_another_picture_goes_back_to_review_and_the_old_one_leaves(api: Api, author: User, moderator: User) -> None:
    ad = make_ad(author, approved_by=moderator)
    before = ad.file_id
    answer = api.as_user(author).upload(f"/api/profile/ads/{ad.pk}", {"media": picture()}, method="put")
    assert answer.json()["status"] == "pending_review"
    assert StoredFile.objects.get(pk=before).deleted_at


def test_pausing_stops_an_ad_and_the_clock_ends_it(api: Api, author: User, stranger: User, moderator: User) -> None:
    ad = make_ad(author, approved_by=moderator)
    client, address = api.as_user(author), f"/api/profile/ads/{ad.pk}"
    assert client.post(f"{address}/pause").json()["status"] == "paused"
    assert client.post(f"{address}/pause").json()["status"] == "paused"
    assert next_ad(stranger, clock.now()) is None
    assert client.post(f"{address}/resume").json()["status"] == "approved"
    assert next_ad(stranger, clock.now()) is not None
    assert next_ad(stranger, ad.ends_at) is None
    assert next_ad(stranger, ad.starts_at - timedelta(seconds=1)) is None
    assert ad.status_at(ad.ends_at) == Ad.Status.PENDING_REVIEW  # the row as it was before its approval
    ad.refresh_from_db()
    assert ad.status_at(ad.ends_at) == Ad.Status.ENDED


@pytest.mark.parametrize(
    "target",
    [
        "http://example.com/", "https://user:pass@example.com/", "https://user@example.com/", "https://localhost/",
        "https://printer.local/", "https://10.0.0.1/", "https://127.0.0.1/", "https://8.8.8.8/", "https://[::1]/",
        "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://example/", "https://a.internal./",
        "https://example.com:8443/", "javascript:alert(1)", "data:text/html,x", "//example.com", "https://", "https://.com/",
        "https://example.com/" + "x" * 500,
    ],
)  # fmt: skip
def test_where_an_ad_may_not_lead(api: Api, author: User, target: str) -> None:
    answer = api.as_user(author).upload("/api/profile/ads", form(targetUrl=target))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "targetUrl"), target


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"body": "x" * 301}, "body"),
        ({"dailyCap": 0}, "dailyCap"),
        ({"dailyCap": "1e9"}, "dailyCap"),
        ({"endsAt": "2020-01-01T00:00:00Z"}, "endsAt"),
        ({"endsAt": "2999-01-01T00:00:00Z"}, "endsAt"),
        ({"startsAt": "2030-01-01"}, "startsAt"),
    ],
)
def test_what_an_ad_may_not_be(api: Api, author: User, fields: dict[str, Any], field: str) -> None:
    answer = api.as_user(author).upload("/api/profile/ads", form(**fields))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert not Ad.objects.exists()


def test_a_moderator_decides_in_the_admin_but_not_on_their_own(
    api: Api, author: User, moderator: User, person: Callable[..., User]
) -> None:
    ad, own = make_ad(author), make_ad(moderator, title="Mine")
    browser = staff_browser(moderator)
    address, own_address = (f"/admin/social/ad/{one.pk}/change/" for one in (ad, own))
    assert "Solar roofs" in browser.get("/admin/social/ad/").content.decode()
    assert "example.com/roofs" in browser.get(address).content.decode()

    def decide(address: str, **fields: Any) -> Any:
        return browser.post(address, {"revision": 1, **fields})

    assert decide(own_address, decision="approve").status_code == 403
    assert decide(address, decision="reject").status_code == 400
    assert decide(address, decision="reject", presets=["99"]).status_code == 400
    assert decide(address, decision="approve", revision=7).status_code == 409
    assert decide(address, decision="approve", revision="x").status_code == 404
    assert decide(address, decision="reject", presets=["1", "2"], words="Also: <b>no</b>").status_code == 302
    ad.refresh_from_db()
    assert (ad.status, ad.reviewer) == (Ad.Status.REJECTED, moderator)
    assert ad.reason.count("\n") == 2 and "<b>no</b>" in ad.reason
    assert "&lt;b&gt;no" in browser.get(address).content.decode()
    assert decide(address, decision="approve").status_code == 409
    shown = api.as_user(author).get(f"/api/profile/ads/{ad.pk}").json()
    assert (shown["status"], shown["reason"]) == ("rejected", ad.reason)
    own.refresh_from_db()
    assert own.status == Ad.Status.PENDING_REVIEW


def test_no_click_leads_to_an_ad_whose_advertiser_is_suspended(
    api: Api, author: User, stranger: User, moderator: User
) -> None:
    make_ad(author, approved_by=moderator)
    shown = next_ad(stranger, clock.now())
    assert shown
    address, body = f"/api/social/ads/{shown.id}/click", {"token": shown.click_token}
    suspend(user_id=author.pk, reason="", by=moderator, now=clock.now())
    assert api.as_user(stranger).post(address, body).json()["code"] == "not_found"
    reinstate(user_id=author.pk, by=moderator, now=clock.now())
    assert api.as_user(stranger).post(address, body).status_code == 200


# --- In the feed ---------------------------------------------------------------------------------------------------


def test_an_ad_is_shown_to_others_in_turn_and_never_to_its_advertiser_or_who_is_hidden(
    author: User, stranger: User, follower: User, moderator: User, person: Callable[..., User]
) -> None:
    now = clock.now()
    first, second = make_ad(author, approved_by=moderator), make_ad(follower, approved_by=moderator)
    shown = [next_ad(stranger, now) for _ in range(4)]
    assert [ad.id for ad in shown if ad] == [first.pk, second.pk] * 2
    assert shown[0] is not None and (shown[0].label, shown[0].advertiser.id) == ("Ad", author.pk)
    assert {ad.id for _ in range(3) if (ad := next_ad(author, now))} == {second.pk}
    block(person=stranger, other_id=author.pk, now=now)
    assert {ad.id for _ in range(3) if (ad := next_ad(stranger, now))} == {second.pk}
    User.objects.filter(pk=follower.pk).update(status="suspended")
    assert next_ad(stranger, now) is None


def test_the_cap_holds_for_a_day_in_utc(author: User, stranger: User, moderator: User) -> None:
    ad = make_ad(author, approved_by=moderator, daily_cap=2)
    evening = ad.starts_at.replace(hour=23, minute=59) + timedelta(days=1)
    assert [next_ad(stranger, evening) is not None for _ in range(3)] == [True, True, False]
    assert next_ad(stranger, evening + timedelta(minutes=2)) is not None
    assert list(AdDay.objects.order_by("day").values_list("impressions", flat=True)) == [2, 1]


def test_a_click_counts_once_for_each_impression(api: Api, author: User, stranger: User, moderator: User) -> None:
    ad = make_ad(author, approved_by=moderator)
    other = make_ad(author, approved_by=moderator)
    shown = next_ad(stranger, clock.now())
    assert shown is not None
    client, address = api.as_user(stranger), f"/api/social/ads/{shown.id}/click"
    for _ in range(3):
        answer = client.post(address, {"token": shown.click_token})
        assert (answer.status_code, answer.json()) == (200, {"targetUrl": ad.target_url})
    assert AdDay.objects.get(ad=shown.id).clicks == AdClick.objects.count() == 1
    elsewhere = other.pk if shown.id == ad.pk else ad.pk
    old = signing.Signer(salt="social.ads.click").sign_object([shown.id.hex, shown.id.hex, 1_700_000_000])
    for path, token in (
        (f"/api/social/ads/{elsewhere}/click", shown.click_token), (address, shown.click_token[:-1] + "!"),
        (address, old), (address, "x"), (address, ""), (address, "x" * 301), (address, None),
    ):  # fmt: skip
        answer = client.post(path, {"token": token})
        assert answer.status_code == 400, token
    for person in (author, stranger):
        assert person.pk.hex not in shown.click_token and str(person.pk) not in shown.click_token
    api.as_user(author).upload(f"/api/profile/ads/{shown.id}", {"title": "Other words"}, method="put")
    assert client.post(address, {"token": shown.click_token}).status_code == 404
    days = api.as_user(author).get(f"/api/profile/ads/{shown.id}").json()["days"]
    assert [(day["impressions"], day["clicks"]) for day in days] == [(1, 1)]


def test_an_erased_persons_ads_end_and_go(author: User, stranger: User, moderator: User) -> None:
    ad = make_ad(author, approved_by=moderator)
    assert next_ad(stranger, clock.now()) is not None
    erase_person(person_id=author.pk, now=clock.now())
    assert next_ad(stranger, clock.now()) is None
    assert not Ad.objects.exists() and not AdDay.objects.exists()
    assert not StoredFile.objects.filter(pk=ad.file_id, deleted_at=None).exists()


# --- Races ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_cap_is_exact_when_many_ask_at_once(author: User, stranger: User, moderator: User) -> None:
    make_ad(author, approved_by=moderator, daily_cap=3)
    now = clock.now()
    shown = together(*[lambda: next_ad(stranger, now)] * 8)
    assert sum(ad is not None for ad in shown) == AdDay.objects.get().impressions == 3


@pytest.mark.django_db(transaction=True)
def test_the_cap_is_exact_when_many_ask_at_once_twin(
    author: User, stranger: User, moderator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the condition on the row that counts, everybody who saw room goes on."""
    ad = make_ad(author, approved_by=moderator, daily_cap=3)
    now = clock.now()
    AdDay.objects.create(ad=ad, day=now.date(), impressions=2)
    barrier = Barrier(4)
    count_only = Statement(
        "INSERT INTO social_adday AS d (ad_id, day, impressions, clicks) VALUES (:ad::uuid, :day::date, 1, 0) "
        "ON CONFLICT (ad_id, day) DO UPDATE SET impressions = d.impressions + 1 RETURNING d.ad_id"
    )

    def show() -> bool:
        has_room = AdDay.objects.get(ad=ad).impressions < 3
        barrier.wait(timeout=60)
        return has_room and bool(count_only.rows(ad=ad.pk, day=now.date()))

    assert sum(together(*[show] * 4)) == 4
    assert AdDay.objects.get().impressions == 6


# --- In the feed ------------------------------------------------------------------------------------------------------


def shown(api: Api, who: User, query: str = "limit=10") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.as_user(who).get(f"/api/social/feed?{query}").json()["items"]
    return items


def test_one_item_in_ten_of_a_feed_is_an_ad(api: Api, author: User, follower: User, moderator: User) -> None:
    make_ad(moderator, approved_by=make_person(role="moderator"), title="Panels for less")
    for number in range(12):
        make_post(author, f"Post {number}")
    assert [item["kind"] for item in shown(api, follower)].count("ad") == 1
    (ad,) = [item for item in shown(api, follower) if item["kind"] == "ad"]
    assert (ad["ad"]["label"], ad["ad"]["title"], ad["why"]["kind"]) == ("Ad", "Panels for less", "ad")
    assert ad["why"]["id"] == ad["ad"]["advertiser"]["id"] == str(moderator.pk)
    assert "ad" not in [item["kind"] for item in shown(api, follower, "limit=9")]
    assert "ad" not in [item["kind"] for item in shown(api, follower, "page=1&limit=10")]
    assert "ad" not in [item["kind"] for item in shown(api, moderator)], "nobody sees an ad in a feed of nothing"


def test_ads_between_posts_hide_none_of_them(api: Api, author: User, follower: User, moderator: User) -> None:
    make_ad(moderator, approved_by=make_person(role="moderator"))
    posts = [str(make_post(author, f"Post {number}").pk) for number in range(25)]
    me, cursor, seen = api.as_user(follower), "", []
    while True:
        page = me.get(f"/api/social/feed?limit=10{cursor}").json()
        assert len(page["items"]) <= 10
        seen += [item["post"]["id"] for item in page["items"] if item["kind"] == "post"]
        if not page["hasMore"]:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert seen == posts[::-1]
