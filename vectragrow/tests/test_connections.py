"""What a client that means no good can make the server hold: heads, bodies, connections. Bytes on real sockets."""

import json
import os
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from pytest_django.fixtures import Settings
from websockets.sync.client import connect

from accounts.testing import make_person, sign_in
from core.testing import eventually
from vectragrow import connections, server
from vectragrow.tests.serving import Wire, serving

pytestmark = pytest.mark.timeout(180)

HOST = b"Host: localhost\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST
LOGIN = b"POST /api/auth/login HTTP/1.1\r\nContent-Type: application/json\r\n" + HOST
MEGABYTE = 1024 * 1024
BOUNDARY = b"so-long-that-no-random-bytes-hold-it"
FORM = b"Content-Type: multipart/form-data; boundary=" + BOUNDARY + b"\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as port:
        yield port


def lines(count: int) -> bytes:
    return b"".join(b"X-%d: 1\r\n" % n for n in range(count))


def refusal(wire: Wire) -> tuple[int, str]:
    answer = wire.answer()
    body = json.loads(answer.body)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["status"] == answer.status
    assert body["requestId"] == answer.headers["X-Request-ID"]
    return answer.status, body["code"]


# --- Heads ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        HEALTH + lines(100) + b"\r\n",
        HEALTH + b"X: " + b"x" * 32 * 1024 + b"\r\n\r\n",
        HEALTH + b"X: " + b"x" * 40_000,
        b"GET /" + b"x" * 33_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /" + b"x" * 40_000,
        HEALTH + b"X: y\r\n" * 10_000 + b"\r\n",
        HEALTH + b"X" * 500_000,
    ],
    ids=["101 lines", "a long line", "a line without end", "a long path", "a path without end", "10,000 lines", "name"],
)
def test_a_large_head_is_431(port: int, head: bytes) -> None:
    with Wire(port) as wire:
        assert refusal(wire.send(head)) == (431, "head_too_large")
        assert wire.is_closed()


def test_a_head_at_the_limit_is_fine(port: int) -> None:
    with Wire(port) as wire:
        assert wire.send(HEALTH, lines(99), b"\r\n").answer().status == 200
        assert wire.send(HEALTH, b"X: ", b"x" * 32_000, b"\r\n\r\n").answer().status == 200
        body = b"x" * 70_000
        sent = LOGIN + b"Content-Length: 70000\r\n\r\n" + body + HEALTH + b"\r\n"
        assert wire.send(sent).answer().status == 400, "the body does not count as head"
        assert wire.answer().status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\n\r\n",
        HEALTH + HOST + b"\r\n",
        HEALTH + b"Host: other\r\n\r\n",
        LOGIN + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LOGIN + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        LOGIN + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        LOGIN + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
        LOGIN + b"Content-Length: +2\r\n\r\n{}",
        LOGIN + b"Content-Length: 2, 2\r\n\r\n{}",
        LOGIN + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        LOGIN + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        LOGIN + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/auth/login HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEALTH + b" folded: line\r\n\r\n",
        HEALTH + b"X: a\x00b\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n" + HOST + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
def test_a_head_that_two_readers_could_read_differently_is_400(port: int, head: bytes) -> None:
    with Wire(port) as wire:
        assert refusal(wire.send(head)) == (400, "malformed_head")
        assert wire.is_closed()


def test_http_1_0_needs_no_host(port: int) -> None:
    with Wire(port) as wire:
        assert wire.send(b"GET /healthz HTTP/1.0\r\n\r\n").answer().status == 200
        assert wire.is_closed()


@pytest.mark.parametrize("before", [b"", HEALTH + b"\r\n"], ids=["the first request", "a later one"])
@pytest.mark.parametrize("begun, piece", [(b"", b"\r\n"), (b"GE", b""), (HEALTH, b"X: 1\r\n"), (HEALTH + b"X: ", b"x")])
def test_a_slow_head_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, before: bytes, begun: bytes, piece: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    with serving() as port, Wire(port) as wire:
        if before:
            assert wire.send(before).answer().status == 200
        if begun:
            wire.send(begun)
        if piece:
            wire.drip(piece)
        elif begun:
            assert wire.is_closed()


def test_connections_that_say_nothing_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with serving(timeout_keep_alive=1) as port, Wire(port) as silent, Wire(port) as idle:
        assert idle.send(HEALTH + b"\r\n").answer().status == 200
        assert silent.is_closed()
        assert idle.is_closed()


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    with Wire(port) as wire:
        wire.send(HEALTH + b"\r\n" + LOGIN + b"Content-Length: 2\r\n\r\n{}" + HEALTH + b"\r\n")
        assert [wire.answer().status for _ in range(3)] == [200, 400, 200]


def test_an_answer_on_its_way_survives_nonsense_behind_its_request(port: int) -> None:
    with Wire(port) as wire:
        wire.send(LOGIN + b"Content-Length: 2\r\n\r\n{}" + b"nonsense\r\n\r\n" + HEALTH + b"\r\n")
        answer = wire.answer()
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "invalid_input")
        assert wire.is_closed()


def test_trailers_are_no_headers(port: int) -> None:
    body = b"2\r\n{}\r\n0\r\nX-Request-ID: from-a-trailer\r\nAuthorization: Bearer x\r\n\r\n"
    with Wire(port) as wire:
        answer = wire.send(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n" + body).answer()
    assert answer.status == 400
    assert answer.headers["X-Request-ID"] != "from-a-trailer"


# --- Bodies -----------------------------------------------------------------------------------------------------------


def declared(path: bytes, size: int, *more: bytes) -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n" % size + b"".join(more) + b"\r\n"


@pytest.mark.parametrize(
    "head, status, code",
    [
        (declared(b"/api/auth/login", 50 * MEGABYTE, FORM), 413, "too_large"),
        (declared(b"/api/auth/login", 50 * MEGABYTE), 413, "too_large"),
        (declared(b"/api/auth/login", 2 * MEGABYTE), 413, "too_large"),
        (declared(b"/api/campaigns", 50 * MEGABYTE, FORM), 401, "not_authenticated"),
        (declared(b"/api/profile/photo", 50 * MEGABYTE, FORM, b"Authorization: Bearer x\r\n"), 401, "token_invalid"),
        (declared(b"/api/profile/photo", 999 * MEGABYTE, FORM), 401, "not_authenticated"),
        (declared(b"/api/nothing", 50 * MEGABYTE, FORM), 404, "not_found"),
        (declared(b"/verify-email", 50 * MEGABYTE, FORM), 413, "too_large"),
        (declared(b"/admin/login/", 50 * MEGABYTE, FORM), 413, "too_large"),
        (declared(b"/sandbox/none", 50 * MEGABYTE, FORM), 404, "not_found"),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_nobody_reads_a_large_body_of_somebody_who_may_not_send_it(
    port: int, head: Any, status: int, code: str
) -> None:
    with Wire(port) as wire:
        assert refusal(wire.send(head)) == (status, code), "answered, though nothing of the body was sent"


def test_no_client_is_asked_to_send_a_body_that_is_not_wanted(port: int) -> None:
    with Wire(port) as wire:
        wire.send(declared(b"/api/profile/photo", 50 * MEGABYTE, FORM, b"Expect: 100-continue\r\n"))
        assert wire.socket.recv(13) == b"HTTP/1.1 401 "


def test_an_answer_arrives_though_the_client_goes_on_sending(port: int) -> None:
    with Wire(port) as wire:
        wire.send(declared(b"/api/auth/login", 20 * MEGABYTE), b"x" * 20 * MEGABYTE)
        assert refusal(wire) == (413, "too_large")
        assert wire.is_closed()


def test_a_chunked_body_without_end_is_refused_at_the_limit(port: int) -> None:
    with Wire(port) as wire:
        wire.send(LOGIN, b"Transfer-Encoding: chunked\r\n\r\n", *[b"10000\r\n" + b"x" * 65536 + b"\r\n"] * 17)
        assert refusal(wire) == (413, "too_large")


def photo_form() -> bytes:
    """A form with a picture that does not compress, 2.5 MB."""
    out = BytesIO()
    Image.frombytes("RGB", (900, 900), os.urandom(900 * 900 * 3)).save(out, "PNG")
    part = b'\r\nContent-Disposition: form-data; name="photo"; filename="p.png"\r\n\r\n'
    return b"--" + BOUNDARY + part + out.getvalue() + b"\r\n--" + BOUNDARY + b"--\r\n"


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.django_db(transaction=True)
def test_files_of_somebody_who_may_send_them_arrive(port: int, is_chunked: bool) -> None:
    body = photo_form()
    bearer = f"Authorization: Bearer {sign_in(make_person())}\r\n".encode()
    head = b"POST /api/profile/photo HTTP/1.1\r\n" + HOST + FORM + bearer
    with Wire(port) as wire:
        if is_chunked:
            wire.send(head, b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n" % len(body), body, b"\r\n0\r\n\r\n")
        else:
            wire.send(head, b"Content-Length: %d\r\n\r\n" % len(body), body)
        answer = wire.answer()
        assert (answer.status, "profilePhoto" in json.loads(answer.body)) == (200, True), answer.body
        json_head = head.replace(FORM, b"Content-Type: application/json\r\n")
        assert refusal(wire.send(json_head, b"Content-Length: 2000000\r\n\r\n")) == (413, "too_large")
    with Wire(port) as wire:
        assert refusal(wire.send(declared(b"/api/profile/photo", 61 * MEGABYTE, FORM, bearer))) == (413, "too_large")
    with Wire(port) as wire:
        no_files = declared(b"/api/profile/invite", 2 * MEGABYTE, FORM, bearer)
        assert refusal(wire.send(no_files)) == (413, "too_large")


def test_a_slow_body_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_SECONDS", 0.5)
    monkeypatch.setattr(server, "BODY_RATE", 1e9)
    with serving() as port:
        with Wire(port) as wire:
            assert refusal(wire.send(LOGIN + b"Content-Length: 1000\r\n\r\n{")) == (408, "request_timeout")
            assert wire.is_closed()
        with Wire(port) as wire:
            wire.send(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n").drip(b"1\r\nx\r\n")
        with Wire(port) as wire:
            wire.send(declared(b"/api/auth/login", 20 * MEGABYTE)).drip(b"x")


def test_a_body_that_is_no_chunked_body_is_400(port: int) -> None:
    with Wire(port) as wire:
        assert refusal(wire.send(LOGIN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")) == (400, "malformed_head")


def test_a_client_that_takes_no_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", 0.3)
    many = (b"GET /api/schema HTTP/1.1\r\n" + HOST + b"\r\n") * 100
    with serving() as port, Wire(port) as wire:
        wire.send(many)
        eventually(lambda: not connections.open_connections._by_address)


# --- Connections ------------------------------------------------------------------------------------------------------


def test_an_address_holds_so_many_connections_and_a_new_one_takes_the_place_of_a_waiting_one(
    settings: Settings,
) -> None:
    settings.CONNECTIONS_PER_ADDRESS = 5
    with serving() as port:
        wires = [Wire(port).send(b"GET /") for _ in range(20)]
        assert Wire(port).send(HEALTH + b"\r\n").answer().status == 200
        assert [wire.is_closed() for wire in wires[:16]] == [True] * 16
        assert [wire.send(b"healthz HTTP/1.1\r\n\r\n").answer().status for wire in wires[16:]] == [400] * 4


def test_sockets_count_and_are_not_pushed_out(settings: Settings) -> None:
    settings.CONNECTIONS_PER_ADDRESS = 3
    with serving() as port:
        url = f"ws://127.0.0.1:{port}/ws/"
        opened = [connect(url, open_timeout=60) for _ in range(3)]
        sockets = [connecting.__enter__() for connecting in opened]
        assert Wire(port).is_closed()
        sockets.pop().close()

        def is_answered() -> bool:
            with Wire(port) as wire:
                try:
                    return wire.send(HEALTH + b"\r\n").answer().status == 200
                except OSError:
                    return False

        eventually(is_answered)
        for socket in sockets:
            socket.ping().wait(60)
            socket.close()


def test_trusted_proxies_hold_as_many_as_they_need(settings: Settings) -> None:
    settings.CONNECTIONS_PER_ADDRESS = 2
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
    with serving() as port:
        wires = [Wire(port).send(b"GET /healthz HTTP/1.1\r\n") for _ in range(10)]
        assert [wire.send(HOST + b"\r\n").answer().status for wire in wires] == [200] * 10
