"""The socket itself, on a real server: opening, answering, closing (docs/publishing.md)."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from accounts.models import User
from accounts.testing import sign_in
from core import redis
from core.api import limits
from core.realtime import publishing
from core.realtime.sockets import MESSAGES, REFUSED
from core.testing import WAIT_LIMIT, Api, eventually
from core.testing.sockets import Server, dial

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def founder(person: Callable[..., User]) -> User:
    return person("founder")


def test_subprotocol_signs_in(socket_server: Server, founder: User) -> None:
    with dial(socket_server.url, sign_in(founder)) as phone:
        ready = phone.expect("ready")
        assert phone.connection.subprotocol == "vectragrow.v1"
        assert ready["userId"] == str(founder.pk)
        assert ready["sessionId"] == str(founder.sessions.get().pk)
        assert ready["heartbeatSeconds"] > 0


def test_one_log_line_for_a_socket_when_it_closes(founder: User) -> None:
    server = Server()
    try:
        with dial(server.url + "?token=s3cret", sign_in(founder)) as phone:
            phone.expect("ready")
            assert '"WS"' not in server.output()
        eventually(lambda: '"WS"' in server.output())
        [line] = [json.loads(line) for line in server.output().splitlines() if '"WS"' in line]
    finally:
        server.end()
    assert (line["message"], line["route"], line["person"]) == ("request", "/ws/", str(founder.pk))
    assert line["status"] in range(1000, 5000) and line["ms"] >= 0 and line["requestId"]
    assert "s3cret" not in json.dumps(line)


def test_first_frame_signs_in(socket_server: Server, founder: User) -> None:
    with dial(socket_server.url) as phone:
        assert phone.ask("auth", token=sign_in(founder))["type"] == "ack"
        assert phone.expect("ready")["userId"] == str(founder.pk)
        assert phone.ask("auth", token=sign_in(founder))["code"] == "already_signed_in"


@pytest.mark.parametrize("path", ["/ws/", "/ws"])
def test_both_paths_open(socket_server: Server, founder: User, path: str) -> None:
    with dial(socket_server.url.replace("/ws/", path), sign_in(founder)) as phone:
        phone.expect("ready")


def test_other_paths_are_refused(socket_server: Server) -> None:
    with pytest.raises(InvalidStatus) as refused, dial(socket_server.url + "elsewhere"):
        pass
    assert refused.value.response.status_code == 403


def test_token_in_the_address_is_not_looked_at(socket_server: Server, founder: User) -> None:
    with dial(f"{socket_server.url}?token={sign_in(founder)}") as phone:
        assert phone.ask("ping")["code"] == "not_authenticated"
        assert phone.close_code() == 4001


@pytest.mark.parametrize("token", ["nonsense", "a.b.c"])
def test_bad_token_closes_4001(socket_server: Server, token: str) -> None:
    with dial(socket_server.url, token) as phone:
        assert phone.expect("error")["code"] == "token_invalid"
        assert phone.close_code() == 4001


def refusals(url: str, tokens: Any, **options: Any) -> list[tuple[str, int]]:
    """Code and close code that each of these tokens gets."""
    seen = []
    for token in tokens:
        with dial(url, token, **options) as phone:
            seen.append((phone.expect("error")["code"], phone.close_code()))
    return seen


def until_refused(url: str, most: int = 20, **options: Any) -> None:
    """Try until the address has no try left: the window slides on while a busy machine gets through ten of them."""
    tries = (refusals(url, ["a.b.c"], **options)[0] for _ in range(most))
    assert next((seen for seen in tries if seen != ("token_invalid", 4001)), None) == ("too_many_refused", 4029)


def test_bad_tokens_are_limited_per_address(socket_server: Server, founder: User) -> None:
    good = sign_in(founder)
    assert refusals(socket_server.url, ["a.b.c"] * 10) == [("token_invalid", 4001)] * 10
    until_refused(socket_server.url)
    assert refusals(socket_server.url, [good]) == [("too_many_refused", 4029)], "as at login, nobody looks any more"
    with dial(socket_server.url) as phone:
        assert phone.ask("auth", token="a.b.c")["code"] == "too_many_refused"
        assert phone.close_code() == 4029
    limits.forget(REFUSED, "127.0.0.1")
    with dial(socket_server.url, good) as phone:
        phone.expect("ready")


def test_expired_tokens_do_not_count(socket_server: Server, founder: User) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=16)):
        expired = sign_in(founder)
    assert refusals(socket_server.url, [expired] * 12) == [("token_expired", 4001)] * 12


def test_whoever_is_no_proxy_cannot_choose_an_address(socket_server: Server) -> None:
    for n in range(10):
        refusals(socket_server.url, ["a.b.c"], additional_headers={"X-Forwarded-For": f"192.0.2.{n}"})
    until_refused(socket_server.url, most=3)


def test_behind_a_proxy_each_client_counts_for_itself(founder: User) -> None:
    server = Server(TRUSTED_PROXIES="127.0.0.1/32")
    client = {"X-Forwarded-For": "192.0.2.7"}
    try:
        refusals(server.url, ["a.b.c"] * 10, additional_headers=client)
        until_refused(server.url, additional_headers=client)
        forged = {"X-Forwarded-For": "198.51.100.1, 192.0.2.7"}
        assert refusals(server.url, ["a.b.c"], additional_headers=forged) == [("too_many_refused", 4029)]
        with dial(server.url, sign_in(founder), additional_headers={"X-Forwarded-For": "192.0.2.8"}) as phone:
            phone.expect("ready")
        for n in range(11):
            with_port = {"X-Forwarded-For": f"[2001:db8:0:{n}::1]:4{n}"}
            assert refusals(server.url, ["a.b.c"], additional_headers=with_port) == [("token_invalid", 4001)]
    finally:
        server.end()


def test_foreign_origin_closes_4003_and_ours_opens(socket_server: Server, founder: User) -> None:
    with dial(socket_server.url, sign_in(founder), origin="https://evil.example") as phone:
        assert phone.close_code() == 4003
        assert phone.frames == []
    with dial(socket_server.url, sign_in(founder), origin=settings.WEBSOCKET_ORIGINS[0]) as phone:
        phone.expect("ready")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "malformed_body"),
        ("[]", "malformed_body"),
        ('{"type": "ping", "type": "ping"}', "malformed_body"),
        ("{}", "unknown_type"),
        ('{"type": ["ping"]}', "unknown_type"),
        ('{"type": "websocket.disconnect"}', "unknown_type"),
        ('{"type": "_sign_in", "token": "x"}', "unknown_type"),
        ('{"type": "ping", "ref": {}}', "invalid"),
        ('{"type": "ping", "ref": 1000000000000000000000000000000}', "invalid"),
        ('{"type": "ping", "ref": 1.0}', "invalid"),
        ('{"type": "ping", "ref": 1e400}', "invalid"),
        ('{"type": "ping", "ref": 9007199254740992}', "invalid"),
        ('{"type": "ping", "ref": true}', "invalid"),
        (json.dumps({"type": "ping", "ref": "x" * 65}), "invalid"),
        ('{"type": "auth", "token": 1.5}', "invalid"),
        ('{"type": "resume", "conversations": {"0192f0c1-2345-7abc-8def-0123456789ab": 1.0}}', "invalid"),
        ('{"type": "chat.read", "conversationId": "0192f0c1-2345-7abc-8def-0123456789ab", "seq": 1e400}', "invalid"),
        (b"binary", "malformed_body"),
    ],
)
def test_bad_frames_are_answered_and_the_socket_stays(
    socket_server: Server, founder: User, frame: Any, code: str
) -> None:
    with dial(socket_server.url, sign_in(founder)) as phone:
        phone.connection.send(frame)
        assert phone.expect("error")["code"] == code
        assert phone.ask("ping")["type"] == "pong"


@pytest.mark.parametrize("ref", [0, -1, 2**53 - 1, "", "1.0", "x" * 64, "\u00e9"])
def test_a_ref_comes_back_as_it_was(socket_server: Server, founder: User, ref: Any) -> None:
    with dial(socket_server.url, sign_in(founder)) as phone:
        phone.send("ping", ref=ref)
        assert phone.expect("pong")["ref"] == ref
        phone.send("chat.read", ref=ref, seq=[{"deep": 1}], conversationId="x")
        assert phone.expect("error")["ref"] == ref


def test_a_fraction_anywhere_is_refused_with_the_frames_ref(socket_server: Server, founder: User) -> None:
    with dial(socket_server.url, sign_in(founder)) as phone:
        phone.connection.send('{"type": "chat.read", "ref": "r", "seq": 2.0}')
        refused = phone.expect("error")
        assert (refused["ref"], refused["code"]) == ("r", "invalid")


def test_frame_over_64_kib_closes_1009(socket_server: Server, founder: User) -> None:
    with dial(socket_server.url, sign_in(founder)) as phone:
        phone.send("ping", padding="x" * 65_000)
        phone.expect("pong")
        phone.send("ping", padding="x" * 66_000)
        assert phone.close_code() == 1009


def test_revoked_session_is_published_to_the_servers_and_closes_4001(
    socket_server: Server, founder: User, api: Api
) -> None:
    phone_token, laptop_token = sign_in(founder), sign_in(founder)
    with dial(socket_server.url, phone_token) as phone, dial(socket_server.url, laptop_token) as laptop:
        session = phone.expect("ready")["sessionId"]
        laptop.expect("ready")
        with redis.client().pubsub() as channel:
            channel.subscribe(publishing.channel())
            assert channel.get_message(timeout=WAIT_LIMIT)["type"] == "subscribe"
            assert api.with_token(phone_token).post("/api/auth/logout").status_code == 200
            published = channel.get_message(timeout=WAIT_LIMIT)
        assert publishing.read_message(published["data"]) == [session], "the server need not look for itself"
        assert phone.close_code() == 4001
        assert laptop.ask("ping")["type"] == "pong"


def test_a_published_revocation_closes_4001_by_itself(socket_server: Server, founder: User) -> None:
    """The session lives on in the database, so no look of the server into it can be what closes the socket."""
    with dial(socket_server.url, sign_in(founder)) as phone:
        phone.expect("ready")
        publishing.revoke(sessions=[founder.sessions.get().pk])
        assert phone.close_code() == 4001


def test_flooding_closes_4029_for_every_kind_of_frame(socket_server: Server, founder: User) -> None:
    with dial(socket_server.url, sign_in(founder)) as phone:
        phone.flood(MESSAGES.most * 4, "ping")
        assert phone.close_code() == 4029
        assert phone.frames[-1]["code"] == "flooding"


def test_eleventh_socket_is_refused_until_one_closes(socket_server: Server, founder: User) -> None:
    token = sign_in(founder)
    opened = [dial(socket_server.url, token) for _ in range(10)]
    try:
        for one in opened:
            one.__enter__().expect("ready")
        with dial(socket_server.url, token) as eleventh:
            assert eleventh.expect("error")["code"] == "too_many_sockets"
            assert eleventh.close_code() == 4029
    finally:
        for one in opened:
            one.__exit__(None, None, None)

    def opens() -> bool:
        with dial(socket_server.url, token) as again:
            return again.until(lambda frame: True)["type"] == "ready"

    eventually(opens)


def test_restart_closes_1012_and_ends(founder: User) -> None:
    server = Server()
    try:
        with dial(server.url, sign_in(founder)) as phone:
            phone.expect("ready")
            server.process.terminate()
            assert phone.close_code() == 1012
        assert server.process.wait(WAIT_LIMIT) is not None
    finally:
        server.end()
