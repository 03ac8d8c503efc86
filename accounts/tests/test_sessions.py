"""Login, refresh, logout: what a client keeps, and when it stops working."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Barrier, Event
from typing import Any

import jwt
import pytest
import time_machine
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings
from redis import RedisError
from time_machine import TimeMachineFixture, travel

from accounts import authentication, tokens
from accounts.models import RefreshToken, Session, Status, User
from accounts.services import sessions
from accounts.testing import PASSWORD, make_person
from core.api import limits
from core.data.ids import uuid7
from core.testing import WAIT_LIMIT, Api, deliver_events, together
from core.testing.sockets import Server, dial


def log_in(api: Api, person: User, password: str = PASSWORD) -> Any:
    return api.post("/api/auth/login", {"email": person.email, "password": password})


def test_login_me_refresh_logout(api: Api, person: Callable[..., User]) -> None:
    ada = person("ada")
    signed_in = log_in(api, ada).json()
    me = api.with_token(signed_in["token"])
    assert me.get("/api/auth/me").json()["email"] == ada.email
    refreshed = api.post("/api/auth/refresh", {"refreshToken": signed_in["refreshToken"]})
    assert refreshed.status_code == 200
    assert set(refreshed.json()) == {"token", "refreshToken", "expiresIn"}
    me = api.with_token(refreshed.json()["token"])
    assert me.post("/api/auth/logout").json() == {"message": "Logged out successfully"}
    ended = me.get("/api/auth/me")
    assert (ended.status_code, ended.json()["code"]) == (401, "token_invalid")
    assert ended["WWW-Authenticate"] == 'Bearer realm="api"'
    again = api.post("/api/auth/refresh", {"refreshToken": refreshed.json()["refreshToken"]})
    assert (again.status_code, again.json()["code"]) == (401, "refresh_token_invalid")


def test_known_and_unknown_accounts_answer_alike(api: Api, person: Callable[..., User]) -> None:
    wrong = log_in(api, person("ada"), "not the password")
    unknown = api.post("/api/auth/login", {"email": "nobody@example.com", "password": PASSWORD})
    shape = lambda answer: (answer.status_code, {**answer.json(), "requestId": ""})  # noqa: E731
    assert shape(wrong) == shape(unknown)
    assert wrong.json()["code"] == "invalid_credentials"


def test_failures_are_limited_per_account_and_a_right_login_clears_them(api: Api, person: Callable[..., User]) -> None:
    ada, bob = person("ada"), person("bob")
    for _ in range(4):
        assert log_in(api, ada, "wrong password").status_code == 401
    assert log_in(api, ada).status_code == 200
    codes = [log_in(api, ada, "wrong password").status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]
    limited = log_in(api, ada)
    assert limited.status_code == 429
    assert int(limited["Retry-After"]) > 0
    assert limited["RateLimit-Remaining"] == "0"
    assert log_in(Api(address="192.0.2.7"), bob).status_code == 200


def test_without_redis_failures_are_limited_and_a_right_login_clears_them_all_the_same(
    api: Api, person: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise RedisError

    monkeypatch.setattr(limits, "client", away)
    limits._local.clear()
    ada = person("ada")
    for _ in range(4):
        assert log_in(api, ada, "wrong password").status_code == 401
    assert log_in(api, ada).status_code == 200
    assert [log_in(api, ada, "wrong password").status_code for _ in range(6)] == [401] * 5 + [429]
    limits._local.clear()


def test_failures_are_limited_per_address(api: Api) -> None:
    codes = [
        api.post("/api/auth/login", {"email": f"nobody{n}@example.com", "password": "some password"}).status_code
        for n in range(11)
    ]
    assert codes == [401] * 10 + [429]


@pytest.mark.parametrize(
    "addresses",
    [
        [f"2001:db8:7:7:{n}::1" for n in range(11)],
        ["192.0.2.7", "::ffff:192.0.2.7"] * 5 + ["192.0.2.7"],
    ],
)
def test_one_customers_addresses_are_one(db: None, addresses: Any) -> None:
    statuses = [
        Api(address=address).post("/api/auth/login", {"email": f"n{n}@example.com", "password": "x"}).status_code
        for n, address in enumerate(addresses)
    ]
    assert statuses == [401] * 10 + [429]
    another = Api(address="2001:db8:7:8::1").post("/api/auth/login", {"email": "n@example.com", "password": "x"})
    assert another.status_code == 401


@pytest.mark.parametrize("peer", ["10.0.0.5", "::ffff:10.0.0.5"])
def test_the_address_is_what_a_trusted_proxy_says_and_nobody_else(db: None, settings: Settings, peer: str) -> None:
    def fail(peer: str, forwarded_for: str | None) -> Any:
        body = {"email": f"{uuid7().hex}@example.com", "password": "x"}
        return Api(address=peer).post("/api/auth/login", body, x_forwarded_for=forwarded_for).status_code

    assert [fail("198.51.100.1", f"192.0.2.{n}") for n in range(11)] == [401] * 10 + [429], "a stranger's word"
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert [fail(peer, f"192.0.2.{n}, 203.0.113.7") for n in range(11)] == [401] * 10 + [429]
    assert fail(peer, "203.0.113.8") == 401


def test_a_suspended_person_is_told_only_after_the_password(api: Api, person: Callable[..., User]) -> None:
    ada = person("ada", status=Status.SUSPENDED)
    assert log_in(api, ada, "wrong password").json()["code"] == "invalid_credentials"
    refused = log_in(api, ada)
    assert (refused.status_code, refused.json()["code"]) == (403, "account_suspended")


def test_suspension_ends_a_session_at_the_next_request(api: Api, person: Callable[..., User]) -> None:
    ada = person("ada")
    me = api.as_user(ada)
    assert me.get("/api/auth/me").status_code == 200
    type(ada).objects.filter(pk=ada.pk).update(status=Status.SUSPENDED)
    assert me.get("/api/auth/me").status_code == 401


def test_an_access_token_lasts_fifteen_minutes(api: Api, person: Callable[..., User]) -> None:
    before, token, after = timezone.now(), log_in(api, person("ada")).json()["token"], timezone.now()
    with time_machine.travel(before + timedelta(minutes=14, seconds=59), tick=False):
        assert api.with_token(token).get("/api/auth/me").status_code == 200
    with time_machine.travel(after + timedelta(minutes=15, seconds=2)):
        late = api.with_token(token).get("/api/auth/me")
        assert (late.status_code, late.json()["code"]) == (401, "token_expired")


def test_forged_tokens_are_refused(api: Api, person: Callable[..., User]) -> None:
    session = sessions.open_session(user=person("ada"), device="", method="password", now=timezone.now()).session
    good = tokens.access_token(session, uuid7(), timezone.now())
    claims = jwt.decode(good, options={"verify_signature": False})
    key: Any = tokens._signing_backend().signing_key
    forged = {
        "none": jwt.encode(claims, "", algorithm="none"),
        "other key": jwt.encode(claims, "k" * 64, algorithm="HS256"),
        "other algorithm": jwt.encode(claims, key, algorithm="HS512"),
        "other type": jwt.encode({**claims, "typ": "refresh"}, key, algorithm="HS256"),
        "no type": jwt.encode({k: v for k, v in claims.items() if k != "typ"}, key, algorithm="HS256"),
        "other issuer": jwt.encode({**claims, "iss": "someone"}, key, algorithm="HS256"),
        "other audience": jwt.encode({**claims, "aud": "someone"}, key, algorithm="HS256"),
        "kid and jku": jwt.encode(claims, "k" * 64, headers={"kid": "../../dev/null", "jku": "https://x"}),
        "cut": good[:-4],
        "huge": good + "x" * 10_000,
        "not a token": "hello",
    }
    for name, token in forged.items():
        answer = api.with_token(token).get("/api/auth/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid"), name
    assert api.with_token(good).get("/api/auth/me").status_code == 200


def refresh(api: Api, token: str) -> Any:
    return api.post("/api/auth/refresh", {"refreshToken": token})


def later(**by: Any) -> travel:
    return time_machine.travel(timezone.now() + timedelta(**by), tick=False)


@pytest.mark.parametrize("wait", [{}, {"hours": 1}, {"hours": 23, "minutes": 59}])
def test_a_lost_answer_is_given_again(api: Api, person: Callable[..., User], wait: dict[str, Any]) -> None:
    signed_in = log_in(api, person("ada")).json()
    first = signed_in["refreshToken"]
    second = refresh(api, first).json()["refreshToken"]
    with later(**wait):
        if not wait:
            assert api.with_token(signed_in["token"]).get("/api/auth/me").status_code == 200, (
                "of before, proves nothing"
            )
        answers = [refresh(api, first).json() for _ in range(3)]
        assert {answer["refreshToken"] for answer in answers} == {second}
        assert api.with_token(answers[-1]["token"]).get("/api/auth/me").status_code == 200
        assert refresh(api, second).status_code == 200
    assert Session.objects.get().revoked_at is None


def is_reused(api: Api, token: str) -> bool:
    answer = refresh(api, token)
    return (answer.status_code, answer.json()["code"]) == (401, "token_reused")


def test_an_answer_counts_as_lost_for_a_day_at_most(api: Api, person: Callable[..., User]) -> None:
    first = log_in(api, person("ada")).json()["refreshToken"]
    refresh(api, first)
    with later(hours=24, seconds=1):
        assert is_reused(api, first)


@pytest.mark.parametrize("used", ["the access token", "the access token of a repeat", "the refresh token"])
def test_what_was_issued_with_the_successor_shows_that_the_answer_arrived(
    api: Api, person: Callable[..., User], used: str
) -> None:
    first = log_in(api, person("ada")).json()["refreshToken"]
    given, again = refresh(api, first).json(), refresh(api, first).json()
    if used == "the refresh token":
        assert refresh(api, given["refreshToken"]).status_code == 200
    else:
        token = given["token"] if used == "the access token" else again["token"]
        assert api.with_token(token).get("/api/auth/me").status_code == 200
    assert is_reused(api, first)
    assert api.with_token(given["token"]).get("/api/auth/me").status_code == 401
    assert Session.objects.get().revoked_because == "token_reused"


def test_a_refused_call_with_the_access_token_is_a_use_too(api: Api, person: Callable[..., User]) -> None:
    first = log_in(api, person("ada", verified=False)).json()["refreshToken"]
    assert api.with_token(refresh(api, first).json()["token"]).post("/api/kyc/initiate", {}).status_code == 403
    assert is_reused(api, first)


@pytest.mark.django_db(transaction=True)
def test_a_socket_opened_with_the_access_token_is_a_use(
    api: Api, person: Callable[..., User], socket_server: Server
) -> None:
    first = log_in(api, person("ada")).json()["refreshToken"]
    given = refresh(api, first).json()
    with dial(socket_server.url, given["token"]) as device:
        device.expect("ready")
        assert is_reused(api, first)
        assert device.close_code() == 4001


def test_a_repeat_that_came_in_before_the_first_use_is_parallel(api: Api, person: Callable[..., User]) -> None:
    first = log_in(api, person("ada")).json()["refreshToken"]
    came_in = timezone.now()
    given = refresh(api, first).json()
    assert api.with_token(given["token"]).get("/api/auth/me").status_code == 200
    waited = sessions.refresh_session(refresh_token=first, now=came_in)
    assert waited.refresh_token == given["refreshToken"]


def test_each_refresh_may_lose_its_answer_anew(api: Api, person: Callable[..., User]) -> None:
    token = log_in(api, person("ada")).json()["refreshToken"]
    for _ in range(3):
        given = refresh(api, token).json()
        assert refresh(api, token).json()["refreshToken"] == given["refreshToken"]
        assert api.with_token(given["token"]).get("/api/auth/me").status_code == 200
        token = given["refreshToken"]


def test_the_first_use_is_written_once(
    api: Api, person: Callable[..., User], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = log_in(api, person("ada")).json()["refreshToken"]
    me = api.with_token(refresh(api, first).json()["token"])
    with django_assert_num_queries(2):
        assert me.get("/api/auth/me").status_code == 200
    with django_assert_num_queries(1):
        assert me.get("/api/auth/me").status_code == 200


@pytest.fixture
def refreshed_before_the_note(api: Api, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """While a call with the access token of a refresh runs, before its use is noted, the session is refreshed again."""
    original = authentication._note_first_use

    def arrange(person: User) -> dict[str, str]:
        given = refresh(api, log_in(api, person).json()["refreshToken"]).json()
        following = {}

        def slowed(session: Any, now: datetime) -> None:
            monkeypatch.undo()
            following.update(refresh(api, given["refreshToken"]).json())
            original(session, now)

        monkeypatch.setattr(authentication, "_note_first_use", slowed)
        assert api.with_token(given["token"]).get("/api/auth/me").status_code == 200
        return {"before": given["refreshToken"], "newest": following["refreshToken"]}

    return arrange


def test_a_late_note_of_use_says_nothing_about_the_next_answer(
    api: Api, person: Callable[..., User], refreshed_before_the_note: Callable[..., dict[str, str]]
) -> None:
    held = refreshed_before_the_note(person("ada"))
    assert refresh(api, held["before"]).json().get("refreshToken") == held["newest"]


def test_without_the_condition_a_late_note_ends_the_session(
    api: Api,
    person: Callable[..., User],
    monkeypatch: pytest.MonkeyPatch,
    refreshed_before_the_note: Callable[..., dict[str, str]],
) -> None:
    conditional = type(Session.objects).filter

    def unconditional(self: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("unused_successor_id", None)
        return conditional(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(Session.objects), "filter", unconditional)
        held = refreshed_before_the_note(person("ada"))
    assert is_reused(api, held["before"])


def test_the_token_two_back_is_refused_at_once(api: Api, person: Callable[..., User]) -> None:
    first = log_in(api, person("ada")).json()["refreshToken"]
    second = refresh(api, first).json()["refreshToken"]
    third = refresh(api, second).json()["refreshToken"]
    assert refresh(api, second).json()["refreshToken"] == third
    reused = refresh(api, first)
    assert (reused.status_code, reused.json()["code"]) == (401, "token_reused")
    for token in (first, second, third):
        ended = refresh(api, token)
        assert (ended.status_code, ended.json()["code"]) == (401, "refresh_token_invalid")


def test_no_answer_of_a_session_that_ended_is_given_again(api: Api, person: Callable[..., User]) -> None:
    signed_in = log_in(api, person("ada")).json()
    first = signed_in["refreshToken"]
    refreshed = refresh(api, first).json()
    assert api.with_token(refreshed["token"]).post("/api/auth/logout").status_code == 200
    ended = refresh(api, first)
    assert (ended.status_code, ended.json()["code"]) == (401, "refresh_token_invalid")


@pytest.mark.parametrize("key", [None, "a-key"])
def test_late_reuse_revokes_the_session_and_tells_the_person(
    api: Api, person: Callable[..., User], key: str | None
) -> None:
    from notifications.models import Notification

    ada = person("ada")
    answer = log_in(api, ada).json()
    refreshed = api.post("/api/auth/refresh", {"refreshToken": answer["refreshToken"]}).json()
    assert api.with_token(refreshed["token"]).get("/api/auth/me").status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=10.5)):
        headers = {"idempotency_key": key} if key else {}
        reused = api.post("/api/auth/refresh", {"refreshToken": answer["refreshToken"]}, **headers)
        assert reused.json()["code"] == "token_reused"
        assert api.with_token(answer["token"]).get("/api/auth/me").status_code == 401
    assert Session.objects.get().revoked_because == "token_reused"
    deliver_events()
    assert Notification.objects.filter(user_id=ada.pk, kind="session_revoked").count() == 1


def test_a_session_ends_after_thirty_days(api: Api, person: Callable[..., User]) -> None:
    refresh = log_in(api, person("ada")).json()["refreshToken"]
    with time_machine.travel(timezone.now() + timedelta(days=30, seconds=1)):
        assert api.post("/api/auth/refresh", {"refreshToken": refresh}).status_code == 401


def test_devices_are_listed_and_closed(api: Api, person: Callable[..., User]) -> None:
    ada, eve = person("ada"), person("eve")
    here, there, stranger = api.as_user(ada), api.as_user(ada), api.as_user(eve)
    listed = here.get("/api/auth/sessions").json()
    assert [row["current"] for row in listed["items"]] == [False, True]
    other = listed["items"][0]["id"]
    assert stranger.delete(f"/api/auth/sessions/{other}").status_code == 404
    assert there.get("/api/auth/me").status_code == 200
    assert here.delete(f"/api/auth/sessions/{other}").status_code == 200
    assert there.get("/api/auth/me").status_code == 401
    assert here.delete(f"/api/auth/sessions/{other}").status_code == 404
    assert here.post("/api/auth/logout-all").status_code == 200
    assert here.get("/api/auth/me").status_code == 401


def test_step_up_renews_the_proof(api: Api, person: Callable[..., User]) -> None:
    ada = person("ada")
    me = api.as_user(ada)
    Session.objects.update(authenticated_at=timezone.now() - timedelta(hours=1))
    assert me.post("/api/auth/step-up", {"password": "wrong password"}).status_code == 401
    begun = timezone.now()
    assert me.post("/api/auth/step-up", {"password": PASSWORD}).status_code == 200
    assert Session.objects.get().authenticated_at >= begun


def race_of_refreshes(times: int) -> list[tuple[int, str]]:
    """Status and refresh token (or code) of each answer to one token that many clients present at the same moment."""
    token = log_in(Api(), make_person(first_name="Ada")).json()["refreshToken"]
    start = Barrier(times)

    def refresh() -> tuple[int, str]:
        start.wait()
        answer = Api().post("/api/auth/refresh", {"refreshToken": token})
        return answer.status_code, answer.json().get("refreshToken") or answer.json()["code"]

    return together(*[refresh] * times)


@pytest.mark.django_db(transaction=True)
def test_parallel_refreshes_make_one_lineage(api: Api) -> None:
    answers = race_of_refreshes(50)
    assert len(answers) == 50 and len(set(answers)) == 1, set(answers)
    [(status, successor)] = set(answers)
    assert status == 200
    assert RefreshToken.objects.filter(used_at__isnull=True).count() == 1
    assert refresh(api, successor).status_code == 200, "and nobody was signed out"


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_parallel_refreshes_break(monkeypatch: pytest.MonkeyPatch, no_locks: None) -> None:
    make_token, two_are_here, here = tokens.new_token, Event(), []

    def when_a_rival_is_here() -> str:
        """Between what was read and what is written, where the rivals come in."""
        here.append(1)
        if len(here) == 3:  # the first is the login
            two_are_here.set()
        if len(here) > 1:
            two_are_here.wait(WAIT_LIMIT)
        return make_token()

    monkeypatch.setattr(tokens, "new_token", when_a_rival_is_here)
    assert len(set(map(str, race_of_refreshes(12)))) > 1


def test_list_of_devices_asks_a_constant_number_of_queries(
    api: Api, person: Callable[..., User], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ada = person("ada")
    me = api.as_user(ada)
    for _ in range(9):
        api.as_user(ada)
    with django_assert_max_num_queries(2):
        assert len(me.get("/api/auth/sessions").json()["items"]) == 10


@pytest.mark.parametrize("header", ["Bearer of.no.use", "Bearer ", "Basic eDp5"])
def test_a_token_that_is_over_hinders_nobody_at_open_operations(
    person: Callable[..., User], header: str, time_machine: TimeMachineFixture
) -> None:
    """Clients send their access token along with everything, the refresh included."""
    ada = person("ada")
    given = log_in(Api(), ada).json()
    stale = Api(given["token"])
    time_machine.move_to(timezone.now() + timedelta(minutes=16))
    assert stale.get("/api/auth/me").json()["code"] == "token_expired"
    assert stale.post("/api/auth/refresh", {"refreshToken": given["refreshToken"]}).status_code == 200
    odd = Api()
    odd.client.credentials(HTTP_AUTHORIZATION=header)
    assert odd.post("/api/auth/login", {"email": ada.email, "password": PASSWORD}).status_code == 200
    assert odd.get("/api/auth/me").status_code == 401
