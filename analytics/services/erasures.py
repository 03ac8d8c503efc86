"""
Removing the raw events of people who are erased.

Those in PostgreSQL go in the transaction of the erasure. The rest follows by a job: ClickHouse is another system, and a
run of another job that had read events before may write something that was made of them after. So the job looks once
more an hour later, when everything that was under way is over.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from analytics.models import ActiveDay, ErasedPerson, Visit
from analytics.stores import store
from analytics.stores.base import StoreBusy, StoreUnavailable
from analytics.stores.postgres import PostgresStore

logger = logging.getLogger(__name__)
AGAIN = timedelta(hours=1)
"""Longer than a job runs and than a statement in ClickHouse may take."""


def begin(*, person_id: UUID, now: datetime) -> None:
    """In the transaction of the erasure: delete what is in PostgreSQL, and note what has to follow."""
    PostgresStore().erase(person_id)
    ErasedPerson.objects.update_or_create(pk=person_id, defaults={"erased_at": now, "looked_at": None})


def due(now: datetime) -> list[UUID]:
    """People whose events are not removed everywhere yet, or not for the second time."""
    waiting = ErasedPerson.objects.filter(Q(looked_at__isnull=True) | Q(erased_at__lte=now - AGAIN))
    return list(waiting.order_by("erased_at", "pk").values_list("pk", flat=True))


def finish(person_id: UUID, *, now: datetime) -> bool:
    """
    Remove the events of a person, and what was made of them, wherever they are.

    :returns: False when that was not possible now
    """
    try:
        store().erase(person_id)
    except StoreBusy:
        return False
    except StoreUnavailable as error:
        logger.error("events of an erased person stay until ClickHouse answers", extra={"reason": str(error)})
        return False
    Visit.objects.filter(user_id=person_id).delete()
    ActiveDay.objects.filter(user_id=person_id).delete()
    erased = ErasedPerson.objects.filter(pk=person_id)
    if not erased.filter(erased_at__lte=now - AGAIN).delete()[0]:
        erased.update(looked_at=now)
    return True
