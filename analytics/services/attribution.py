"""Where investors came from: the first and the last source of the visits before they invested."""

from datetime import datetime, timedelta
from uuid import UUID

from analytics.limits import LATEST
from analytics.models import Attribution, Visit
from core.data.transactions import atomic
from investments.models import Investment

WINDOW = timedelta(days=30)
"""How long before an investment a visit counts."""
SETTLING = LATEST + timedelta(hours=1)
"""How long after it late events may still change what is known."""


def due(now: datetime) -> list[UUID]:
    """Investments of the last days, and older ones that were never looked at."""
    recent = Investment.objects.filter(created_at__gte=now - SETTLING).values_list("pk", flat=True)
    known = Attribution.objects.values("investment_id")
    missed = Investment.objects.filter(created_at__lt=now - SETTLING).exclude(pk__in=known).values_list("pk", flat=True)
    return [*missed.order_by("pk")[:500], *recent.order_by("pk")]


def attribute(investment_id: UUID, *, now: datetime) -> None:
    """Note the sources of an investment; without any, it is kept as coming from nowhere that is known."""
    investment = Investment.objects.get(pk=investment_id)
    placed = investment.created_at
    visits = Visit.objects.filter(
        user_id=investment.investor_id, started_at__gt=placed - WINDOW, started_at__lte=placed
    ).exclude(last_source="")
    first = visits.order_by("started_at").first() or Visit()
    last = visits.order_by("-started_at").first() or Visit()
    with atomic():
        Attribution.objects.update_or_create(
            investment_id=investment.pk,
            defaults={
                "campaign_id": investment.campaign_id,
                "placed_at": placed,
                "first_source": first.first_source,
                "first_medium": first.first_medium,
                "last_source": last.last_source,
                "last_medium": last.last_medium,
                "label": last.label,
            },
        )
