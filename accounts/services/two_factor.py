"""
The second factor: an authenticator app (TOTP, RFC 6238) or passkeys, and recovery codes that stand in for them.

It is on while there is one of either. An app's code works once, with one step of drift, and five failures lock the app
for a while (SECURITY-GOALS 29). Passkeys: `services.passkeys`; recovery codes: `services.recovery`.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote, urlencode

import segno
from django.conf import settings
from django_otp.oath import TOTP

from accounts.access import lock_person
from accounts.errors import (
    CodeInvalid,
    OnlyWayIn,
    SecondFactorLocked,
    StaffFactorByMail,
    StepUpRequired,
    TwoFactorNotSetUp,
    TwoFactorOff,
    TwoFactorOn,
)
from accounts.models import AuthenticatorApp, LoginChallenge, RecoverySheet, Session, User
from accounts.selectors import sign_in_method_count
from accounts.services import recovery, sessions
from core import events
from core.crypto.sealing import seal, unseal
from core.data.transactions import retrying

PURPOSE = "authenticator secret"
ISSUER = "VECTRAGrow"
STEP_SECONDS = 30
DRIFT_STEPS = 1
FAILURES = 5
LOCK = timedelta(minutes=15)
ENROLMENT_LIFETIME = timedelta(minutes=10)
"""A secret expires if no first code confirms it by then: the session that asked for it may have been stolen."""


Method = Literal["passkey", "totp", "recovery_code"]


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app needs to know, in three forms."""

    secret: str
    otpauth_url: str

    @property
    def spaced_secret(self) -> str:
        """The secret in groups of four, for whoever types it."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))

    @property
    def qr_code(self) -> str:
        """A data URL of a PNG, to be shown and scanned."""
        return segno.make(self.otpauth_url, error="m", micro=False).png_data_uri(scale=6, border=4)


@retrying
def enroll(*, user: User, now: datetime, session: Session | None = None) -> Enrolment:
    """
    Give the person a new, unconfirmed secret; an unconfirmed one before it is replaced.

    :param session: whoever asks through the API; None for the admin's page and an operator
    :raises TwoFactorOn: there is a confirmed one; it has to be switched off first
    :raises StaffFactorByMail: as `check_first_factor`
    """
    user = lock_person(user.pk)
    check_first_factor(user, session)
    if has_app(user):
        raise TwoFactorOn()
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    AuthenticatorApp.objects.filter(user=user).delete()
    AuthenticatorApp.objects.create(user=user, secret=seal(secret, purpose=PURPOSE), created_at=now)
    return _enrolment(user, secret)


def pending(*, user: User, now: datetime) -> Enrolment:
    """
    The secret that no first code has confirmed yet, once more.

    :raises TwoFactorNotSetUp: there is none, or it is older than ten minutes
    """
    app = AuthenticatorApp.objects.filter(user=user, confirmed_at__isnull=True).first()
    if app is None or app.created_at <= now - ENROLMENT_LIFETIME:
        raise TwoFactorNotSetUp()
    return _enrolment(user, unseal(bytes(app.secret), purpose=PURPOSE))


def _enrolment(user: User, secret: str) -> Enrolment:
    query = urlencode({"secret": secret, "issuer": ISSUER})
    return Enrolment(secret, f"otpauth://totp/{quote(f'{ISSUER}:{user.email}')}?{query}")


@retrying
def confirm(*, user: User, code: str, now: datetime, session: Session | None = None) -> list[str]:
    """
    Switch the app on with a first right code, which also proves the `session`.

    :returns: the recovery codes, which are shown now and never again; with a later factor they replace those before
    :raises TwoFactorOn, TwoFactorNotSetUp: there is nothing to confirm
    :raises StepUpRequired: another factor is on, and the session has not proved it within five minutes
    :raises StaffFactorByMail: as `check_first_factor`
    :raises CodeInvalid, SecondFactorLocked: as `check_code`
    """
    user = lock_person(user.pk)
    app = AuthenticatorApp.objects.filter(user=user).first()
    if app is not None and app.confirmed_at is not None:
        raise TwoFactorOn()
    if app is None or app.created_at <= now - ENROLMENT_LIFETIME:
        raise TwoFactorNotSetUp()
    if user.two_factor_enabled and session is not None and not session.is_recent_at(now):
        raise StepUpRequired()
    _use_up(app, code, now)
    app.confirmed_at = now
    app.save(update_fields=["confirmed_at"])
    codes = note_new_factor(user=user, session=session, now=now)
    events.record("account.authenticator_added", app, actor=user, now=now, user_id=user.pk, is_first_factor=bool(codes))
    return codes or recovery.replace_codes(user=user, now=now)


def check_first_factor(user: User, session: Session | None) -> None:
    """
    Prevent that a session of the API, which may be a thief's who knows the password, becomes one of the admin.

    :raises StaffFactorByMail: staff without a factor, where the admin demands one
    """
    if session and user.is_staff and settings.ADMIN_TWO_FACTOR_REQUIRED and not user.two_factor_enabled:
        raise StaffFactorByMail()


def note_new_factor(*, user: User, session: Session | None, now: datetime) -> list[str]:
    """
    A factor was added and proved the `session`; under the person's lock.

    :returns: recovery codes with the person's first factor, which switches two-factor sign-in on; else nothing
    :raises StaffFactorByMail: as `check_first_factor`
    """
    check_first_factor(user, session)
    if session is not None:
        sessions.confirm_presence(session=session, second_factor=True, now=now)
    if user.two_factor_enabled:
        return []
    user.two_factor_enabled_at = now
    user.save(update_fields=["two_factor_enabled_at", "updated_at"])
    AuthenticatorApp.objects.filter(user=user, confirmed_at__isnull=True).delete()
    events.record("account.two_factor_enabled", user, actor=user, now=now)
    return recovery.new_sheet(user, now)


@retrying
def check_code(*, user: User, code: str, now: datetime) -> str:
    """
    Use up a code of the app or a recovery code.

    A recovery code is right even while the app is locked: it cannot be guessed, and so nobody who knows the password
    can keep the owner out by failing again and again.

    :returns: `totp` or `recovery_code`
    :raises CodeInvalid: wrong, or used already
    :raises SecondFactorLocked: five failures in a row; for 15 minutes
    :raises TwoFactorOff: the factor is not on
    """
    user = lock_person(user.pk)
    if not user.two_factor_enabled:
        raise TwoFactorOff()
    app = AuthenticatorApp.objects.select_related("user").filter(user=user, confirmed_at__isnull=False).first()
    if recovery.is_one(code) and recovery.use_up(user, code, now):
        if app is not None:
            _succeed(app)
        return "recovery_code"
    if app is None:
        raise CodeInvalid(field="code")
    if recovery.is_one(code):
        _fail(app, now)
    _use_up(app, code, now)
    return "totp"


@retrying
def remove_app(*, user: User, now: datetime) -> None:
    """
    Forget the authenticator app. Without a passkey the second factor goes off with it.

    :raises TwoFactorNotSetUp: there is none
    """
    user = lock_person(user.pk)
    app = AuthenticatorApp.objects.filter(user=user, confirmed_at__isnull=False).first()
    if app is None:
        raise TwoFactorNotSetUp()
    was_last = not user.passkeys.exists()
    events.record("account.authenticator_removed", app, actor=user, now=now, user_id=user.pk, was_last_factor=was_last)
    app.delete()
    end_without_factors(user=user, now=now, by=user)


@retrying
def switch_off(*, user: User, now: datetime, by: User | None) -> None:
    """
    Forget the app, every passkey and the recovery codes. Logins that wait for a second step end.

    :param by: the person, or None for an operator
    :raises TwoFactorOff: there is nothing to switch off
    :raises OnlyWayIn: a passkey is the only way to sign in
    """
    user = lock_person(user.pk)
    if not user.two_factor_enabled:
        raise TwoFactorOff()
    if by is not None and sign_in_method_count(user) == user.passkeys.count():
        raise OnlyWayIn()
    AuthenticatorApp.objects.filter(user=user).delete()
    user.passkeys.all().delete()
    end_without_factors(user=user, now=now, by=by)


def end_without_factors(*, user: User, now: datetime, by: User | None) -> None:
    """
    A factor was removed, under the person's lock: logins that wait for a second step end, and where no factor is left
    two-factor sign-in goes off.
    """
    LoginChallenge.objects.filter(user=user).delete()
    if has_app(user) or user.passkeys.exists():
        return
    AuthenticatorApp.objects.filter(user=user).delete()
    RecoverySheet.objects.filter(user=user).delete()
    user.two_factor_enabled_at = None
    user.save(update_fields=["two_factor_enabled_at", "updated_at"])
    events.record("account.two_factor_disabled", user, actor=by, now=now)


def has_app(user: User) -> bool:
    return AuthenticatorApp.objects.filter(user=user, confirmed_at__isnull=False).exists()


def methods_of(user: User) -> list[Method]:
    """With what this person may take a second step."""
    present: tuple[tuple[Method, bool], ...] = (
        ("passkey", user.passkeys.exists()),
        ("totp", has_app(user)),
        ("recovery_code", recovery.has_codes(user)),
    )
    return [method for method, is_there in present if is_there]


def _use_up(app: AuthenticatorApp, code: str, now: datetime) -> None:
    if app.locked_until and app.locked_until > now:
        raise SecondFactorLocked(retry_after=app.locked_until - now)
    step = _matching_step(app, code, now)
    if step is None:
        _fail(app, now)
    else:
        app.last_step = step
        _succeed(app)


def _succeed(app: AuthenticatorApp) -> None:
    app.failures, app.locked_until = 0, None
    app.save(update_fields=["last_step", "failures", "locked_until"])


def _fail(app: AuthenticatorApp, now: datetime) -> None:
    """:raises CodeInvalid: always, with the failure counted; once locked, SecondFactorLocked and nothing counted"""
    if app.locked_until and app.locked_until > now:
        raise SecondFactorLocked(retry_after=app.locked_until - now)
    app.failures += 1
    if app.failures >= FAILURES:
        app.failures, app.locked_until = 0, now + LOCK
        events.record("account.two_factor_locked", app.user, actor=app.user, now=now)
    app.save(update_fields=["failures", "locked_until"])
    raise CodeInvalid(field="code")


def _matching_step(app: AuthenticatorApp, code: str, now: datetime) -> int | None:
    """The time step whose code this is, newer than the last one used."""
    digits = code.replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) == 6):
        return None
    key = base64.b32decode(unseal(bytes(app.secret), purpose=PURPOSE))
    current = int(now.timestamp()) // STEP_SECONDS
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        generator = TOTP(key, step=STEP_SECONDS)
        generator.time = step * STEP_SECONDS
        if step > app.last_step and secrets.compare_digest(f"{generator.token():06d}", digits):
            return step
    return None
