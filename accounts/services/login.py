"""Signing in: the password, then the second factor where one is on; and proving again who one is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts import passwords, tokens
from accounts.access import lock_person, lock_proven
from accounts.errors import (
    AccountSuspended,
    CodeInvalid,
    InvalidCredentials,
    TwoFactorOff,
    TwoFactorRequired,
    TwoFactorTokenInvalid,
)
from accounts.models import LoginChallenge, Session, Status, User, normalise_email
from accounts.services import history, sessions, two_factor
from core import audit, limits
from core.db import retrying
from core.limits import Limit

FAILURES_PER_ADDRESS = Limit("login:address", 10, timedelta(minutes=1))
FAILURES_PER_ACCOUNT = Limit("login:account", 5, timedelta(minutes=5))
CHALLENGES_PER_ACCOUNT = Limit("login:challenges", 50, timedelta(minutes=5))
CHALLENGE_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True)
class Challenge:
    """The first step was right; `token` and a code of one of `methods` are the second."""

    token: str
    methods: list[str]
    expires_in: int
    """Seconds until `token` expires."""


def log_in(
    *, email: str, password: str, address: str | None, device: str, now: datetime
) -> sessions.Tokens | Challenge:
    """
    Open a session for the right address and password, or ask for the second factor. Known and unknown accounts answer
    alike, in kind and time.

    :raises InvalidCredentials: either is wrong
    :raises RateLimited: too many failures from this address or for this account
    :raises AccountSuspended: both are right, and the account is suspended
    """
    account = normalise_email(email)
    try:
        user = verify_password(email=account, password=password, address=address, device=device)
    except InvalidCredentials as refusal:
        known = User.objects.filter(email=account).exclude(status=Status.DELETED).first()
        history.note_failure(user=known, device=device, method="password", reason=refusal.code, now=now)
        raise
    return admit(user=user, method="password", device=device, now=now)


def verify_password(*, email: str, password: str, address: str | None, device: str) -> User:
    """
    The person behind an address and password. Each try is counted first and given back when it was right, so that
    parallel guesses count too.

    Devices that this account was entered from before are counted apart: whoever guesses from elsewhere uses up the
    tries of everybody else, and cannot keep the owner out (SECURITY-GOALS 24).

    :raises InvalidCredentials, RateLimited: as above
    """
    account = normalise_email(email)
    limits.hit(FAILURES_PER_ADDRESS, address)
    familiar = history.is_familiar(email=account, device=device, address=address)
    counted = _from_this_device(account, device, address) if familiar else account
    limits.hit(FAILURES_PER_ACCOUNT, counted)
    user = User.objects.filter(email=account).exclude(status=Status.DELETED).first()
    if user is None:
        passwords.spend_the_time_of_a_check(password)
    elif passwords.matches(password, user):
        limits.give_back(FAILURES_PER_ADDRESS, address)
        limits.forget(FAILURES_PER_ACCOUNT, counted)
        return user
    audit.record(user, "account.login_failed", user)
    raise InvalidCredentials()


def forgive(*, email: str, address: str | None, device: str) -> None:
    """Start the tries for an account afresh, for everybody and for this device: its owner came by another way."""
    limits.forget(FAILURES_PER_ACCOUNT, email)
    limits.forget(FAILURES_PER_ACCOUNT, _from_this_device(email, device, address))


def _from_this_device(account: str, device: str, address: str | None) -> str:
    return f"{account} {history.fingerprint(device, address)}"


@retrying
def admit(*, user: User, method: str, device: str, now: datetime) -> sessions.Tokens | Challenge:
    """
    What every first step ends with: a session, or the question for the second factor.

    :param method: how the first step was taken, as the login history shows it
    :raises AccountSuspended: the person may not
    :raises InvalidCredentials: the password was changed while it was checked
    """
    present = lock_proven(user)
    if not present.is_active:
        history.note_failure(user=present, device=device, method=method, reason=AccountSuspended.code, now=now)
        raise AccountSuspended()
    if not present.two_factor_enabled:
        return sessions.open_session(user=present, device=device, method=method, now=now)
    limits.hit(CHALLENGES_PER_ACCOUNT, present.pk)
    token = tokens.new_token()
    LoginChallenge.objects.create(
        user=present,
        digest=tokens.digest(token),
        method=method,
        created_at=now,
        expires_at=now + CHALLENGE_LIFETIME,
    )
    return Challenge(token, two_factor.methods_of(present), int(CHALLENGE_LIFETIME.total_seconds()))


def log_in_with_code(
    *, two_factor_token: str, code: str, address: str | None, device: str, now: datetime
) -> sessions.Tokens:
    """
    The second step of a login. The token stays good after a wrong code and is used up by a right one.

    :raises TwoFactorTokenInvalid: not one of ours, expired or used
    :raises CodeInvalid, SecondFactorLocked: as `two_factor.check_code`
    :raises RateLimited: too many failures from this address
    """
    limits.hit(FAILURES_PER_ADDRESS, address)
    signed_in = _answer_challenge(two_factor_token, code, device, now)
    limits.give_back(FAILURES_PER_ADDRESS, address)
    return signed_in


@retrying
def _answer_challenge(token: str, code: str, device: str, now: datetime) -> sessions.Tokens:
    digest = tokens.digest(token)
    person = LoginChallenge.objects.filter(digest=digest).values_list("user_id", flat=True).first()
    if person is None:
        raise TwoFactorTokenInvalid()
    user = lock_person(person)
    challenge = LoginChallenge.objects.filter(digest=digest).first()
    if challenge is None or challenge.used_at or challenge.expires_at <= now or not user.two_factor_enabled:
        raise TwoFactorTokenInvalid()
    if not user.is_active:
        raise AccountSuspended()
    try:
        proof = two_factor.check_code(user=user, code=code, now=now)
    except CodeInvalid as refusal:
        history.note_failure(user=user, device=device, method=challenge.method, reason=refusal.code, now=now)
        raise
    challenge.used_at = now
    challenge.save(update_fields=["used_at"])
    return sessions.open_session(
        user=user, device=device, method=f"{challenge.method}+{proof}", second_factor=True, now=now
    )


def step_up(
    *, session: Session, password: str = "", code: str = "", address: str | None, device: str, now: datetime
) -> None:
    """
    Mark the session as recently authenticated: by the password, or once a second factor is on, by its code.

    :raises InvalidCredentials, RateLimited: as at login, and counted together with it
    :raises TwoFactorRequired: a password, where the account has a second factor
    :raises TwoFactorOff: a code, where it has none
    :raises CodeInvalid, SecondFactorLocked: as `two_factor.check_code`
    """
    user = session.user
    if user.two_factor_enabled and not code:
        raise TwoFactorRequired()
    if code and not user.two_factor_enabled:
        raise TwoFactorOff()
    if code:
        two_factor.check_code(user=user, code=code, now=now)
    else:
        verify_password(email=user.email, password=password, address=address, device=device)
    sessions.confirm_presence(session=session, second_factor=bool(code), now=now)
