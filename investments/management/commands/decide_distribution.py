"""`manage.py decide_distribution ID approve|reject [--reason TEXT] --by EMAIL`"""

from datetime import datetime
from uuid import UUID

from accounts.decisions import DecisionCommand
from accounts.models import User
from core.api.errors import NotFound
from investments.models import Distribution
from investments.permissions import REVIEW_DISTRIBUTIONS
from investments.services.distribution_review import (
    approve_distribution,
    evidence_of,
    holders_of,
    reject_distribution,
)


class Command(DecisionCommand):
    help = "Decide on a distribution that the owner of a campaign has paid in, as it is now."
    right = REVIEW_DISTRIBUTIONS
    of = "of the distribution"

    def approve(self, staff: User, subject_id: UUID, now: datetime) -> str:
        seen = _evidence(subject_id)
        return f"It is {approve_distribution(staff=staff, distribution_id=subject_id, seen=seen, now=now).status}."

    def reject(self, staff: User, subject_id: UUID, reason: str, now: datetime) -> str:
        seen = _evidence(subject_id)
        rejected = reject_distribution(staff=staff, distribution_id=subject_id, seen=seen, reason=reason, now=now)
        return f"It is {rejected.status}."


def _evidence(distribution_id: UUID) -> str:
    """:raises NotFound:"""
    found = Distribution.objects.select_related("charge").filter(pk=distribution_id).first()
    if found is None:
        raise NotFound()
    return evidence_of(found, found.charge, holders_of(found.campaign_id))
