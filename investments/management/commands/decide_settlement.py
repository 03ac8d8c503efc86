"""`manage.py decide_settlement CAMPAIGN approve|reject [--reason TEXT] --by EMAIL`"""

from datetime import datetime
from uuid import UUID

from accounts.decisions import DecisionCommand
from accounts.models import User
from core.api.errors import NotFound
from investments.models import Settlement
from investments.permissions import APPROVE_SETTLEMENTS
from investments.services.settlements import approve_settlement, read_case, reject_settlement


class Command(DecisionCommand):
    help = (
        "Give one person's word on paying the owner of a funded campaign, as the case is now. Above a sum it takes two "
        "people, neither of them its owner nor one of its investors."
    )
    right = APPROVE_SETTLEMENTS
    of = "of the campaign"

    def approve(self, staff: User, subject_id: UUID, now: datetime) -> str:
        settlement = _settlement(subject_id)
        seen = read_case(settlement).digest
        return f"It is {approve_settlement(staff=staff, settlement_id=settlement.pk, seen=seen, now=now).status}."

    def reject(self, staff: User, subject_id: UUID, reason: str, now: datetime) -> str:
        settlement = _settlement(subject_id)
        seen = read_case(settlement).digest
        rejected = reject_settlement(staff=staff, settlement_id=settlement.pk, seen=seen, reason=reason, now=now)
        return f"It is {rejected.status}."


def _settlement(campaign_id: UUID) -> Settlement:
    """:raises NotFound:"""
    found = Settlement.objects.select_related("owner").filter(campaign=campaign_id).first()
    if found is None:
        raise NotFound()
    return found
