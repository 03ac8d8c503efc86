"""`manage.py decide_amendment ID approve|reject [--reason TEXT] --by EMAIL`"""

from datetime import datetime
from uuid import UUID

from accounts.decisions import DecisionCommand
from accounts.models import User
from campaigns.models import Amendment
from campaigns.permissions import MODERATE
from campaigns.services.amendments import approve_amendment, reject_amendment


class Command(DecisionCommand):
    help = "Decide on the terms that the owner of a live campaign wants to change."
    right = MODERATE
    of = "of the amendment"

    def approve(self, staff: User, subject_id: UUID, now: datetime) -> str:
        return _said(approve_amendment(moderator=staff, amendment_id=subject_id, now=now))

    def reject(self, staff: User, subject_id: UUID, reason: str, now: datetime) -> str:
        return _said(reject_amendment(moderator=staff, amendment_id=subject_id, reason=reason, now=now))


def _said(amendment: Amendment) -> str:
    said = f"The amendment is {amendment.status}."
    if amendment.reconfirm_until:
        said += f"\nInvestors confirm until {amendment.reconfirm_until:%Y-%m-%d %H:%M} UTC."
    return said
