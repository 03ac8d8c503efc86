"""Proving that a phone number is one's own: a code by SMS, ten minutes, five tries, the newest only."""

import secrets
from datetime import datetime, timedelta

from django.utils.crypto import constant_time_compare

from accounts.errors import NoPhoneNumber, PhoneAlreadyVerified, PhoneCodeInvalid
from accounts.models import PhoneCode, User
from accounts.services.contacts import keep_contact
from core import events
from core.api import limits
from core.api.limits import Limit, LimitState
from core.crypto.keys import fingerprint, fingerprints
from core.data.locks import lock
from core.data.transactions import retrying
from notifications.services.mails import require_sms

LIFETIME = timedelta(minutes=10)
TRIES = 5
PER_ADDRESS = Limit("sms:address", 20, timedelta(hours=1))
"""Per client address, for all numbers; a single number gets five an hour (`notifications.senders.sms`)."""
_KIND = "phone code"


def send_code(*, person: User, address: str | None, now: datetime) -> LimitState:
    """
    Text a code to the person's number; the one before stops working.

    :raises NoPhoneNumber: :raises PhoneAlreadyVerified:
    :raises SMSOff: no SMS are sent here
    :raises NumberNotServed: not of one of SMS_COUNTRIES
    :raises RateLimited: too many SMS to this number or from this address
    """
    _require_unconfirmed(person)
    limit = limits.hit(PER_ADDRESS, address)
    _send(person, now)
    return limit


@retrying
def _send(person: User, now: datetime) -> None:
    user = lock(User.objects).get(pk=person.pk)
    _require_unconfirmed(user)
    code = f"{secrets.randbelow(1_000_000):06d}"
    PhoneCode.objects.update_or_create(
        user=user,
        defaults={
            "fingerprint": fingerprint(_bound(user, code), _KIND),
            "created_at": now,
            "expires_at": now + LIFETIME,
            "tries": 0,
        },
    )
    require_sms(user.phone_number)
    events.record("phone.code_sent", user, actor=user, now=now, number=user.phone_number, code=code)


@retrying
def confirm(*, person: User, code: str, now: datetime) -> User:
    """
    Use up a code; from here on notices may come by SMS, if the person wants them.

    :raises NoPhoneNumber: :raises PhoneAlreadyVerified:
    :raises PhoneCodeInvalid: wrong, expired, for another number, or the sixth try
    """
    user = lock(User.objects).get(pk=person.pk)
    _require_unconfirmed(user)
    sent = lock(PhoneCode.objects).filter(user=user).first()
    if sent is None or sent.expires_at <= now or sent.tries >= TRIES:
        raise PhoneCodeInvalid(field="code")
    sent.tries += 1
    sent.save(update_fields=["tries"])
    given = fingerprints(_bound(user, code), _KIND)
    if not any(constant_time_compare(bytes(sent.fingerprint), print_) for print_ in given):
        raise PhoneCodeInvalid(field="code")
    sent.delete()
    user.phone_verified_at = now
    user.save(update_fields=["phone_verified_at", "updated_at"])
    keep_contact(user)
    events.record("phone.verified", user, actor=user, now=now, ending=user.phone_number[-4:])
    return user


def _require_unconfirmed(user: User) -> None:
    if not user.phone_number:
        raise NoPhoneNumber()
    if user.phone_verified:
        raise PhoneAlreadyVerified()


def _bound(user: User, code: str) -> bytes:
    return f"{user.pk}:{user.phone_number}:{code}".encode()
