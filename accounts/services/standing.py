"""What other workflows decide about a person: role, proven identity, badges. One door for each (SECURITY-GOALS 38)."""

from datetime import datetime
from uuid import UUID

from accounts.models import Role, User, normalise_email
from accounts.services import sessions
from core import audit
from core.db import retrying


@retrying
def grant_role(*, email: str, role: str, now: datetime) -> User:
    """
    Give an existing account a role; sessions end, so the new rights hold from the next login on.

    :raises User.DoesNotExist: no such account
    :raises ValueError: no such role
    """
    if role not in Role.values:
        raise ValueError(f"{role} is not a role; roles are {', '.join(Role.values)}")
    user = User.objects.select_for_update().get(email=normalise_email(email))
    if user.role != role:
        before, user.role = user.role, role
        user.save(update_fields=["role", "updated_at"])
        sessions.close_sessions(user=user, because="role_changed", now=now)
        audit.record(None, "account.role_granted", user, before=before, after=role)
    return user


@retrying
def set_identity_verified(*, user_id: UUID, verified_at: datetime | None) -> None:
    """Identity review calls this when a person is proven (`verified_at`, UTC) or is no longer (None)."""
    user = User.objects.select_for_update().get(pk=user_id)
    user.identity_verified_at = verified_at
    user.save(update_fields=["identity_verified_at", "updated_at"])


@retrying
def set_badges(*, user_id: UUID, badges: list[str]) -> None:
    """The badges shown beside a person's name, as the identity review keeps them."""
    User.objects.filter(pk=user_id).update(badges=sorted(set(badges)))
