"""The login history: for the person to check, for a word about a new device, for limits to know a familiar one."""

import ipaddress
from datetime import datetime, timedelta

from accounts.models import LoginAttempt, User
from core import context
from core.devices import recognise
from notifications.services.notices import notify

KEPT = timedelta(days=180)
NETWORK_BITS = {4: 16, 6: 32}
"""How much of an address makes its network: about one provider in one region, so that a phone stays familiar."""


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


def is_familiar(*, email: str, device: str, address: str | None) -> bool:
    """Whether this account was entered from such a device before."""
    entered = LoginAttempt.objects.filter(user__email=email, success=True)
    return entered.filter(fingerprint=fingerprint(device, address)).exists()


def note_sign_in(*, user: User, device: str, method: str, now: datetime) -> None:
    """Keep a sign-in, in the caller's transaction. A device never seen before is announced, the very first is not."""
    address = context.client_address.get()
    print_ = fingerprint(device, address)
    entered = LoginAttempt.objects.filter(user=user, success=True)
    is_new = not entered.filter(fingerprint=print_).exists() and entered.exists()
    _keep(user, device, print_, method, now)
    if is_new:
        notify(user_id=user.pk, kind="new_device", now=now, device=device)


def note_failure(*, user: User | None, device: str, method: str, reason: str, now: datetime) -> None:
    """Keep a failure to sign in as `user`; nothing for an account that does not exist."""
    if user is not None:
        _keep(user, device, fingerprint(device, context.client_address.get()), method, now, reason)


def _keep(user: User, device: str, print_: str, method: str, now: datetime, reason: str = "") -> None:
    LoginAttempt.objects.create(
        user=user,
        address=context.client_address.get(),
        device=device[:200],
        fingerprint=print_,
        method=method,
        success=not reason,
        reason=reason,
        created_at=now,
    )
