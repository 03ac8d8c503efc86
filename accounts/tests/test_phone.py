"""Proving a phone number by SMS."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.errors import PhoneCodeInvalid
from accounts.models import PhoneCode, User
from accounts.services import phone
from accounts.testing import sign_in
from core import events
from core.api.limits import hit
from core.models import OutboxEvent
from core.testing import Api, commits, deliver_events, drain_outbox, together
from notifications.mailbox import _content
from notifications.models import MailboxMessage, Notification, Recipient
from notifications.senders.sms import PER_NUMBER

SEND, CONFIRM, PROFILE = "/api/profile/phone/send-code", "/api/profile/phone/confirm", "/api/profile"
NUMBER = "+12025550123"


@pytest.fixture
def ada(person: Callable[..., User]) -> User:
    ada = person("ada")
    User.objects.filter(pk=ada.pk).update(phone_number=NUMBER)
    return User.objects.get(pk=ada.pk)


def texts_to(number: str) -> list[str]:
    drain_outbox()
    return [_content(kept)["text"] for kept in MailboxMessage.objects.filter(to=number).order_by("created_at")]


def code_sent_to(number: str = NUMBER) -> str:
    return re.search(r"code is (\d{6})\.", texts_to(number)[-1]).group(1)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def refusal(answer: Any) -> Any:
    return answer.status_code, answer.json()["code"]


def test_a_code_confirms_the_number(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    assert Recipient.objects.get(pk=ada.pk).phone_number == "", "no notice goes to a number nobody proved"
    sent = me.post(SEND)
    assert (sent.status_code, sent.json()) == (200, {"message": "Code sent"})
    assert sent.headers["RateLimit-Limit"] == "20"
    assert me.get(PROFILE).json()["phoneVerified"] is False
    confirmed = me.post(CONFIRM, {"code": code_sent_to()})
    assert (confirmed.status_code, confirmed.json()["phoneVerified"]) == (200, True)
    assert Recipient.objects.get(pk=ada.pk).phone_number == NUMBER
    deliver_events()
    assert Notification.objects.of(ada.pk).get().kind == "phone_verified"
    for again in (me.post(SEND), me.post(CONFIRM, {"code": "123456"})):
        assert refusal(again) == (409, "phone_already_verified")


def test_without_a_number_there_is_nothing_to_confirm(api: Api, person: Callable[..., User]) -> None:
    me = api.as_user(person("bob"))
    assert refusal(me.post(SEND)) == refusal(me.post(CONFIRM, {"code": "123456"})) == (409, "no_phone_number")


def test_five_wrong_tries_end_the_code(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    me.post(SEND)
    code = code_sent_to()
    for _ in range(5):
        assert refusal(me.post(CONFIRM, {"code": wrong(code)})) == (400, "phone_code_invalid")
    assert refusal(me.post(CONFIRM, {"code": code})) == (400, "phone_code_invalid")
    me.post(SEND)
    assert me.post(CONFIRM, {"code": code_sent_to()}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_guesses_in_parallel_count_each(api: Api, ada: User) -> None:
    me = api.as_user(ada)
    me.post(SEND)
    code = code_sent_to()
    answers = together(*(lambda n=n: me.post(CONFIRM, {"code": f"{(int(code) + n) % 10**6:06d}"}) for n in range(1, 9)))
    assert {answer.status_code for answer in answers} == {400}
    assert PhoneCode.objects.get().tries == 5
    assert me.post(CONFIRM, {"code": code}).status_code == 400


def test_a_code_lives_ten_minutes_and_the_newest_counts(ada: User) -> None:
    now = timezone.now()
    phone.send_code(person=ada, address=None, now=now)
    first = code_sent_to()
    phone.send_code(person=ada, address=None, now=now)
    second = code_sent_to()
    if first != second:
        with pytest.raises(PhoneCodeInvalid):
            phone.confirm(person=ada, code=first, now=now)
    with pytest.raises(PhoneCodeInvalid):
        phone.confirm(person=ada, code=second, now=now + timedelta(minutes=10))
    assert phone.confirm(person=ada, code=second, now=now + timedelta(minutes=9, seconds=59)).phone_verified


def test_a_code_proves_the_number_it_went_to_and_no_other(api: Api, ada: User, person: Callable[..., User]) -> None:
    me = api.as_user(ada)
    me.post(SEND)
    code = code_sent_to()
    bob = person("bob")
    User.objects.filter(pk=bob.pk).update(phone_number=NUMBER)
    assert api.as_user(bob).post(CONFIRM, {"code": code}).status_code == 400
    me.put(PROFILE, {"phoneNumber": "+12025550199"})
    assert refusal(me.post(CONFIRM, {"code": code})) == (400, "phone_code_invalid")
    assert me.get(PROFILE).json()["phoneVerified"] is False


@pytest.mark.parametrize("code", ["", "12345678901234567890x", "１２３４５６", "<b>", "abcdef"])
def test_what_is_no_code_is_refused(api: Api, ada: User, code: str) -> None:
    me = api.as_user(ada)
    me.post(SEND)
    refused = me.post(CONFIRM, {"code": code})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "code")


def test_five_sms_an_hour_to_a_number_whoever_asks(api: Api, ada: User, person: Callable[..., User]) -> None:
    bob = person("bob")
    User.objects.filter(pk=bob.pk).update(phone_number=NUMBER)
    statuses = [api.as_user(who).post(SEND).status_code for who in (ada, bob, ada, bob, ada, bob)]
    assert statuses == [200] * 5 + [429]
    assert len(texts_to(NUMBER)) == 5


def test_notices_and_codes_share_the_number(api: Api, ada: User) -> None:
    for _ in range(5):
        hit(PER_NUMBER, NUMBER)
    refused = api.as_user(ada).post(SEND)
    assert refusal(refused) == (429, "rate_limited") and int(refused.headers["Retry-After"]) > 0
    assert not PhoneCode.objects.exists(), "a refused call leaves no code"


def test_twenty_sms_an_hour_from_one_address(api: Api, person: Callable[..., User]) -> None:
    people = [person(f"p{n}") for n in range(21)]
    for n, somebody in enumerate(people):
        User.objects.filter(pk=somebody.pk).update(phone_number=f"+120255501{n:02d}")
    statuses = [api.as_user(somebody).post(SEND).status_code for somebody in people]
    assert statuses == [200] * 20 + [429]
    elsewhere = Api(sign_in(people[-1]), address="203.0.113.9")
    assert elsewhere.post(SEND).status_code == 200


@pytest.mark.parametrize(("countries", "status"), [([], 200), (["US", "DE"], 200), (["DE"], 409)])
def test_countries_by_setting(api: Api, ada: User, settings: Settings, countries: Any, status: int) -> None:
    settings.SMS_COUNTRIES = countries
    answer = api.as_user(ada).post(SEND)
    assert answer.status_code == status
    if status == 409:
        assert answer.json()["code"] == "number_not_served"
        assert texts_to(NUMBER) == []


def test_the_code_lies_nowhere_readable(api: Api, ada: User, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        api.as_user(ada).post(SEND)
        code = code_sent_to()
    assert code not in caplog.text
    with connection.cursor() as cursor:
        for table in ("accounts_phonecode", "core_outboxevent", "core_event", "notifications_mailboxmessage"):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            rows = [row for (row,) in cursor.fetchall()]
            assert rows and not any(f'"{code}"' in row or code.encode().hex() in row for row in rows)


def test_without_an_account_for_sms_it_says_so(api: Api, ada: User, settings: Settings) -> None:
    """Production without TWILIO_*."""
    settings.MAILBOX_ENABLED = False
    me = api.as_user(ada)
    assert refusal(me.post(SEND)) == (409, "sms_off")
    assert not PhoneCode.objects.exists()
    User.objects.filter(pk=ada.pk).update(phone_verified_at=timezone.now())
    Recipient.objects.filter(pk=ada.pk).update(phone_number=NUMBER, sms=True)
    with commits():
        seen = {"device": "Firefox", "moment": "", "address": ""}
        events.record("account.new_device_seen", ada, actor=ada, now=timezone.now(), **seen)
    drain_outbox()
    texts = OutboxEvent.objects.filter(topic="notifications.send_sms")
    assert texts.filter(delivered_at__isnull=False).count() == 1, "notices go without SMS, and nothing is stuck"
    assert not MailboxMessage.objects.filter(to=NUMBER).exists()
