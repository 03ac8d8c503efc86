"""
The second factor: a TOTP app (RFC 6238), each code once, one step of drift, locked after five failures; and ten
recovery codes that stand in for it, each once (SECURITY-GOALS 29).
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import segno
from argon2.low_level import Type, hash_secret_raw
from django_otp.oath import TOTP

from accounts.access import lock_person
from accounts.errors import CodeInvalid, SecondFactorLocked, TwoFactorNotSetUp, TwoFactorOff, TwoFactorOn
from accounts.models import AuthenticatorApp, LoginChallenge, RecoveryCode, Session, User
from accounts.services import sessions
from core import audit
from core.db import retrying
from core.sealing import seal, unseal
from notifications.services.notices import notify

PURPOSE = "authenticator secret"
ISSUER = "VECTRAGrow"
STEP_SECONDS = 30
DRIFT_STEPS = 1
FAILURES = 5
LOCK = timedelta(minutes=15)
RECOVERY_CODES = 10
RECOVERY_LENGTH = 10
RECOVERY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike on paper. Ten of them are 49 bits, so codes are kept as passwords are (ASVS 6.5.2)."""


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app needs to know, in three forms."""

    secret: str
    otpauth_url: str

    @property
    def qr_code(self) -> str:
        """A data URL of a PNG, to be shown and scanned."""
        return segno.make(self.otpauth_url, error="m", micro=False).png_data_uri(scale=6, border=4)


@retrying
def enroll(*, user: User, now: datetime) -> Enrolment:
    """
    Give the person a new, unconfirmed secret; an unconfirmed one before it is replaced.

    :raises TwoFactorOn: there is a confirmed one; it has to be switched off first
    """
    user = lock_person(user.pk)
    if user.two_factor_enabled:
        raise TwoFactorOn()
    secret = base64.b32encode(secrets.token_bytes(20)).decode()
    AuthenticatorApp.objects.filter(user=user).delete()
    AuthenticatorApp.objects.create(user=user, secret=seal(secret, purpose=PURPOSE), created_at=now)
    query = urlencode({"secret": secret, "issuer": ISSUER})
    return Enrolment(secret, f"otpauth://totp/{quote(f'{ISSUER}:{user.email}')}?{query}")


@retrying
def confirm(*, user: User, code: str, now: datetime, session: Session | None = None) -> list[str]:
    """
    Switch the factor on with a first right code, which also proves the `session`.

    :returns: the recovery codes, which are shown now and never again
    :raises TwoFactorOn, TwoFactorNotSetUp: there is nothing to confirm
    :raises CodeInvalid, SecondFactorLocked: as `check_code`
    """
    user = lock_person(user.pk)
    app = AuthenticatorApp.objects.filter(user=user).first()
    if user.two_factor_enabled:
        raise TwoFactorOn()
    if app is None:
        raise TwoFactorNotSetUp()
    _use_up(app, code, now)
    app.confirmed_at = user.two_factor_enabled_at = now
    app.save(update_fields=["confirmed_at"])
    user.save(update_fields=["two_factor_enabled_at", "updated_at"])
    if session is not None:
        sessions.confirm_presence(session=session, second_factor=True, now=now)
    audit.record(user, "account.two_factor_enabled", user)
    notify(user_id=user.pk, kind="two_factor_enabled", now=now)
    return _new_recovery_codes(app, now)


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
    app = _confirmed(user)
    if _is_recovery_code(code):
        if _use_up_recovery_code(app, code, now):
            return "recovery_code"
        _fail(app, now)
    _use_up(app, code, now)
    return "totp"


@retrying
def replace_recovery_codes(*, user: User, now: datetime) -> list[str]:
    """
    Ten new recovery codes, shown now and never again; the old ones stop working.

    :raises TwoFactorOff: there is no factor that they would stand in for
    """
    user = lock_person(user.pk)
    codes = _new_recovery_codes(_confirmed(user), now)
    audit.record(user, "account.recovery_codes_replaced", user)
    notify(user_id=user.pk, kind="recovery_codes_replaced", now=now)
    return codes


@retrying
def switch_off(*, user: User, now: datetime, by: User | None) -> None:
    """
    Forget the app and its recovery codes. Logins that wait for a code end.

    :param by: the person, or None for an operator
    :raises TwoFactorOff: there is nothing to switch off
    """
    user = lock_person(user.pk)
    _confirmed(user).delete()
    user.two_factor_enabled_at = None
    user.save(update_fields=["two_factor_enabled_at", "updated_at"])
    LoginChallenge.objects.filter(user=user).delete()
    audit.record(by, "account.two_factor_disabled", user)
    notify(user_id=user.pk, kind="two_factor_disabled", now=now)


def methods_of(user: User) -> list[str]:
    """Which kinds of codes `check_code` would take from this person."""
    has_codes = RecoveryCode.objects.filter(app__user=user, used_at__isnull=True).exists()
    return ["totp", "recovery_code"] if has_codes else ["totp"]


def _confirmed(user: User) -> AuthenticatorApp:
    if not user.two_factor_enabled:
        raise TwoFactorOff()
    return AuthenticatorApp.objects.select_related("user").get(user=user)


def _use_up(app: AuthenticatorApp, code: str, now: datetime) -> None:
    if app.locked_until and app.locked_until > now:
        raise SecondFactorLocked(retry_after=app.locked_until - now)
    step = _matching_step(app, code, now)
    if step is None:
        _fail(app, now)
    else:
        app.last_step, app.failures, app.locked_until = step, 0, None
        app.save(update_fields=["last_step", "failures", "locked_until"])


def _fail(app: AuthenticatorApp, now: datetime) -> None:
    """:raises CodeInvalid: always, with the failure counted; once locked, SecondFactorLocked and nothing counted"""
    if app.locked_until and app.locked_until > now:
        raise SecondFactorLocked(retry_after=app.locked_until - now)
    app.failures += 1
    if app.failures >= FAILURES:
        app.failures, app.locked_until = 0, now + LOCK
        audit.record(app.user, "account.two_factor_locked", app.user)
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


def _new_recovery_codes(app: AuthenticatorApp, now: datetime) -> list[str]:
    app.recovery_codes.all().delete()
    app.recovery_salt = secrets.token_bytes(16)
    app.save(update_fields=["recovery_salt"])
    codes = ["".join(secrets.choice(RECOVERY_LETTERS) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(app=app, digest=_recovery_digest(app, code), created_at=now) for code in codes
    )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _use_up_recovery_code(app: AuthenticatorApp, code: str, now: datetime) -> bool:
    digest = _recovery_digest(app, _plain(code))
    row = RecoveryCode.objects.filter(app=app, digest=digest, used_at__isnull=True).first()
    if row is None:
        return False
    row.used_at = now
    row.save(update_fields=["used_at"])
    app.failures, app.locked_until = 0, None
    app.save(update_fields=["failures", "locked_until"])
    left = app.recovery_codes.filter(used_at__isnull=True).count()
    audit.record(app.user, "account.recovery_code_used", app.user, left=left)
    notify(user_id=app.user_id, kind="recovery_code_used", now=now, left=left)
    return True


def _is_recovery_code(code: str) -> bool:
    plain = _plain(code)
    return len(plain) == RECOVERY_LENGTH and all(letter in RECOVERY_LETTERS for letter in plain)


def _plain(code: str) -> str:
    return code.replace("-", "").replace(" ", "").lower()


def _recovery_digest(app: AuthenticatorApp, code: str) -> bytes:
    """Argon2id, 19 MiB and two passes (OWASP), under one salt for all ten codes, so that one hash finds the row."""
    salt = bytes(app.recovery_salt or b"")
    return hash_secret_raw(
        code.encode(), salt, time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, type=Type.ID
    )
