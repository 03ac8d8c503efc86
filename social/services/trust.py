"""Whose reports count: how moderators judged a person's earlier ones, and what else is known of them."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from social.models import Case, Decision, Report

OLD_ENOUGH = timedelta(days=7)
LATELY = timedelta(days=30)
JUDGED = 50
"""So many of somebody's last judged reports are looked at."""
FEW = 2
"""So many dismissed reports are forgiven before they are weighed against the upheld ones."""


def is_trusted(person: Any, now: datetime) -> bool:
    """
    Whether a report of this person weighs: the account is older than a week, the identity is verified or an earlier
    report was upheld, earlier ones were not mostly dismissed, and nothing was decided about them lately.
    """
    if now - person.created_at < OLD_ENOUGH:
        return False
    judged = Report.objects.filter(reporter=person).exclude(outcome="").order_by("-pk")
    outcomes = list(judged.values_list("outcome", flat=True)[:JUDGED])
    upheld, dismissed = outcomes.count(Report.Outcome.UPHELD), outcomes.count(Report.Outcome.DISMISSED)
    if dismissed >= FEW and dismissed > upheld:
        return False
    if not (person.kyc_verified or upheld):
        return False
    return not Decision.objects.sanctions_of(person.pk).standing().filter(created_at__gt=now - LATELY).exists()


def trusted_reporters(case: Case) -> int:
    """How many trusted people report a thing. Accounts made on one day count as one, as they may be one person's."""
    trusted = case.reports.filter(is_trusted=True).annotate(joined=TruncDate("reporter__created_at"))
    return trusted.values("joined").distinct().count()


def record_of(person: Any) -> dict[str, int]:
    """How many reports somebody made, and how they were judged."""
    counted = {
        "made": Count("pk"),
        "upheld": Count("pk", filter=Q(outcome=Report.Outcome.UPHELD)),
        "dismissed": Count("pk", filter=Q(outcome=Report.Outcome.DISMISSED)),
    }
    return Report.objects.filter(reporter=person).aggregate(**counted)
