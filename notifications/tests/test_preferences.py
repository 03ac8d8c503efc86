"""Who hears what where, by their switches."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from core.testing import Api, drain_outbox
from notifications.models import MailboxMessage, Notification
from notifications.tests.conftest import NOTICES

SWITCHES = "/api/profile/notifications"


def sent(channel: str) -> int:
    drain_outbox()
    return MailboxMessage.objects.filter(channel=channel).count()


def test_switches_start_as_documented_and_change_by_subset(api: Api, backer: User) -> None:
    me = api.as_user(backer)
    start = {
        "email": True,
        "sms": False,
        "push": True,
        "loginAlerts": True,
        "investmentUpdates": True,
        "campaignUpdates": True,
        "socialInteractions": True,
        "quietFrom": None,
        "quietUntil": None,
        "timeZone": "UTC",
    }
    assert me.get(SWITCHES).json() == start
    changed = me.put(SWITCHES, {"sms": True, "campaignUpdates": False})
    assert changed.status_code == 200
    assert changed.json() == me.get(SWITCHES).json() == {**start, "sms": True, "campaignUpdates": False}
    assert me.put(SWITCHES, {}).json() == changed.json()


@pytest.mark.parametrize("body", [{"sms": "perhaps"}, {"email": ""}, ["sms"]])
def test_a_switch_is_on_or_off(api: Api, backer: User, body: Any) -> None:
    assert api.as_user(backer).put(SWITCHES, body).status_code == 400


def test_switches_do_not_reach_the_address(api: Api, backer: User, stranger: User) -> None:
    api.as_user(stranger).put(SWITCHES, {"emailAddress": "evil@example.com", "emailVerified": False, "sms": True})
    assert api.as_user(stranger).get(SWITCHES).json()["sms"] is True
    assert api.as_user(backer).get(SWITCHES).json()["sms"] is False


@pytest.mark.parametrize(
    "kind, off, mails",
    [
        ("investment_refunded", {}, 1),
        ("investment_refunded", {"email": False}, 0),
        ("investment_refunded", {"investment_updates": False}, 0),
        ("investment_refunded", {"campaign_updates": False}, 1),
        ("campaign_funded", {"campaign_updates": False}, 0),
        ("kyc_verified", {"email": False}, 0),
        ("new_device", {"email": False, "login_alerts": False}, 1),
        ("session_revoked", {"email": False, "login_alerts": False}, 1),
    ],
)
def test_mail_by_switch_and_the_inbox_always(
    backer: User, notify: Callable[..., Any], prefer: Callable[..., None], kind: str, off: dict[str, Any], mails: int
) -> None:
    prefer(backer, **off)
    notify(backer, kind)
    assert sent("mail") == mails
    assert Notification.objects.of(backer.pk).count() == 1


@pytest.mark.parametrize(
    "kind, switches, texts",
    [
        ("investment_refunded", {}, 0),
        ("investment_refunded", {"sms": True}, 1),
        ("investment_refunded", {"sms": True, "investment_updates": False}, 0),
        ("investment_refunded", {"sms": True, "phone_number": ""}, 0),
        ("investment_committed", {"sms": True}, 0),
        ("new_device", {"sms": True}, 1),
        ("new_device", {"sms": True, "login_alerts": False}, 0),
    ],
)
def test_sms_only_when_asked_for_and_urgent(
    backer: User,
    notify: Callable[..., Any],
    prefer: Callable[..., None],
    kind: str,
    switches: dict[str, Any],
    texts: int,
) -> None:
    prefer(backer, **switches)
    notify(backer, kind)
    assert sent("sms") == texts


def test_no_mail_before_the_address_is_verified(person: Callable[..., User], notify: Callable[..., Any]) -> None:
    newcomer = person("newcomer", verified=False)
    for kind in NOTICES:
        notify(newcomer, kind)
    assert sent("mail") == 0
    assert Notification.objects.of(newcomer.pk).count() == len(NOTICES)


def test_at_most_five_sms_an_hour_to_one_number(
    backer: User, notify: Callable[..., Any], prefer: Callable[..., None]
) -> None:
    prefer(backer, sms=True)
    for _ in range(7):
        notify(backer, "investment_refunded")
    assert sent("sms") == 5


def test_erased_meanwhile_means_nobody_to_write_to(
    backer: User, notify: Callable[..., Any], prefer: Callable[..., None]
) -> None:
    from notifications.models import Recipient

    prefer(backer, sms=True)
    notify(backer, "investment_refunded")
    Recipient.objects.filter(pk=backer.pk).delete()
    assert sent("mail") == sent("sms") == 0
