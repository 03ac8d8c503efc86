"""
Decisions about an account by others: role, suspension, identity, badges. One service for each (SECURITY-GOALS 38).
"""

from datetime import datetime
from uuid import UUID

from accounts.access import lock_person
from accounts.errors import NotSuspended, SuspensionNotYours
from accounts.models import LoginChallenge, Role, Status, User, normalise_email
from accounts.permissions import SUSPEND, SUSPEND_STAFF
from accounts.services import sessions
from core import events
from core.data.locks import lock
from core.data.transactions import retrying


@retrying
def grant_role(*, email: str, role: str, now: datetime) -> User:
    """
    Give an existing account a role; sessions end, so the new rights hold from the next login on.

    :raises User.DoesNotExist: no such account
    :raises ValueError: no such role
    """
    if role not in Role.values:
        raise ValueError(f"{role} is not a role; roles are {', '.join(Role.values)}")
    user = lock(User.objects).get(email=normalise_email(email))
    if user.role != role:
        before, user.role = user.role, role
        user.save(update_fields=["role", "updated_at"])
        sessions.close_sessions(user=user, because="role_changed", now=now)
        events.record("account.role_granted", user, actor=None, now=now, before=before, after=role)
    return user


@retrying
def suspend(*, user_id: UUID, reason: str, by: User | None, now: datetime) -> User:
    """
    Suspend a person: their sessions end, their sockets close, and nobody signs in to the account. Suspending twice
    keeps the newer reason. Staff suspend people; only an admin suspends staff, and nobody themselves.

    :param reason: for staff, at most 300 characters
    :param by: None for an operator at the console
    :raises SuspensionNotYours: `by` may not decide this
    """
    user = lock_person(user_id)
    _check_suspender(user, by)
    if user.status == Status.DELETED:
        raise SuspensionNotYours()
    user.status, user.suspended_because = Status.SUSPENDED, reason[:300]
    user.save(update_fields=["status", "suspended_because", "updated_at"])
    LoginChallenge.objects.filter(user=user).delete()
    sessions.close_sessions(user=user, because="suspended", now=now)
    events.record("account.suspended", user, actor=by, now=now, reason=reason[:300])
    return user


@retrying
def reinstate(*, user_id: UUID, by: User | None, now: datetime) -> User:
    """
    Let a suspended person sign in again.

    :raises NotSuspended: they are not suspended
    :raises SuspensionNotYours: `by` may not decide this
    """
    user = lock_person(user_id)
    _check_suspender(user, by)
    if user.status != Status.SUSPENDED:
        raise NotSuspended()
    user.status, user.suspended_because = Status.ACTIVE, ""
    user.save(update_fields=["status", "suspended_because", "updated_at"])
    events.record("account.reinstated", user, actor=by, now=now)
    return user


def _check_suspender(user: User, by: User | None) -> None:
    if by is None:
        return
    right = SUSPEND_STAFF if user.is_staff else SUSPEND
    if by.pk == user.pk or not right.held_by(by):
        raise SuspensionNotYours()


@retrying
def set_identity_verified(*, user_id: UUID, verified_at: datetime | None) -> User:
    """Identity review calls this when an identity is verified (`verified_at`, UTC) or no longer is (None)."""
    user = lock(User.objects).get(pk=user_id)
    user.identity_verified_at = verified_at
    user.save(update_fields=["identity_verified_at", "updated_at"])
    return user


@retrying
def set_badges(*, user_id: UUID, badges: list[str]) -> None:
    """The badges shown beside a person's name, as the identity review keeps them."""
    User.objects.filter(pk=user_id).update(badges=sorted(set(badges)))
