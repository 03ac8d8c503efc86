"""Staff decide on a risk case: lift what it has caused, keep it, or ban the card (docs/velocity.md)."""

from datetime import datetime
from uuid import UUID

from accounts.models import User
from core import events
from core.api.errors import NotFound, Refusal, RoleRequired
from core.data import locks
from core.data.transactions import retrying
from investments.errors import OwnRiskCase, RiskCaseChanged
from investments.models import RiskCase
from investments.permissions import REVIEW_RISK

Status = RiskCase.Status
DECISIONS = (Status.LIFTED, Status.KEPT, Status.BANNED)


def decision_refusal(case: RiskCase, staff: User) -> Refusal | None:
    """Why `staff` may not decide on it; None: they may."""
    if not REVIEW_RISK.held_by(staff):
        return RoleRequired(roles=", ".join(sorted(REVIEW_RISK.roles)))
    if case.person_id == staff.pk:
        return OwnRiskCase()
    return None


@retrying
def decide_risk_case(
    *, staff: User, case_id: UUID, decision: RiskCase.Status, seen: str, note: str, now: datetime
) -> RiskCase:
    """
    Decide, or decide anew: what was kept or banned may be lifted later.

    :param decision: one of DECISIONS
    :param seen: the status that the page showed
    :param note: for staff
    :raises NotFound: :raises RoleRequired: :raises OwnRiskCase:
    :raises RiskCaseChanged: somebody has decided meanwhile; nothing was changed
    """
    case = locks.lock(RiskCase.objects.select_related("method")).filter(pk=case_id).first()
    if case is None:
        raise NotFound()
    if refusal := decision_refusal(case, staff):
        raise refusal
    if case.status != seen or case.status in (decision, Status.LIFTED):
        raise RiskCaseChanged(status=case.status)
    case.status, case.note, case.decided_by, case.decided_at = decision, note, staff, now
    case.save(update_fields=["status", "note", "decided_by", "decided_at"])
    events.record(
        "risk_case.decided",
        case,
        actor=staff,
        now=now,
        person_id=case.person_id,
        consequence=str(case.consequence),
        decision=str(decision),
        method=str(case.method),
    )
    return case
