from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from core.data.ids import uuid7
from core.testing import commits
from notifications.effects import Mail, Notice, Text, messages_of
from notifications.models import Notification, Recipient
from notifications.senders import mail, sms
from notifications.services import mails, notices

CAMPAIGN = {"campaign_id": "0190aaaa-0000-7000-8000-000000000001", "campaign_title": "Solar Roofs"}
INVESTMENT = {**CAMPAIGN, "investment_id": "0190aaaa-0000-7000-8000-000000000002", "amount": "$1,000.00"}
EVERY_FACT = {
    **INVESTMENT,
    "backer_name": "Ada",
    "device": "Firefox on Linux",
    "token": "t0ken",
    "appeal_token": "appeal.t0ken",
    "left": 9,
    "ending": "0123",
    "inviter": "Ada",
    "code": "123456",
    "export_id": "0190aaaa-0000-7000-8000-000000000003",
    "day": "24 December 2026",
    "platform": "Google",
    "passkey_name": "Firefox on Linux",
    "reason": "",
    "remaining": "$500.00",
    "settlement_id": "0190aaaa-0000-7000-8000-000000000009",
    "method": "visa …4242",
    "consequence": "hold",
    "decision": "lifted",
    "riskcase_id": "0190aaaa-0000-7000-8000-000000000009",
    "message": "",
    "moment": "",
    "address": "",
    "cancellable_until": "",
    "target_type": "post",
    "target_id": "0190aaaa-0000-7000-8000-000000000007",
    "decision_id": "0190aaaa-0000-7000-8000-000000000008",
    "excerpt": "Double your money",
    "rule": "spam",
    "words": "",
    "hides": True,
    "actor": "Ada",
    "others": 2,
    "count": 3,
    "act": "",
    "post_id": "0190aaaa-0000-7000-8000-000000000004",
    "ad_id": "0190aaaa-0000-7000-8000-000000000007",
    "ad_title": "Solar roofs",
    "comment_id": "0190aaaa-0000-7000-8000-000000000005",
    "group_id": "0190aaaa-0000-7000-8000-000000000006",
    "group_name": "Solar roofs",
    "channel_id": "0190aaaa-0000-7000-8000-000000000007",
    "channel_name": "Roof news",
    "after": "moderator",
    "into": "Solar roofs",
}
NUMBERS = {"others": 2, "count": 3}
"""Facts that are never words of people."""
NOTICES = messages_of(Notice)
MAILS = messages_of(Mail)
TEXTS = messages_of(Text)


@pytest.fixture(autouse=True)
def closed_breakers() -> None:
    """Breakers remember across tests what providers did."""
    mail.breaker.reset()
    sms.breaker.reset()


@pytest.fixture
def backer(person: Callable[..., User]) -> User:
    return person("backer", phone_number="+15550001111")


@pytest.fixture
def stranger(person: Callable[..., User]) -> User:
    return person("stranger")


@pytest.fixture
def notify() -> Callable[..., Any]:
    """Tells a person something, and commits."""

    def notify(who: User, name: str = "investment_committed", **facts: Any) -> Notification | None:
        event_id = uuid7()
        with commits():
            notices.write_entries([notices.Entries(NOTICES[name], {**EVERY_FACT, **facts}, [who.pk], event_id)])
        return Notification.objects.filter(event_id=event_id).first()

    return notify


def mail_of_an_act(who: User, name: str, **facts: Any) -> None:
    """Has a mail sent that belongs to an act."""
    with commits():
        mails.mail(MAILS[name], {**EVERY_FACT, **facts}, to=who.pk, caused_by=uuid7())


@pytest.fixture
def prefer() -> Callable[..., None]:
    """Sets a person's switches."""

    def prefer(who: User, **switches: Any) -> None:
        Recipient.objects.filter(pk=who.pk).update(**switches)

    return prefer


def later(**by: Any) -> datetime:
    return timezone.now() + timedelta(**by)
