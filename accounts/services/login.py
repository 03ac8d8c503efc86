"""Signing in with a password."""

from datetime import datetime, timedelta

from accounts import passwords
from accounts.errors import InvalidCredentials
from accounts.models import Session, User, normalise_email
from accounts.services import sessions
from core import audit, limits
from core.limits import Limit

FAILURES_PER_ADDRESS = Limit("login:address", 10, timedelta(minutes=1))
FAILURES_PER_ACCOUNT = Limit("login:account", 5, timedelta(minutes=5))


def log_in(*, email: str, password: str, address: str | None, device: str, now: datetime) -> sessions.Tokens:
    """
    Open a session for the right address and password. Known and unknown accounts answer alike, in kind and time.

    :raises InvalidCredentials: either is wrong
    :raises RateLimited: too many failures from this address or for this account
    :raises AccountSuspended: both are right, and the account is suspended
    """
    user = verify_password(email=email, password=password, address=address)
    return sessions.open_session(user=user, device=device, method="password", now=now)


def verify_password(*, email: str, password: str, address: str | None) -> User:
    """
    The person behind an address and password. Each try is counted first and given back when it was right, so that
    parallel guesses count too.

    :raises InvalidCredentials, RateLimited: as above
    """
    account = normalise_email(email)
    limits.hit(FAILURES_PER_ADDRESS, address)
    limits.hit(FAILURES_PER_ACCOUNT, account)
    user = User.objects.filter(email=account).exclude(status="deleted").first()
    if user is None:
        passwords.spend_the_time_of_a_check(password)
    elif passwords.matches(password, user):
        limits.give_back(FAILURES_PER_ADDRESS, address)
        limits.forget(FAILURES_PER_ACCOUNT, account)
        return user
    audit.record(user, "account.login_failed", user)
    raise InvalidCredentials()


def step_up(*, session: Session, password: str, address: str | None, now: datetime) -> None:
    """
    Mark the session as recently authenticated.

    :raises InvalidCredentials, RateLimited: as at login, and counted together with it
    """
    verify_password(email=session.user.email, password=password, address=address)
    sessions.confirm_presence(session=session, now=now)
