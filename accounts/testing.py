"""People for tests of every app."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django_otp.oath import TOTP

from accounts.models import User
from accounts.services import sessions, two_factor
from accounts.services.contacts import keep_contact
from core import clock, context

PASSWORD = "correct horse battery"
_number = count(1)


def make_person(
    *, first_name: str = "Pat", verified: bool = True, identity: bool = False, role: str = "user", **columns: Any
) -> User:
    """An account as its workflows leave it: address verified or not, identity proven or not, a number confirmed."""
    now = clock.now()
    user = User(
        email=columns.pop("email", f"{first_name.lower()}{next(_number)}@example.com"),
        first_name=first_name,
        last_name=columns.pop("last_name", "Example"),
        role=role,
        email_verified_at=now if verified else None,
        identity_verified_at=now if identity else None,
        badges=["identity"] if identity else [],
        phone_verified_at=now if columns.get("phone_number") else None,
        **columns,
    )
    user.set_password(PASSWORD)
    user.save(force_insert=True)
    keep_contact(user)
    return user


def sign_in(person: User) -> str:
    """An access token of a new session, opened from where the tests' client calls from."""
    context.client_address.set("127.0.0.1")
    return sessions.open_session(user=person, device="", method="password", now=clock.now()).token


@dataclass(frozen=True)
class Authenticator:
    """The app on a person's phone, and the paper with the recovery codes."""

    secret: str
    recovery_codes: list[str]

    def code(self, at: datetime | None = None) -> str:
        return totp_code(self.secret, at or clock.now())


def totp_code(secret: str, at: datetime) -> str:
    """What an app with this secret (base32) shows at a moment."""
    generator = TOTP(base64.b32decode(secret), step=two_factor.STEP_SECONDS)
    generator.time = at.timestamp()
    return f"{generator.token():06d}"


def with_two_factor(person: User) -> Authenticator:
    """Switch a person's second factor on, five minutes ago, so that no code of now has been used."""
    then = clock.now() - timedelta(minutes=5)
    secret = two_factor.enroll(user=person, now=then).secret
    codes = two_factor.confirm(user=person, code=totp_code(secret, then), now=then)
    person.refresh_from_db()
    return Authenticator(secret, codes)
