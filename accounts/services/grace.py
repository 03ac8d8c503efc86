"""The days between the request to delete an account and its erasure (`services.leaving`); signing in keeps it."""

from datetime import datetime, timedelta

from accounts.errors import AccountSuspended
from accounts.models import Status, User
from core import events

GRACE = timedelta(days=30)


def cancel_deletion(*, user: User, now: datetime) -> None:
    """
    Keep an account whose deletion was asked for, since its person signed in; in the caller's transaction.

    :raises AccountSuspended: the account was erased or suspended in the meantime
    """
    still_there = User.objects.filter(pk=user.pk, status=Status.ACTIVE)
    if not still_there.update(deletion_due_at=None, updated_at=now):
        raise AccountSuspended()
    user.deletion_due_at = None
    events.record("account.deletion_cancelled", user, actor=user, now=now)
