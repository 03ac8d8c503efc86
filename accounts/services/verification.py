"""Proving that an address is one's own: a single-use link by mail, 24 h, the newest only (SECURITY-GOALS 28)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.crypto import constant_time_compare

from accounts import tokens
from accounts.errors import EmailAlreadyVerified, MailedTokenInvalid
from accounts.models import MailedToken, User
from accounts.services import registration
from core import audit
from core.db import retrying
from core.limits import Limit
from notifications.services.mails import send_mail_to

MAILS = Limit("verification:mail", 1, timedelta(minutes=3))


@retrying
def mail_link(*, user: User, now: datetime) -> None:
    """
    Mail a fresh verification link; earlier ones stop working.

    :raises EmailAlreadyVerified: there is nothing to prove
    """
    if user.email_verified:
        raise EmailAlreadyVerified()
    purpose = MailedToken.Purpose.VERIFY_EMAIL
    User.objects.select_for_update().get(pk=user.pk)
    MailedToken.objects.filter(user=user, purpose=purpose, used_at__isnull=True).delete()
    token = tokens.new_token()
    MailedToken.objects.create(
        user=user,
        purpose=purpose,
        email=user.email,
        digest=tokens.digest(token),
        created_at=now,
        expires_at=now + settings.EMAIL_TOKEN_LIFETIME,
    )
    send_mail_to(user_id=user.pk, template="verify_email", now=now, token=token)


@retrying
def verify_email(*, token: str, now: datetime) -> User:
    """
    Use up a mailed token.

    :raises MailedTokenInvalid: used, expired, replaced, for another address by now, or never ours
    """
    row = (
        MailedToken.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(digest=tokens.digest(token), purpose=MailedToken.Purpose.VERIFY_EMAIL)
        .first()
    )
    if row is None or row.used_at or row.expires_at <= now or not constant_time_compare(row.email, row.user.email):
        raise MailedTokenInvalid(field="token")
    row.used_at = now
    row.save(update_fields=["used_at"])
    user = row.user
    if not user.email_verified:
        user.email_verified_at = now
        user.save(update_fields=["email_verified_at", "updated_at"])
        registration.told(user)
        audit.record(user, "account.email_verified", user)
    return user
