"""A new password: with the old one, or with a link by mail (SECURITY-GOALS 22, 28, 30)."""

import base64
from datetime import datetime, timedelta

from django.conf import settings

from accounts.access import lock_proven
from accounts.models import LoginChallenge, MailedToken, Session, Status, User, normalise_email
from accounts.services import history, login, mailed_tokens, sessions, two_factor
from accounts.services.registration import check_new_password
from core import events
from core.api import limits
from core.api.limits import Limit
from core.crypto.sealing import seal
from core.data.transactions import retrying
from core.jobs import outbox

RESETS_PER_ACCOUNT = Limit("reset:account", 5, timedelta(hours=1))
RESETS_PER_ADDRESS = Limit("reset:address", 20, timedelta(hours=1))
PURPOSE = MailedToken.Purpose.RESET_PASSWORD
SEALED_ADDRESS = "reset address"


@retrying
def ask_for_reset(*, email: str, address: str | None, now: datetime) -> None:
    """
    Have a reset link mailed, if there is such an account. What happens here is the same whether there is one or not:
    the worker looks it up (`mail_reset_link`), so neither answer nor duration shows it (SECURITY-GOALS 23).

    :raises RateLimited: too many for this account, existing or not, or from this address
    """
    account = normalise_email(email)
    limits.hit(RESETS_PER_ADDRESS, address)
    limits.hit(RESETS_PER_ACCOUNT, account)
    sealed = base64.b64encode(seal(account, purpose=SEALED_ADDRESS)).decode()
    outbox.emit("accounts.mail_reset_link", now=now, sealed=sealed)


@retrying
def mail_reset_link(*, email: str, now: datetime) -> None:
    """Mail a fresh link that sets a new password; earlier ones stop working. Nothing happens without an account."""
    user = User.objects.filter(email=email).exclude(status=Status.DELETED).first()
    if user is None:
        return
    token = mailed_tokens.issue(user=user, purpose=PURPOSE, lifetime=settings.RESET_TOKEN_LIFETIME, now=now)
    events.record("account.reset_requested", user, actor=None, now=now, token=token)


@retrying
def reset_password(*, token: str, password: str, address: str | None, device: str, now: datetime) -> None:
    """
    Set a new password with a mailed link. Ends every session, opens none, and leaves the second factor as it is. A
    refused password does not use the link up.

    On an account whose address nobody ever verified, this link is the first proof of who owns it: a second factor that
    whoever made the account set up would keep the owner out for good, and goes.

    :raises MailedTokenInvalid: used, expired, replaced, or never ours
    :raises InvalidInput: the password is too weak
    """
    user = mailed_tokens.use_up(token=token, purpose=PURPOSE, now=now)
    _set(user, password, "password")
    if user.two_factor_enabled and not user.email_verified:
        two_factor.switch_off(user=user, by=None, now=now)
    sessions.close_sessions(user=user, because="password_reset", now=now)
    login.clear_failures(email=user.email, address=address, device=device)
    history.note_reset(user=user, device=device, now=now)
    events.record("account.password_reset", user, actor=user, now=now)


def change_password(
    *,
    session: Session,
    current_password: str,
    new_password: str,
    address: str | None,
    device: str,
    now: datetime,
) -> None:
    """
    Set a new password in place of the present one; the person's other sessions end.

    :raises InvalidCredentials, RateLimited: the present one is wrong; counted together with login
    :raises InvalidInput: the new one is too weak
    """
    email = session.user.email
    user = login.verify_password(email=email, password=current_password, address=address, device=device, now=now)
    _change(user, session, new_password, now)


@retrying
def _change(user: User, session: Session, password: str, now: datetime) -> None:
    present = lock_proven(user)
    _set(present, password, "newPassword")
    sessions.close_sessions(user=present, because="password_changed", keep=session.pk, now=now)
    events.record("account.password_changed", present, actor=present, now=now)


def _set(user: User, password: str, field: str) -> None:
    """The one place that changes a password: logins half-way and links on their way end with the old one."""
    check_new_password(password, user, field=field)
    user.set_password(password)
    user.save(update_fields=["password", "updated_at"])
    LoginChallenge.objects.filter(user=user).delete()
    MailedToken.objects.filter(user=user, purpose=PURPOSE, used_at__isnull=True).delete()
