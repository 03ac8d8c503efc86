"""Signing in: the password, then the second factor where one is on, or a passkey; and proving again who one is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts import appeal_tokens, passwords, tokens
from accounts.access import lock_person, lock_proven
from accounts.errors import (
    AccountSuspended,
    CodeInvalid,
    InvalidCredentials,
    PasskeyInvalid,
    PasskeyRefused,
    TwoFactorOff,
    TwoFactorRequired,
    TwoFactorTokenInvalid,
)
from accounts.models import LoginChallenge, PasskeyChallenge, Session, Status, User, normalise_email
from accounts.passkeys import Credential
from accounts.services import administration, history, passkeys, sessions, two_factor
from core import events
from core.api import limits
from core.api.limits import Limit
from core.data.transactions import retrying

FAILURES_PER_ADDRESS = Limit("login:address", 10, timedelta(minutes=1))
FAILURES_PER_ACCOUNT = Limit("login:account", 5, timedelta(minutes=5))
CHALLENGES_PER_ACCOUNT = Limit("login:challenges", 50, timedelta(minutes=5))
CHALLENGE_LIFETIME = timedelta(minutes=5)
Proof = str | Credential
"""Of the second factor: a code of the app, a recovery code, or a passkey's answer."""


@dataclass(frozen=True)
class Challenge:
    """The first step was right; `token` and a proof of one of `methods` are the second."""

    token: str
    methods: list[two_factor.Method]
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
        user = verify_password(email=account, password=password, address=address, device=device, now=now)
    except InvalidCredentials as refusal:
        known = User.objects.filter(email=account).exclude(status=Status.DELETED).first()
        history.note_failure(user=known, device=device, method="password", reason=refusal.code, now=now)
        raise
    return complete_first_step(user=user, method="password", device=device, now=now)


def verify_password(*, email: str, password: str, address: str | None, device: str, now: datetime) -> User:
    """
    The person behind an address and password. Each try is counted first and given back when it was right, so that
    parallel guesses count too.

    Devices that this account was entered from before are counted apart: whoever guesses from elsewhere uses up the
    tries of everybody else, and cannot keep the owner out (SECURITY-GOALS 24).

    :raises InvalidCredentials, RateLimited: as above
    """
    account = normalise_email(email)
    limits.hit(FAILURES_PER_ADDRESS, address)
    user, is_familiar = history.person_with_familiarity(email=account, device=device, address=address)
    counted = _from_this_device(account, device, address) if is_familiar else account
    limits.hit(FAILURES_PER_ACCOUNT, counted)
    if user is None:
        passwords.simulate_check(password)
    elif passwords.matches(password, user):
        limits.settle(FAILURES_PER_ADDRESS, address, forgotten=FAILURES_PER_ACCOUNT, forgotten_key=counted)
        return user
    events.record("account.login_failed", actor=user, now=now)
    raise InvalidCredentials()


def clear_failures(*, email: str, address: str | None, device: str) -> None:
    """
    Reset the failures counted for an account, for everybody and for this device, once its owner proved themselves
    otherwise.
    """
    limits.forget(FAILURES_PER_ACCOUNT, email)
    limits.forget(FAILURES_PER_ACCOUNT, _from_this_device(email, device, address))


def _from_this_device(account: str, device: str, address: str | None) -> str:
    return f"{account} {history.fingerprint(device, address)}"


@retrying
def complete_first_step(
    *, user: User, method: str, device: str, now: datetime, second_factor: bool = False
) -> sessions.Tokens | Challenge:
    """
    End the first step of a login: open a session, or ask for the second factor.

    :param method: how the first step was taken, as the login history shows it
    :param second_factor: whether that step proved both factors, as a passkey does
    :raises AccountSuspended: the person may not
    :raises InvalidCredentials: the password was changed while it was checked
    """
    present = lock_proven(user)
    administration.end_suspension_if_over(present, now)
    if not present.is_active:
        history.note_failure(user=present, device=device, method=method, reason=AccountSuspended.code, now=now)
        is_proven = second_factor or not present.two_factor_enabled
        raise AccountSuspended(**(_appeal_pass(present, now) if is_proven else {}))
    if second_factor or not present.two_factor_enabled:
        return sessions.begin_session(user=present, device=device, method=method, second_factor=second_factor, now=now)
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


def _appeal_pass(user: User, now: datetime) -> dict[str, Any]:
    """What somebody suspended gets in place of a session. Seconds."""
    token = appeal_tokens.appeal_token(user.pk, now, appeal_tokens.LIFETIME)
    return {"appeal_token": token, "appeal_expires_in": int(appeal_tokens.LIFETIME.total_seconds())}


def log_in_with_passkey(*, credential: Credential, address: str | None, device: str, now: datetime) -> sessions.Tokens:
    """
    Open a session for whoever holds a passkey, which stands for both steps.

    :raises PasskeyRefused, RateLimited: as `verify_passkey`
    :raises AccountSuspended: it is right, and the account is suspended
    """
    with _counted(address):
        return _sign_holder_in(credential, device, now)


@retrying
def _sign_holder_in(credential: Credential, device: str, now: datetime) -> sessions.Tokens:
    """Check and sign-in under one lock, so that a passkey that is being removed signs nobody in."""
    holder = _holder(credential, "passkey", device, now)
    signed_in = complete_first_step(user=holder, method="passkey", device=device, second_factor=True, now=now)
    assert isinstance(signed_in, sessions.Tokens), "both steps were taken"
    return signed_in


def verify_passkey(*, credential: Credential, method: str, address: str | None, device: str, now: datetime) -> User:
    """
    The person who holds a passkey.

    :param method: what the login history calls a failure
    :raises PasskeyRefused: not a passkey of anybody's, or not an answer to a question of ours
    :raises RateLimited: too many failures from this address
    """
    with _counted(address):
        return _holder(credential, method, device, now)


@contextmanager
def _counted(address: str | None) -> Iterator[None]:
    """Wraps an attempt. It is counted first, so that parallel guesses count too, and given back when it was right."""
    limits.hit(FAILURES_PER_ADDRESS, address)
    yield
    limits.give_back(FAILURES_PER_ADDRESS, address)


@retrying
def _holder(credential: Credential, method: str, device: str, now: datetime) -> User:
    owner = None
    try:
        owner = passkeys.owner_of(credential)
        if owner is None:
            passkeys.use_up(credential, PasskeyChallenge.Purpose.SIGN_IN, None, now)
            raise PasskeyRefused()
        user = lock_person(owner)
        passkeys.check(user=user, credential=credential, purpose=PasskeyChallenge.Purpose.SIGN_IN, now=now)
    except PasskeyInvalid:
        known = User.objects.filter(pk=owner).first() if owner else None
        history.note_failure(user=known, device=device, method=method, reason=PasskeyRefused.code, now=now)
        raise PasskeyRefused() from None
    return user


def ask_for_passkey(*, two_factor_token: str, address: str | None, now: datetime) -> dict[str, Any]:
    """
    The passkey options for a browser at the second step.

    :raises TwoFactorTokenInvalid: not one of ours, expired or used
    :raises NoPasskey: the account has none
    :raises RateLimited: too many questions or failures from this address
    """
    limits.hit(passkeys.QUESTIONS_PER_ADDRESS, address)
    return _ask_for_passkey(two_factor_token, now)


@retrying
def _ask_for_passkey(token: str, now: datetime) -> dict[str, Any]:
    challenge = _open_challenge(token, now)
    return passkeys.ask(user=challenge.user, purpose=PasskeyChallenge.Purpose.SECOND_STEP, now=now)


def take_second_step(
    *, two_factor_token: str, proof: Proof, address: str | None, device: str, now: datetime
) -> sessions.Tokens:
    """
    The second step of a login. The token stays good after a wrong proof and is used up by a right one.

    :raises TwoFactorTokenInvalid: not one of ours, expired or used
    :raises CodeInvalid, SecondFactorLocked: as `two_factor.check_code`
    :raises PasskeyInvalid: as `passkeys.check`
    :raises RateLimited: too many failures from this address
    """
    with _counted(address):
        return _answer_challenge(two_factor_token, proof, device, now)


@retrying
def _answer_challenge(token: str, proof: Proof, device: str, now: datetime) -> sessions.Tokens:
    challenge = _open_challenge(token, now)
    user = challenge.user
    if not user.is_active:
        history.note_failure(user=user, device=device, method=challenge.method, reason=AccountSuspended.code, now=now)
        raise AccountSuspended()
    try:
        kind = _check_proof(user, proof, PasskeyChallenge.Purpose.SECOND_STEP, now)
    except (CodeInvalid, PasskeyInvalid) as refusal:
        history.note_failure(user=user, device=device, method=challenge.method, reason=refusal.code, now=now)
        raise
    challenge.used_at = now
    challenge.save(update_fields=["used_at"])
    return sessions.begin_session(
        user=user, device=device, method=f"{challenge.method}+{kind}", second_factor=True, now=now
    )


def _open_challenge(token: str, now: datetime) -> LoginChallenge:
    """A login between its steps, with its person, who is locked."""
    digest = tokens.digest(token)
    person = LoginChallenge.objects.filter(digest=digest).values_list("user_id", flat=True).first()
    if person is None:
        raise TwoFactorTokenInvalid()
    user = lock_person(person)
    challenge = LoginChallenge.objects.filter(digest=digest).first()
    if challenge is None or challenge.used_at or challenge.expires_at <= now or not user.two_factor_enabled:
        raise TwoFactorTokenInvalid()
    challenge.user = user
    return challenge


def _check_proof(user: User, proof: Proof, purpose: str, now: datetime) -> str:
    """What kind of second factor a right proof was of."""
    if isinstance(proof, str):
        return two_factor.check_code(user=user, code=proof, now=now)
    passkeys.check(user=user, credential=proof, purpose=purpose, now=now)
    return "passkey"


def step_up(
    *,
    session: Session,
    password: str = "",
    proof: Proof = "",
    address: str | None,
    device: str,
    now: datetime,
) -> None:
    """
    Mark the session as recently authenticated: by the password, or once a second factor is on, by it.

    :raises InvalidCredentials, RateLimited: as at login, and counted together with it
    :raises TwoFactorRequired: a password, where the account has a second factor
    :raises TwoFactorOff: a second factor, where the account has none
    :raises CodeInvalid, SecondFactorLocked: as `two_factor.check_code`
    :raises PasskeyInvalid: as `passkeys.check`
    """
    user = session.user
    if user.two_factor_enabled and not proof:
        raise TwoFactorRequired()
    if proof and not user.two_factor_enabled:
        raise TwoFactorOff()
    if proof:
        with _counted(address):
            _check_proof(user, proof, PasskeyChallenge.Purpose.STEP_UP, now)
    else:
        verify_password(email=user.email, password=password, address=address, device=device, now=now)
    sessions.confirm_presence(session=session, second_factor=bool(proof), now=now)
