"""
Tokens that are sent by mail: 256 bits, kept hashed, single-use, the newest of their kind only (SECURITY-GOALS 28).
"""

from datetime import datetime, timedelta

from django.utils.crypto import constant_time_compare

from accounts import tokens
from accounts.access import lock_person
from accounts.errors import MailedTokenInvalid
from accounts.models import MailedToken, User


def issue(*, user: User, purpose: str, lifetime: timedelta, now: datetime) -> str:
    """A new token for the person's present address, in the caller's transaction; earlier ones stop working."""
    lock_person(user.pk)
    MailedToken.objects.filter(user=user, purpose=purpose, used_at__isnull=True).delete()
    token = tokens.new_token()
    MailedToken.objects.create(
        user=user,
        purpose=purpose,
        email=user.email,
        digest=tokens.digest(token),
        created_at=now,
        expires_at=now + lifetime,
    )
    return token


def use_up(*, token: str, purpose: str, now: datetime) -> User:
    """
    The person that a token was mailed to, locked; it works once, in the caller's transaction.

    :raises MailedTokenInvalid: used, expired, replaced, for another purpose or address by now, or never ours
    """
    row = _live(token, purpose, now)
    if row is None:
        raise MailedTokenInvalid(field="token")
    user = lock_person(row.user_id)
    row = _live(token, purpose, now)
    if row is None or not constant_time_compare(row.email, user.email):
        raise MailedTokenInvalid(field="token")
    row.used_at = now
    row.save(update_fields=["used_at"])
    return user


def person_of_token(*, token: str, purpose: str, now: datetime) -> User:
    """
    The person that a link was mailed to; the token is not used up.

    :raises MailedTokenInvalid: as `use_up`
    """
    row = _live(token, purpose, now)
    if row is None or not constant_time_compare(row.email, row.user.email):
        raise MailedTokenInvalid(field="token")
    return row.user


def is_live(*, token: str, purpose: str, now: datetime) -> bool:
    """Whether a link still works; the token is not used up."""
    return _live(token, purpose, now) is not None


def used(*, token: str, purpose: str) -> MailedToken | None:
    """A token that was used up, with its person; None for any other."""
    rows = MailedToken.objects.filter(digest=tokens.digest(token), purpose=purpose, used_at__isnull=False)
    return rows.select_related("user").first()


def _live(token: str, purpose: str, now: datetime) -> MailedToken | None:
    rows = MailedToken.objects.filter(digest=tokens.digest(token), purpose=purpose)
    return rows.filter(used_at__isnull=True, expires_at__gt=now).first()
