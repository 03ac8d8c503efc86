"""Proving that an address is one's own: a single-use link by mail, for 24 hours."""

from datetime import datetime, timedelta

from django.conf import settings

from accounts.errors import EmailAlreadyVerified, MailedTokenInvalid
from accounts.models import MailedToken, User
from accounts.services import mailed_tokens
from accounts.services.contacts import keep_contact
from core import events
from core.api.limits import Limit
from core.data.transactions import retrying

MAILS = Limit("verification:mail", 1, timedelta(minutes=3))
PURPOSE = MailedToken.Purpose.VERIFY_EMAIL


@retrying
def mail_link(*, user: User, now: datetime) -> None:
    """
    Mail a fresh verification link; earlier ones stop working.

    :raises EmailAlreadyVerified: there is nothing to prove
    """
    if user.email_verified:
        raise EmailAlreadyVerified()
    token = mailed_tokens.issue(user=user, purpose=PURPOSE, lifetime=settings.EMAIL_TOKEN_LIFETIME, now=now)
    events.record("account.verification_asked", user, actor=user, now=now, token=token)


@retrying
def verify_email(*, token: str, now: datetime) -> User:
    """
    Use up a mailed token. A used one is accepted again while the address is still verified by it.

    :raises MailedTokenInvalid: expired, replaced, for another address by now, or never ours
    """
    try:
        user = mailed_tokens.use_up(token=token, purpose=PURPOSE, now=now)
    except MailedTokenInvalid:
        confirmed = confirmed_by(token=token)
        if confirmed is None:
            raise
        return confirmed
    if not user.email_verified:
        user.email_verified_at = now
        user.save(update_fields=["email_verified_at", "updated_at"])
        keep_contact(user)
        events.record("account.email_verified", user, actor=user, now=now)
    return user


def confirmed_by(*, token: str) -> User | None:
    """Whose address this link has verified, while it is their address still."""
    used = mailed_tokens.used(token=token, purpose=PURPOSE)
    return used.user if used and used.user.email_verified and used.user.email == used.email else None
