"""
How an account ends: the person asks, thirty days pass in which signing in keeps it, then it is erased.

Erased means that nothing identifies the person any more. The row stays without a name, for the ledger, backers and
conversations that point to it.
"""

import logging
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils.formats import date_format

from accounts.models import Status, User
from accounts.services import sessions
from accounts.services.grace import GRACE
from core import events
from core.api.errors import Refusal
from core.data.locks import lock
from core.data.transactions import retrying
from core.privacy.erasure import check_erasable, erase_person

logger = logging.getLogger("vectragrow.accounts")


@retrying
def leave(*, person: User, now: datetime) -> datetime:
    """
    Sign a person out everywhere and erase the account when the grace is over. Returns that moment.

    :raises MoneyInFlight: money of theirs is on its way; other apps may block it with refusals of their own
    """
    user = lock(User.objects).get(pk=person.pk)
    check_erasable(user.pk)
    if user.deletion_due_at is None:
        user.deletion_due_at = now + GRACE
        user.save(update_fields=["deletion_due_at", "updated_at"])
        day = date_format(user.deletion_due_at, "j F Y")
        events.record("account.deletion_requested", user, actor=user, now=now, day=day)
    sessions.close_sessions(user=user, because="deletion", now=now)
    return user.deletion_due_at


def people_to_erase(now: datetime) -> QuerySet[User, UUID]:
    """Ids of those whose grace is over."""
    due = User.objects.filter(deletion_due_at__lte=now, status=Status.ACTIVE)
    return due.order_by("deletion_due_at", "id").values_list("pk", flat=True)


def erase_when_due(user_id: UUID, *, now: datetime) -> bool:
    """
    Erase somebody whose grace is over. Safe to repeat and to run side by side.

    :returns: False while an app blocks the erasure because money is moving again; it is tried again next time
    """
    try:
        return _erase(user_id=user_id, now=now)
    except Refusal as refusal:
        logger.warning("an account cannot be erased yet", extra={"userId": user_id, "because": refusal.code})
        return False


@retrying
def _erase(*, user_id: UUID, now: datetime) -> bool:
    due = User.objects.filter(pk=user_id, deletion_due_at__lte=now, status=Status.ACTIVE)
    user = lock(due, skip_locked=True).first()
    if user is None:  # signed in at the last moment, suspended, or another worker has it
        return False
    check_erasable(user.pk)
    erase_person(person_id=user.pk, now=now)
    events.record("account.erased", user, actor=None, now=now)
    return True
