"""
Decisions about an account by others: role, suspension, identity, badges. One service for each (SECURITY-GOALS 38).
"""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

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
def suspend(*, user_id: UUID, reason: str, by: User | None, now: datetime, until: datetime | None = None) -> User:
    """
    Suspend a person: their sessions end, their sockets close, and nobody signs in to the account. Suspending twice
    keeps the newer reason and the later end. Staff suspend people; only an admin suspends staff, and nobody themselves.

    :param reason: for staff, at most 300 characters
    :param by: None for an operator at the console
    :param until: when it ends by itself; None: when somebody reinstates them
    :raises SuspensionNotYours: `by` may not decide this
    """
    user = lock_person(user_id)
    check_suspender(user, by)
    if user.status == Status.DELETED:
        raise SuspensionNotYours()
    if user.status == Status.SUSPENDED and until is not None:
        until = user.suspended_until and max(user.suspended_until, until)
    user.status, user.suspended_because, user.suspended_until = Status.SUSPENDED, reason[:300], until
    user.save(update_fields=["status", "suspended_because", "suspended_until", "updated_at"])
    LoginChallenge.objects.filter(user=user).delete()
    sessions.close_sessions(user=user, because="suspended", now=now)
    events.record("account.suspended", user, actor=by, now=now, reason=reason[:300], until=until)
    return user


def shorten_suspension(*, user: User, until: datetime | None, by: User | None, now: datetime) -> None:
    """
    A suspension that ends by itself ends at another moment, in the caller's transaction: one of several decisions was
    undone. One without an end is left alone: it was no moderator's decision about something.

    :param user: locked
    :param until: None or a moment that has passed: now
    """
    if user.status != Status.SUSPENDED or user.suspended_until is None:
        return
    if until is not None and until > now:
        user.suspended_until = until
        user.save(update_fields=["suspended_until", "updated_at"])
    else:
        _end_suspension(user, by, now)


def end_suspension_if_over(user: User, now: datetime) -> None:
    """Whoever signs in is suspended no more, if the suspension had an end and that has passed. `user` is locked."""
    if user.status == Status.SUSPENDED and user.suspended_until is not None and user.suspended_until <= now:
        _end_suspension(user, None, now)


def ended_suspensions(now: datetime) -> QuerySet[User, UUID]:
    """Ids of those who are suspended no more, and have not signed in since."""
    ended = User.objects.filter(status=Status.SUSPENDED, suspended_until__lte=now)
    return ended.order_by("suspended_until", "id").values_list("pk", flat=True)


@retrying
def reinstate_when_over(user_id: UUID, *, now: datetime) -> bool:
    """What the person published is shown again though they have not come back. Safe to repeat."""
    user = lock_person(user_id)
    end_suspension_if_over(user, now)
    return user.status == Status.ACTIVE


def set_frozen(*, user: User, until: datetime | None) -> None:
    """
    Until when the person publishes nothing, in the caller's transaction.

    :param user: locked
    """
    user.frozen_until = until
    user.save(update_fields=["frozen_until", "updated_at"])


@retrying
def reinstate(*, user_id: UUID, by: User | None, now: datetime) -> User:
    """
    Let a suspended person sign in again.

    :raises NotSuspended: they are not suspended
    :raises SuspensionNotYours: `by` may not decide this
    """
    user = lock_person(user_id)
    check_suspender(user, by)
    if user.status != Status.SUSPENDED:
        raise NotSuspended()
    _end_suspension(user, by, now)
    return user


def _end_suspension(user: User, by: User | None, now: datetime) -> None:
    user.status, user.suspended_because, user.suspended_until = Status.ACTIVE, "", None
    user.save(update_fields=["status", "suspended_because", "suspended_until", "updated_at"])
    events.record("account.reinstated", user, actor=by, now=now)


def check_suspender(user: User, by: User | None) -> None:
    """:raises SuspensionNotYours: oneself, or staff while `by` is no admin; None, an operator, may"""
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
