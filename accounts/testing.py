"""People for tests of every app."""

from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.services import registration, sessions

PASSWORD = "correct horse battery"
_number = count(1)


def make_person(
    *, first_name: str = "Pat", verified: bool = True, identity: bool = False, role: str = "user", **columns: Any
) -> User:
    """An account as its workflows leave it: address verified or not, identity proven or not, a number confirmed."""
    now = timezone.now()
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
    registration.told(user)
    return user


def sign_in(person: User) -> str:
    """An access token of a new session."""
    return sessions.open_session(user=person, device="test", method="password", now=timezone.now()).token
