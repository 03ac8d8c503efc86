"""What happened to a case: an event, and the words that people wrote about it, in the same commit."""

from datetime import datetime
from typing import Any

from accounts.models import User
from core import events
from core.data import sql
from kyc.models import CaseEvent, Document, Verification


def record(
    action: str,
    case: Verification,
    *,
    actor: User | None,
    now: datetime,
    document: Document | None = None,
    words: dict[str, str] | None = None,
    **facts: Any,
) -> None:
    """
    :param action: past tense, as `kyc.events` declares it without `kyc.`: `paper_viewed`, `proposed`
    :param words: what people wrote; kept with the case only, until its person is erased
    """
    paper = {"document_id": document.pk, "document_kind": document.kind} if document else {}
    rows = events.rows(f"kyc.{action}", case, actor=actor, now=now, user_id=case.user_id, **paper, **facts)
    case_event = CaseEvent(
        id=rows[0].pk,
        verification=case,
        document=document,
        action=action,
        actor=actor,
        words={name: text for name, text in (words or {}).items() if text},
        created_at=now,
    )
    sql.insert(*rows, case_event)
