"""
A person's passkeys: registering, using, naming and removing them (docs/passkeys.md).

Every answer signs a challenge of ours, which is found by its hash, is good once and for one purpose, and is used up
whatever the answer is worth.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import passkeys as protocol
from accounts.access import lock_person
from accounts.errors import NoPasskey, OnlyWayIn, PasskeyInvalid, PasskeyTaken, TooManyPasskeys
from accounts.models import Passkey, PasskeyChallenge, Session, User
from accounts.passkeys import Credential
from accounts.selectors import sign_in_method_count
from accounts.services import two_factor
from core import events
from core.api.errors import NotFound
from core.api.limits import Limit
from core.data.locks import lock
from core.data.transactions import retrying

Purpose = PasskeyChallenge.Purpose
QUESTIONS_PER_ADDRESS = Limit("passkey:address", 30, timedelta(minutes=1))
LIFETIME = timedelta(minutes=5)
MAX_PASSKEYS = 20
"""Passkeys of one person."""


@dataclass(frozen=True)
class Registered:
    passkey: Passkey
    recovery_codes: list[str]
    """With a person's first factor; shown now and never again."""


@retrying
def ask_for_new(*, user: User, now: datetime, session: Session | None = None) -> dict[str, Any]:
    """
    Options for `navigator.credentials.create()`.

    :raises TooManyPasskeys:
    :raises StaffFactorByMail: as `two_factor.check_first_factor`
    """
    two_factor.check_first_factor(user, session)
    present = _passkeys_below_limit(user)
    return protocol.creation_options(user, present, _challenge(Purpose.REGISTER, user, now))


@retrying
def register(*, user: User, credential: Credential, name: str, session: Session, now: datetime) -> Registered:
    """
    Keep the key that a browser made. The first factor of a person switches two-factor sign-in on.

    :param name: how the person will know it again
    :raises PasskeyInvalid: not an answer to a question of ours to this person
    :raises PasskeyTaken: registered already, here or with another account
    :raises TooManyPasskeys:
    :raises StaffFactorByMail: as `two_factor.check_first_factor`
    """
    user = lock_person(user.pk)
    challenge = use_up(credential, Purpose.REGISTER, user, now)
    made = protocol.check_new_key(credential, challenge)
    _passkeys_below_limit(user)
    passkey = Passkey(
        user=user,
        name=name,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        backed_up=made.backed_up,
        transports=credential["response"].get("transports", []),
        created_at=now,
    )
    try:
        with transaction.atomic():
            passkey.save(force_insert=True)
    except IntegrityError:
        raise PasskeyTaken() from None
    codes = two_factor.note_new_factor(user=user, session=session, now=now)
    events.record("account.passkey_added", passkey, actor=user, now=now, user_id=user.pk, passkey_name=name)
    return Registered(passkey, codes)


@retrying
def ask_for_any(*, now: datetime) -> dict[str, Any]:
    """Options for `navigator.credentials.get()`, whoever it turns out to be: the browser offers what it has for us."""
    return protocol.request_options([], _challenge(Purpose.SIGN_IN, None, now))


@retrying
def ask(*, user: User, purpose: str, now: datetime) -> dict[str, Any]:
    """
    Options for `navigator.credentials.get()`, for this person's passkeys only.

    :param purpose: `second_step` or `step_up`
    :raises NoPasskey: they have none
    """
    present = list(user.passkeys.order_by("pk"))
    if not present:
        raise NoPasskey()
    return protocol.request_options(present, _challenge(purpose, user, now))


def owner_of(credential: Credential) -> UUID | None:
    """Whose key an answer names; nothing is proven yet."""
    key_id = protocol.key_id_in(credential)
    return Passkey.objects.filter(credential_id=key_id).values_list("user_id", flat=True).first()


@retrying
def check(*, user: User, credential: Credential, purpose: str, now: datetime) -> Passkey:
    """
    Take an answer of one of the person's passkeys; under their lock, so that a counter moves once.

    :raises PasskeyInvalid: not an answer of theirs to our question, or used already
    """
    user = lock_person(user.pk)
    challenge = use_up(credential, purpose, None if purpose == Purpose.SIGN_IN else user, now)
    passkey = Passkey.objects.filter(user=user, credential_id=protocol.key_id_in(credential)).first()
    if passkey is None:
        raise PasskeyInvalid(field="credential")
    use = protocol.check_use(credential, challenge, passkey)
    if use.sign_count <= passkey.sign_count and (use.sign_count or passkey.sign_count):
        _report_copied_passkey(passkey, use.sign_count, now)
        raise PasskeyInvalid(field="credential")
    passkey.sign_count, passkey.backed_up, passkey.last_used_at = use.sign_count, use.backed_up, now
    passkey.save(update_fields=["sign_count", "backed_up", "last_used_at"])
    return passkey


@retrying
def rename(*, user: User, passkey_id: UUID, name: str, now: datetime) -> Passkey:
    """:raises NotFound: none of theirs"""
    passkey = lock(Passkey.objects).filter(user=user, pk=passkey_id).first()
    if passkey is None:
        raise NotFound()
    passkey.name = name
    passkey.save(update_fields=["name"])
    events.record("account.passkey_renamed", passkey, actor=user, now=now, user_id=user.pk)
    return passkey


@retrying
def remove(*, user: User, passkey_id: UUID, now: datetime) -> None:
    """
    Forget a passkey. With the last factor, two-factor sign-in goes off.

    :raises NotFound: none of theirs
    :raises OnlyWayIn: there is neither a password, another passkey nor a provider to sign in with
    """
    user = lock_person(user.pk)
    passkey = Passkey.objects.filter(user=user, pk=passkey_id).first()
    if passkey is None:
        raise NotFound()
    if sign_in_method_count(user) == 1:
        raise OnlyWayIn()
    events.record("account.passkey_removed", passkey, actor=user, now=now, user_id=user.pk, passkey_name=passkey.name)
    passkey.delete()
    two_factor.end_without_factors(user=user, now=now, by=user)


def _passkeys_below_limit(user: User) -> list[Passkey]:
    present = list(user.passkeys.order_by("pk"))
    if len(present) >= MAX_PASSKEYS:
        raise TooManyPasskeys(most=MAX_PASSKEYS)
    return present


def _challenge(purpose: str, user: User | None, now: datetime) -> bytes:
    challenge = secrets.token_bytes(32)
    PasskeyChallenge.objects.create(
        user=user, purpose=purpose, digest=_digest(challenge), created_at=now, expires_at=now + LIFETIME
    )
    return challenge


def use_up(credential: Credential, purpose: str, user: User | None, now: datetime) -> bytes:
    """
    The challenge that an answer is to. One DELETE decides, so that of two answers to one question the second finds it
    gone.

    :raises PasskeyInvalid: to none of ours, for this purpose and person, that is still open
    """
    challenge = protocol.challenge_in(credential)
    open_ones = PasskeyChallenge.objects.filter(purpose=purpose, user=user, expires_at__gt=now)
    deleted, _ = open_ones.filter(digest=_digest(challenge)).delete()
    if not deleted:
        raise PasskeyInvalid(field="credential")
    return challenge


def _report_copied_passkey(passkey: Passkey, received: int, now: datetime) -> None:
    events.record(
        "account.passkey_counter_went_back",
        passkey,
        actor=None,
        now=now,
        user_id=passkey.user_id,
        passkey_name=passkey.name,
        stored_counter=passkey.sign_count,
        received_counter=received,
    )


def _digest(challenge: bytes) -> bytes:
    return hashlib.sha256(challenge).digest()
