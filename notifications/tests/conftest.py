from datetime import timedelta

import pytest
from django.utils import timezone

from core.testing import commits
from notifications.models import Recipient
from notifications.senders import mail, sms
from notifications.services import notify

CAMPAIGN = {"campaign_id": "0190aaaa-0000-7000-8000-000000000001", "campaign_title": "Solar Roofs"}
INVESTMENT = {**CAMPAIGN, "investment_id": "0190aaaa-0000-7000-8000-000000000002", "amount": "$1,000.00"}
EVERY_FACT = {
    **INVESTMENT,
    "backer_name": "Ada",
    "device": "Firefox on Linux",
    "token": "t0ken",
    "left": 9,
    "ending": "0123",
    "inviter": "Ada",
    "code": "123456",
    "export_id": "0190aaaa-0000-7000-8000-000000000003",
    "day": "24 December 2026",
    "platform": "Google",
    "passkey_name": "Firefox on Linux",
}


@pytest.fixture(autouse=True)
def closed_breakers():
    """Breakers remember across tests what providers did."""
    mail.breaker.reset()
    sms.breaker.reset()


@pytest.fixture
def backer(person):
    return person("backer", phone_number="+15550001111")


@pytest.fixture
def stranger(person):
    return person("stranger")


@pytest.fixture
def tell():
    """Tells a person something, and commits."""

    def tell(who, kind="investment_committed", **facts):
        with commits():
            return notify(user_id=who.pk, kind=kind, now=timezone.now(), **{**EVERY_FACT, **facts})

    return tell


@pytest.fixture
def wishes():
    """Sets a person's switches."""

    def wishes(who, **switches):
        Recipient.objects.filter(pk=who.pk).update(**switches)

    return wishes


def later(**by):
    return timezone.now() + timedelta(**by)
