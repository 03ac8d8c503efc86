"""One key, one effect, one answer."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.outputs.sign_in import TokensOutput
from accounts.testing import make_person
from core.api.errors import IdempotencyInProgress
from core.api.idempotency import LEASE, _canonical
from core.api.parsing import parse_json
from core.models import IdempotencyKey, OutboxEvent
from core.testing import WAIT_LIMIT, Api, together

PATH = "/api/auth/register"
BODY = {"email": "ada@example.com", "password": "a fine long phrase", "firstName": "Ada", "lastName": "L"}


def test_replays_byte_for_byte_for_a_day(api: Api) -> None:
    first = api.post(PATH, BODY, idempotency_key="k")
    with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=59)):
        again = api.post(PATH, BODY, idempotency_key="k")
        assert (again.content, again.status_code) == (first.content, first.status_code)
        assert again["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1)):
        assert api.post(PATH, BODY, idempotency_key="k").json()["code"] == "email_taken"


def test_scope_is_person_method_and_path(api: Api, person: Callable[..., User]) -> None:
    ada, eve = api.as_user(person("ada")), api.as_user(person("eve"))
    assert ada.post("/api/auth/logout", idempotency_key="same").status_code == 200
    assert eve.post("/api/auth/logout-all", idempotency_key="same").status_code == 200


def test_a_refusal_does_not_use_up_the_key(api: Api) -> None:
    assert api.post(PATH, {**BODY, "email": "wrong"}, idempotency_key="k").status_code == 400
    assert api.post(PATH, BODY, idempotency_key="k").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "has space", "ü"])
def test_odd_keys_are_refused(api: Api, key: str) -> None:
    refused = api.post(PATH, BODY, idempotency_key=key)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_idempotency_key")
    assert not User.objects.exists()


def test_another_body_is_refused(api: Api) -> None:
    api.post(PATH, BODY, idempotency_key="k")
    assert api.post(PATH, {**BODY, "lastName": "M"}, idempotency_key="k").status_code == 422


def test_an_accident_takes_its_effects_back_and_frees_the_key(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def accident(tokens: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(TokensOutput, "of", accident)
        assert api.post(PATH, BODY, idempotency_key="k").status_code == 500
    assert not User.objects.exists()
    assert api.post(PATH, BODY, idempotency_key="k").status_code == 201


def test_a_key_whose_holder_died_is_taken_over(api: Api) -> None:
    now = timezone.now()
    api.post(PATH, BODY, idempotency_key="k")
    User.objects.all().delete()
    IdempotencyKey.objects.update(status=None, reply=None, locked_until=now + LEASE)
    running = api.post(PATH, BODY, idempotency_key="k")
    assert (running.status_code, running.json()["code"]) == (409, "idempotency_in_progress")
    assert int(running["Retry-After"]) >= 1
    with time_machine.travel(now + LEASE + timedelta(seconds=1)):
        assert api.post(PATH, BODY, idempotency_key="k").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_twins_in_flight_make_one_account(monkeypatch: pytest.MonkeyPatch) -> None:
    make_person(first_name="Somebody")
    entered, go_on = Event(), Event()
    real = TokensOutput.of

    def slowly(tokens: Any) -> TokensOutput:
        entered.set()
        go_on.wait(WAIT_LIMIT)
        return real(tokens)

    monkeypatch.setattr(TokensOutput, "of", slowly)

    def first() -> Any:
        return Api().post(PATH, BODY, idempotency_key="k")

    def second() -> Any:
        entered.wait(WAIT_LIMIT)
        try:
            return Api().post(PATH, BODY, idempotency_key="k")
        finally:
            go_on.set()

    one, two = together(first, second)
    assert one.status_code == 201
    assert (two.status_code, two.json()["code"]) == (409, "idempotency_in_progress")
    again = Api().post(PATH, BODY, idempotency_key="k")
    assert again.content == one.content
    assert User.objects.filter(email=BODY["email"]).count() == 1


def test_a_multipart_body_is_compared_by_content(api: Api, person: Callable[..., User]) -> None:
    """Two uploads of the same parts have different boundaries on the wire, and are the same request."""
    me = api.as_user(person())

    def send(boundary: Any, value: Any) -> Any:
        body = f'--{boundary}\r\nContent-Disposition: form-data; name="password"\r\n\r\n{value}\r\n--{boundary}--\r\n'
        return me.client.generic(
            "POST",
            "/api/auth/step-up",
            body.encode(),
            content_type=f"multipart/form-data; boundary={boundary}",
            headers={"Idempotency-Key": "m"},
        )

    first = send("aaa", "correct horse battery")
    assert first.status_code == 200
    assert send("bbb", "correct horse battery")["Idempotent-Replayed"] == "true"
    assert send("ccc", "correct horse batterz").status_code == 422


def test_reply_and_effect_are_one_commit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the answer cannot be stored, nothing has happened."""

    def full_disk(*_args: Any) -> None:
        raise IdempotencyInProgress()

    monkeypatch.setattr("core.api.idempotency._store", full_disk)
    assert api.post(PATH, BODY, idempotency_key="k").status_code == 409
    assert not User.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_outboxevent")
        assert cursor.fetchone() == (0,)


def test_a_refusal_that_kept_effects_is_replayed(api: Api) -> None:
    """The owner of a taken address is told once, however often the same request is repeated."""
    api.post(PATH, BODY)
    first = api.post(PATH, BODY, idempotency_key="k")
    assert first.json()["code"] == "email_taken"
    mails = OutboxEvent.objects.count()
    again = api.post(PATH, BODY, idempotency_key="k")
    assert (again.status_code, again.content) == (409, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert again["Content-Type"] == "application/problem+json"
    assert OutboxEvent.objects.count() == mails


def test_headers_of_the_answer_are_replayed(api: Api, person: Callable[..., User]) -> None:
    me = api.as_user(person("me"))
    other = person("other")
    body = {"participants": [str(other.pk)], "type": "direct"}
    first = me.post("/api/chat/conversations", body, idempotency_key="k")
    again = me.post("/api/chat/conversations", body, idempotency_key="k")
    assert first.status_code == again.status_code == 201
    assert first["ETag"] == again["ETag"]
    assert again["X-Request-ID"] != first["X-Request-ID"]


def test_strangers_do_not_share_the_keys_of_nobody(db: None) -> None:
    here, there = Api(address="203.0.113.7"), Api(address="203.0.113.8")
    assert here.post(PATH, BODY, idempotency_key="k").status_code == 201
    other = {**BODY, "email": "someone.else@example.com"}
    assert there.post(PATH, other, idempotency_key="k").status_code == 201
    assert here.post(PATH, other, idempotency_key="k").json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'{"a": 1, "b": [1, 2]}', b'{"b":[1,2],"a":1.0}', True),
        (b'{"a": 100}', b'{"a": 1e2}', True),
        (b'{"a": 0.10}', b'{"a": 0.1}', True),
        (b'{"a": "\\u00e9"}', '{"a": "\u00e9"}'.encode(), True),
        (b'{"a": 1}', b'{"a": "1"}', False),
        (b'{"a": [1, 2]}', b'{"a": [2, 1]}', False),
        (b'{"a": true}', b'{"a": 1}', False),
        (b'{"a": null}', b"{}", False),
        (b'{"a": 1e999999999}', b'{"a": 1e999999998}', False),
        (b'{"ab": 1}', b'{"a": {"b": 1}}', False),
    ],
)
def test_what_makes_two_bodies_the_same(one: bytes, other: Any, same: bool) -> None:
    assert (_canonical(parse_json(one)) == _canonical(parse_json(other))) is same
