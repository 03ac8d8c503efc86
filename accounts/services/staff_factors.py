"""
A staff member's first second factor, set up in the admin with the password and a link by mail (docs/permissions.md).

The password alone is not enough: a thief could add an authenticator app of their own and act as staff.
"""

from datetime import datetime, timedelta

from accounts.errors import MailedTokenInvalid
from accounts.models import MailedToken, User
from accounts.services import mailed_tokens, two_factor
from accounts.services.two_factor import Enrolment
from core import events
from core.api import limits
from core.api.limits import Limit
from core.data.transactions import retrying

PURPOSE = MailedToken.Purpose.STAFF_FACTOR
MAILS = Limit("staff:factor-mail", 5, timedelta(hours=1))
LIFETIME = timedelta(minutes=30)


@retrying
def mail_link(*, user: User, now: datetime) -> None:
    """
    Mail a staff member without a second factor the link that sets one up; earlier ones stop working.

    :raises RateLimited: five went out within the hour
    """
    limits.hit(MAILS, user.pk)
    token = mailed_tokens.issue(user=user, purpose=PURPOSE, lifetime=LIFETIME, now=now)
    events.record("account.staff_factor_offered", user, actor=user, now=now, token=token)


def person_of_token(*, token: str, now: datetime) -> User:
    """
    Who was mailed a link that still works; looking uses nothing up.

    :raises MailedTokenInvalid: used, expired, replaced, never ours, or its person is no staff or has a factor by now
    """
    user = mailed_tokens.person_of_token(token=token, purpose=PURPOSE, now=now)
    if not user.is_active or not user.is_staff or user.two_factor_enabled:
        raise MailedTokenInvalid()
    return user


@retrying
def begin(*, token: str, now: datetime) -> Enrolment:
    """
    A new secret for the app of the person behind a link. The caller has checked their password.

    :raises MailedTokenInvalid: as `person_of_token`
    """
    return two_factor.enroll(user=person_of_token(token=token, now=now), now=now)


@retrying
def confirm(*, token: str, code: str, now: datetime) -> tuple[User, list[str]]:
    """
    Switch the app on with a first right code, and use the link up. A wrong code leaves it as it is.

    :returns: the person, and the recovery codes, which are shown now and never again
    :raises MailedTokenInvalid: as `person_of_token`
    :raises TwoFactorNotSetUp, CodeInvalid, SecondFactorLocked: as `two_factor.confirm`
    """
    user = person_of_token(token=token, now=now)
    codes = two_factor.confirm(user=user, code=code, now=now)
    return mailed_tokens.use_up(token=token, purpose=PURPOSE, now=now), codes
