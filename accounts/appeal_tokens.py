"""
The token by which somebody suspended reads what was decided about them and appeals: nothing else takes it.

It is signed and kept nowhere. It names the person, ends by itself, and is good only while they are suspended.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing

from accounts.errors import TokenExpired, TokenInvalid
from accounts.models import Status, User

LIFETIME = timedelta(minutes=15)
"""Of one that a refused login gives."""
MAILED_LIFETIME = timedelta(days=30)
"""Of the link in the mail about a suspension."""
PREFIX = "appeal."
MAX_LENGTH = 300
_SALT = "accounts.appeal"


def appeal_token(person_id: UUID, now: datetime, lifetime: timedelta) -> str:
    claims = [person_id.hex, int((now + lifetime).timestamp())]
    return PREFIX + signing.Signer(salt=_SALT, sep=".").sign_object(claims)


def person_of_appeal_token(token: str, now: datetime) -> User:
    """
    Whose token it is.

    :raises TokenExpired: it was ours once
    :raises TokenInvalid: any other token, or the person is not suspended (any more): they sign in
    """
    if not token.startswith(PREFIX) or len(token) > MAX_LENGTH:
        raise TokenInvalid()
    try:
        person, expires = signing.Signer(salt=_SALT, sep=".").unsign_object(token.removeprefix(PREFIX))
    except (signing.BadSignature, ValueError):
        raise TokenInvalid() from None
    if expires <= now.timestamp():
        raise TokenExpired()
    user = User.objects.filter(pk=UUID(person), status=Status.SUSPENDED).first()
    if user is None:
        raise TokenInvalid()
    return user
