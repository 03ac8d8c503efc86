"""The login history: for the person to check, for notices about new devices, and for limits on unfamiliar ones."""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache

from django.db.models import Model
from django.utils.formats import date_format

from accounts.models import LoginAttempt, Status, User
from core import context, events
from core.data import sql
from core.devices import device_name, recognise

KEPT = timedelta(days=180)
PASSWORD_RESET = "password_reset"
"""How the history calls a reset: no sign-in, but whoever did it has the account's mail."""
NETWORK_BITS = {4: 16, 6: 32}
"""How much of an address makes its network: about one provider in one region, so that a phone stays familiar."""


@lru_cache(1000)
def fingerprint(device: str, address: str | None) -> str:
    """
    What makes a device familiar: program, system and network, all coarse. Not proof of anything.

    :param device: the `User-Agent` header
    """
    program, system = recognise(device)
    kind = f"{program} {system}" if program or system else device.partition("/")[0][:40]
    if not address:
        return f"{kind}|"
    ip = ipaddress.ip_address(address)
    return f"{kind}|{ipaddress.ip_network((ip, NETWORK_BITS[ip.version]), strict=False)}"


def person_with_familiarity(*, email: str, device: str, address: str | None) -> tuple[User | None, bool]:
    """
    The account of an address, unless it was deleted, and whether it was entered from such a device before or its
    password was reset there.
    """
    found = sql.first(_person_sql(), [fingerprint(device, address), email, Status.DELETED], User)
    return (found[0], found[1]) if found else (None, False)


@cache
def _person_sql() -> str:
    return (
        f"SELECT {sql.columns(User, 'u')}, EXISTS(SELECT FROM {LoginAttempt._meta.db_table} a "
        "WHERE a.user_id = u.id AND a.success AND a.fingerprint = %s) "
        f"FROM {User._meta.db_table} u WHERE u.email = %s AND u.status <> %s"
    )


def note_sign_in(*, user: User, device: str, method: str, now: datetime, beside: Sequence[Model] = ()) -> None:
    """
    Keep a sign-in, in the caller's transaction. A device never seen before is announced, the very first is not.

    :param beside: rows that are written before it, in the same exchange with the database
    """
    attempt = _attempt(user, device, method, now)
    asked = (_entered_sql(), [user.pk, user.pk, attempt.fingerprint])
    has_entered, is_familiar = sql.insert(*beside, attempt, after=[asked]) or (False, False)
    if has_entered and not is_familiar:
        moment = f"{date_format(now, 'j F Y, H:i')} UTC"
        address = attempt.address or ""
        events.record(
            "account.new_device_seen",
            user,
            actor=user,
            now=now,
            device=device_name(device),
            moment=moment,
            address=address,
        )


@cache
def _entered_sql() -> str:
    entered = (
        f"SELECT FROM {LoginAttempt._meta.db_table} WHERE user_id = %s AND success AND method <> '{PASSWORD_RESET}'"
    )
    return f"SELECT EXISTS({entered}), EXISTS({entered} AND fingerprint = %s)"


def note_reset(*, user: User, device: str, now: datetime) -> None:
    """
    Keep a reset of the password, in the caller's transaction; from that device on, guesses of others do not lock the
    owner out.
    """
    sql.insert(_attempt(user, device, PASSWORD_RESET, now))


def note_failure(*, user: User | None, device: str, method: str, reason: str, now: datetime) -> None:
    """Keep a failure to sign in as `user`; nothing for an account that does not exist."""
    if user is not None:
        sql.insert(_attempt(user, device, method, now, reason))


def _attempt(user: User, device: str, method: str, now: datetime, reason: str = "") -> LoginAttempt:
    address = context.client_address.get()
    return LoginAttempt(
        user=user,
        address=address,
        device=device[:200],
        fingerprint=fingerprint(device, address),
        method=method,
        success=not reason,
        reason=reason,
        created_at=now,
    )
