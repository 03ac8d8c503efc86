"""The second factor: a TOTP app (RFC 6238), each code once, one step of drift, locked after five failures."""

import base64
import secrets
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from django_otp.oath import TOTP

from accounts.errors import CodeInvalid, SecondFactorLocked
from accounts.models import AuthenticatorApp, User
from core import audit
from core.db import retrying
from core.sealing import seal, unseal

PURPOSE = "authenticator secret"
ISSUER = "VECTRAGrow"
STEP_SECONDS = 30
DRIFT_STEPS = 1
FAILURES = 5
LOCK = timedelta(minutes=15)


@retrying
def enroll(*, user: User, now: datetime) -> str:
    """
    Give the person a new, unconfirmed secret; an unconfirmed one before it is replaced.

    :returns: the `otpauth://` address that authenticator apps read
    """
    secret = secrets.token_bytes(20)
    sealed = seal(base64.b32encode(secret).decode(), purpose=PURPOSE)
    AuthenticatorApp.objects.update_or_create(
        user=user,
        defaults={
            "secret": sealed,
            "confirmed_at": None,
            "last_step": -1,
            "failures": 0,
            "locked_until": None,
            "created_at": now,
        },
    )
    query = urlencode({"secret": base64.b32encode(secret).decode(), "issuer": ISSUER})
    return f"otpauth://totp/{quote(f'{ISSUER}:{user.email}')}?{query}"


@retrying
def confirm(*, user: User, code: str, now: datetime) -> None:
    """
    Switch the factor on with a first right code.

    :raises CodeInvalid, SecondFactorLocked: as `check_code`
    """
    app = _checked(user, code, now)
    app.confirmed_at = now
    app.save(update_fields=["confirmed_at"])
    User.objects.filter(pk=user.pk).update(two_factor_enabled_at=now)
    audit.record(user, "account.two_factor_enabled", user)


@retrying
def check_code(*, user: User, code: str, now: datetime) -> None:
    """
    Use up a code.

    :raises CodeInvalid: wrong, or used already
    :raises SecondFactorLocked: five failures in a row; for 15 minutes
    """
    _checked(user, code, now)


def _checked(user: User, code: str, now: datetime) -> AuthenticatorApp:
    app = AuthenticatorApp.objects.select_for_update().filter(user=user).first()
    if app is None:
        raise CodeInvalid(field="code")
    if app.locked_until and app.locked_until > now:
        raise SecondFactorLocked(retry_after=app.locked_until - now)
    step = _matching_step(app, code, now)
    if step is None:
        app.failures += 1
        if app.failures >= FAILURES:
            app.failures, app.locked_until = 0, now + LOCK
            audit.record(user, "account.two_factor_locked", user)
        app.save(update_fields=["failures", "locked_until"])
        raise CodeInvalid(field="code")
    app.last_step, app.failures, app.locked_until = step, 0, None
    app.save(update_fields=["last_step", "failures", "locked_until"])
    return app


def _matching_step(app: AuthenticatorApp, code: str, now: datetime) -> int | None:
    """The time step whose code this is, newer than the last one used."""
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return None
    key = base64.b32decode(unseal(bytes(app.secret), purpose=PURPOSE))
    current = int(now.timestamp()) // STEP_SECONDS
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        generator = TOTP(key, step=STEP_SECONDS)
        generator.time = step * STEP_SECONDS
        if step > app.last_step and secrets.compare_digest(f"{generator.token():06d}", code):
            return step
    return None
