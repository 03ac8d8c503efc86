"""A person's own profile: read, changed, with photo and cover."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from accounts.models import Profile, ProfilePicture, Session, User
from accounts.outputs.profile import ProfileOutput
from accounts.services import profiles
from accounts.services.counts import count
from campaigns.testing import draft_fields, make_campaign
from core.testing import Api, drain_outbox, together
from notifications.models import MailboxMessage, Notification
from uploads.models import StoredFile
from uploads.testing import picture, upload

PROFILE = "/api/profile"


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    return person("ada", phone_number="+12025550123")


@pytest.fixture
def stranger(person: Callable[..., User]) -> User:
    return person("stranger")


def refusal(answer: Any) -> Any:
    return answer.status_code, answer.json()["code"]


def age_sessions(someone: User) -> None:
    """Their last proof lies longer back than five minutes."""
    Session.objects.filter(user=someone).update(authenticated_at=timezone.now() - timedelta(minutes=6))


def test_the_profile_is_me_with_counts_and_badges(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    body = me.get(PROFILE).json()
    assert body.items() >= me.get("/api/auth/me").json().items()
    assert set(body) == set(ProfileOutput.__struct_encode_fields__)
    numbers = [body[f"{name}Count"] for name in ("followers", "following", "posts", "campaigns")]
    assert (numbers, body["badges"], body["phoneVerified"]) == ([0, 0, 0, 0], [], True)


def test_any_subset_changes_and_the_rest_stays(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    words = {"bio": "Builds roofs.\nAnd boats.", "location": "Łódź", "website": "https://ada.example/roofs"}
    changed = me.put(PROFILE, words)
    assert changed.status_code == 200
    assert changed.json().items() >= {**words, "firstName": "Ada", "phoneNumber": "+12025550123"}.items()
    cleared = me.put(PROFILE, {"website": "", "bio": ""}).json()
    assert (cleared["website"], cleared["bio"], cleared["location"]) == ("", "", "Łódź")
    assert me.put(PROFILE, {"firstName": "Augusta"}).json()["firstName"] == "Augusta"
    before = me.get(PROFILE).json()
    same = me.put(PROFILE, dict.fromkeys(("firstName", "lastName", "location", "phoneNumber"))).json()
    assert {**same, "updatedAt": ""} == {**before, "updatedAt": ""}, "null leaves a field as it is"


@pytest.mark.parametrize(
    "change",
    [
        {"website": "ftp://files.example/a"},
        {"website": "javascript:alert(1)"},
        {"website": "https://bank.example@evil.example"},
        {"website": "https://bank.example\\@evil.example"},
        {"website": "JaVaScRiPt://bank.example/%0aalert(1)"},
        {"website": "data:text/html,x"},
        {"website": "//bank.example"},
        {"website": "https://bank.example:99999"},
        {"website": "https://bank.example/\u202efdp.exe"},
        {"website": "https://" + "a" * 300 + ".example"},
        {"phoneNumber": "0123"},
        {"phoneNumber": "+1 202 555 0123"},
        {"firstName": ""},
        {"lastName": "two\nlines"},
        {"bio": "x" * 2001},
        {"bio": "bell\u0007"},
        {"bio": "next\u0085line"},
        {"firstName": "\u0301"},
    ],
)
def test_bad_fields_are_named_and_nothing_changes(api: Api, ada: User, change: dict[str, Any]) -> None:
    me = api.as_user(ada)
    before = me.get(PROFILE).json()
    refused = me.put(PROFILE, {"location": "Elsewhere", **change})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == next(iter(change))
    assert me.get(PROFILE).json() == before


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://\u0430pple.example/Pay", "https://xn--pple-43d.example/Pay"),
        ("https://b\u00fccher.example:8443/?q=\u00fc", "https://xn--bcher-kva.example:8443/?q=\u00fc"),
        ("HTTPS://Ada.Example/Roofs", "https://ada.example/Roofs"),
        ("http://[::1]:80/", "http://[::1]:80/"),
    ],
)
def test_a_link_shows_the_host_that_it_leads_to(api: Api, ada: User, given: str, kept: str) -> None:
    me = api.as_user(ada)
    assert me.put(PROFILE, {"website": given}).json()["website"] == kept
    link = me.get(f"{PROFILE}/share").json()["link"]
    page = api.get(urlsplit(link).path, Accept="text/html").content.decode()
    assert f'href="{kept}" rel="nofollow ugc noopener noreferrer"' in page
    assert f">{kept.split('/')[2]}</a>" in page


def test_fields_of_other_workflows_cannot_be_written(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    grabbed = {
        "role": "admin",
        "email": "root@example.com",
        "badges": ["identity"],
        "kycVerified": True,
        "phoneVerified": True,
        "followersCount": 9_000,
        "profilePhoto": "https://evil.example/x.png",
    }
    before = me.get(PROFILE).json()
    after = me.put(PROFILE, grabbed).json()
    assert after == {**before, "updatedAt": after["updatedAt"]}


def test_a_stale_change_is_refused(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    seen = me.get(PROFILE).headers["ETag"]
    first = me.put(PROFILE, {"bio": "one"}, If_Match=seen)
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    assert refusal(me.put(PROFILE, {"bio": "two"}, If_Match=seen)) == (412, "stale")
    assert me.get(PROFILE).json()["bio"] == "one"
    assert me.put(PROFILE, {"bio": "two"}, If_Match=first.headers["ETag"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_of_one_version_one_wins(api: Api, ada: User) -> None:
    clients = [api.as_user(ada), api.as_user(ada)]
    seen = clients[0].get(PROFILE).headers["ETag"]
    answers = together(
        *(lambda me=me, n=n: me.put(PROFILE, {"bio": f"{n}"}, If_Match=seen) for n, me in enumerate(clients))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]


def test_another_number_needs_a_fresh_proof_is_told_and_starts_unconfirmed(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    age_sessions(ada)
    assert refusal(me.put(PROFILE, {"phoneNumber": "+12025550199"})) == (403, "step_up_required")
    assert me.put(PROFILE, {"phoneNumber": "+12025550123", "bio": "same"}).json()["phoneVerified"] is True
    fresh = api.as_user(ada)
    changed = fresh.put(PROFILE, {"phoneNumber": "+12025550199"}).json()
    assert (changed["phoneNumber"], changed["phoneVerified"]) == ("+12025550199", False)
    assert fresh.put(PROFILE, {"phoneNumber": ""}).json()["phoneNumber"] is None
    drain_outbox()
    assert [n.kind for n in Notification.objects.of(ada.pk).order_by("id")] == ["phone_changed", "phone_removed"]
    subjects = MailboxMessage.objects.filter(to=ada.email).values_list("subject", flat=True)
    assert set(subjects) == {"Your phone number was changed", "Your phone number was removed"}


def test_an_unverified_person_edits_but_gets_no_mail(api: Api, person: Callable[..., User]) -> None:
    newcomer = person("newcomer", verified=False)
    assert api.as_user(newcomer).put(PROFILE, {"phoneNumber": "+12025550199"}).status_code == 200
    drain_outbox()
    assert not MailboxMessage.objects.filter(to=newcomer.email).exists()


# --- Pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "member", "shown"), [("photo", "profilePhoto", 512), ("cover", "coverPhoto", 2048)])
def test_a_picture_is_kept_in_sizes_and_the_old_files_go(
    api: Api, ada: User, kind: str, member: str, shown: int
) -> None:
    me = api.as_user(ada)
    answer = me.upload(f"{PROFILE}/{kind}", {kind: picture("JPEG", size=(3000, 1500))})
    assert answer.status_code == 200, answer.json()
    body = answer.json()
    sizes = body[f"{member}Sizes"]
    assert set(sizes) == {"large", "medium", "small"}
    assert body[member] == sizes["medium" if kind == "photo" else "large"] == me.get("/api/auth/me").json()[member]
    name = body[member].partition("/media/")[2]
    assert Image.open(BytesIO(default_storage.open(name).read())).size == (shown, shown // 2)
    again = me.upload(f"{PROFILE}/{kind}", {kind: picture("PNG", size=(90, 60))}).json()
    assert again[member] != body[member]
    drain_outbox()
    assert not default_storage.exists(name)
    assert StoredFile.objects.filter(owner_id=ada.pk, deleted_at__isnull=True).count() == 3
    gone = me.delete(f"{PROFILE}/{kind}").json()
    assert (gone[member], gone[f"{member}Sizes"]) == (None, None)
    assert not StoredFile.objects.filter(owner_id=ada.pk, deleted_at__isnull=True).exists()
    assert me.delete(f"{PROFILE}/{kind}").status_code == 200


@pytest.mark.parametrize(
    ("file", "status", "code"),
    [
        (
            lambda: upload(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.png", "image/png"),
            415,
            "unsupported_file_type",
        ),
        (lambda: upload(b"\xff\xd8\xff" + b"0" * (5 * 1024 * 1024), "a.jpg", "image/jpeg"), 413, "file_too_large"),
        (lambda: upload(b"\x89PNG\r\n\x1a\n broken", "a.png", "image/png"), 400, "broken_file"),
        (lambda: "no file", 400, "invalid_input"),
    ],
)
def test_a_bad_picture_is_refused_and_the_old_one_stays(api: Api, ada: User, file: Any, status: int, code: str) -> None:
    me = api.as_user(ada)
    kept = me.upload(f"{PROFILE}/photo", {"photo": picture()}).json()["profilePhoto"]
    refused = me.upload(f"{PROFILE}/photo", {"photo": file()})
    assert refusal(refused) == (status, code)
    assert refused.json()["errors"][0]["field"] == "photo"
    assert me.get(PROFILE).json()["profilePhoto"] == kept


@pytest.mark.django_db(transaction=True)
def test_two_photos_at_once_leave_one(ada: User) -> None:
    now = timezone.now()

    def show(seed: Any) -> tuple[User, Profile]:
        file = picture("PNG", size=(60, 60), seed=seed)
        stored = profiles.store_picture(person=ada, kind="photo", file=file, now=now)
        return profiles.set_picture(person=ada, kind="photo", stored=stored, now=now)

    results = together(lambda: show(1), lambda: show(2))
    assert not [result for result in results if isinstance(result, Exception)]
    assert ProfilePicture.objects.filter(user=ada).count() == 3
    assert StoredFile.objects.filter(owner_id=ada.pk, deleted_at__isnull=True).count() == 3
    ada.refresh_from_db()
    assert ProfilePicture.objects.get(user=ada, size="medium").file.storage_name in ada.profile_photo


# --- Counts -----------------------------------------------------------------------------------------------------------


def test_campaigns_are_counted_as_they_come_and_go(api: Api, person: Callable[..., User]) -> None:
    founder = person("founder", identity=True)
    me = api.as_user(founder)
    first = me.post("/api/campaigns", draft_fields()).json()["id"]
    make_campaign(founder)
    assert me.get(PROFILE).json()["campaignsCount"] == 2
    me.delete(f"/api/campaigns/{first}")
    listed = me.get("/api/profile/campaigns", {"withTotal": "true"}).json()["total"]
    assert me.get(PROFILE).json()["campaignsCount"] == listed == 1


@pytest.mark.django_db(transaction=True)
def test_counts_are_exact_when_many_count_at_once(api: Api, ada: User) -> None:
    together(*(lambda: count(user_id=ada.pk, followers=1, posts=1) for _ in range(8)))
    body = api.as_user(ada).get(PROFILE).json()
    assert (body["followersCount"], body["postsCount"], body["followingCount"]) == (8, 8, 0)


def test_a_profile_costs_three_queries(api: Api, ada: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    me = api.as_user(ada)
    me.upload(f"{PROFILE}/photo", {"photo": picture()})
    with django_assert_num_queries(3):  # the session, the counts, the pictures
        me.get(PROFILE)
