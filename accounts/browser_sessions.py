"""
The admin's cookie session and the device behind it.

Signing in to the admin opens a `Session` as on any device: it is listed among the person's devices, and whatever ends
that one (logging out everywhere, a new password, a role, a suspension) ends the cookie's at the next click. It stays
alive by being used, as the cookie does; a page that renews itself while nobody uses it does not count.
"""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import Session, User
from accounts.services import sessions
from core import clock
from core.api.errors import NotFound
from core.devices import is_unattended, sent_by

DEVICE = "device_session"
PROVEN = "second_factor_proven"
"""Keys of the cookie session: the device's session, and the person whose second factor was proven in it."""
_SEEN_EVERY = timedelta(minutes=1)


@receiver(user_logged_in)
def begin(request: HttpRequest, user: User, **_: Any) -> None:
    now = clock.now()
    proven = request.session.get(PROVEN) == str(user.pk)
    device = sent_by(request.headers)
    opened = sessions.open_session(user=user, device=device, method="admin", now=now, second_factor=proven).session
    Session.objects.filter(pk=opened.pk).update(expires_at=_end(now))
    request.session[DEVICE] = str(opened.pk)


@receiver(user_logged_out)
def end(request: HttpRequest, user: User | None, **_: Any) -> None:
    named = request.session.get(DEVICE)
    if user is None or not named:
        return
    try:
        sessions.close_session(user=user, session_id=UUID(named), because="logout", now=clock.now())
    except NotFound:
        pass  # it has ended already


def is_live(request: HttpRequest, now: datetime) -> bool:
    """Whether the device behind this request's cookie is still signed in; asked once per request."""
    known: bool | None = getattr(request, "_device_is_live", None)
    if known is None:
        known = request._device_is_live = _is_live(request, now)  # type: ignore[attr-defined]
    return known


def _is_live(request: HttpRequest, now: datetime) -> bool:
    named, user = request.session.get(DEVICE), cast(User, request.user)
    session = Session.objects.live_at(now).filter(pk=named, user=user).first() if named else None
    if session is None:
        return False
    if now - session.last_seen_at > _SEEN_EVERY and not is_unattended(request.headers):
        Session.objects.live_at(now).filter(pk=session.pk).update(last_seen_at=now, expires_at=_end(now))
    return True


def _end(now: datetime) -> datetime:
    """Slightly longer than the cookie's own, since uses within a minute are not recorded."""
    return now + timedelta(seconds=settings.SESSION_COOKIE_AGE) + _SEEN_EVERY
