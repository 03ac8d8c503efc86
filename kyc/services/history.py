"""What happened to a case: one row for the case's own history, one for the platform's audit log, in the same commit."""

from datetime import datetime
from typing import Any

from accounts.models import User
from core import context
from core.events import audit
from kyc.models import CaseEvent, Document, Verification


def record(
    actor: User | None,
    action: str,
    case: Verification,
    *,
    now: datetime,
    document: Document | None = None,
    words: dict[str, str] | None = None,
    **facts: Any,
) -> CaseEvent:
    """
    :param action: past tense: `opened`, `paper_viewed`, `proposed`
    :param words: what people wrote; kept with the case only, never in the audit log
    :param facts: small JSON facts
    """
    audit.record(
        actor, f"kyc.{action}", case, person=str(case.user_id), **({"kind": document.kind} if document else {}), **facts
    )
    return CaseEvent.objects.create(
        verification=case,
        document=document,
        action=action,
        actor=actor,
        words={name: text for name, text in (words or {}).items() if text},
        facts=facts,
        address=context.client_address.get(),
        request_id=context.request_id.get(),
        created_at=now,
    )
