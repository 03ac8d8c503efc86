"""
Personal data of identity review (core.privacy).

Papers and full document numbers are not given out in archives (SECURITY-GOALS 47, 48): the person opens a paper through
its link of a minute. When somebody is erased, cases that never proved anything lose paper, number and words at once;
one that did is kept for as long as the law asks, and only its retention ends it (SECURITY-GOALS 50).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from core.privacy import Kept, Withheld, declare
from kyc.models import CaseEvent, Document, GrantedBadge, Verification
from kyc.services.retention import blank_case, destroy_old_papers


def cases_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    """As the person sees them: without the reviewers and their private notes."""
    for case in Verification.objects.filter(user_id=person_id).order_by("pk").prefetch_related("documents"):
        yield {
            "id": case.pk,
            "status": case.status,
            "documentType": case.document_type,
            "documentNumberLast4": case.number_last4,
            "country": case.country,
            "dateOfBirth": case.date_of_birth,
            "attempt": case.attempt,
            "message": case.message,
            "createdAt": case.created_at,
            "submittedAt": case.submitted_at,
            "decidedAt": case.decided_at,
            "documents": [
                {
                    "id": document.pk,
                    "kind": document.kind,
                    "status": document.status,
                    "message": document.message,
                    "checks": document.checks,
                    "uploadedAt": document.created_at,
                    "replacedAt": document.replaced_at,
                }
                for document in case.documents.all()
            ],
        }


def revoke_badges(*, person_id: UUID, now: datetime) -> None:
    GrantedBadge.objects.filter(user_id=person_id, revoked_at__isnull=True).update(revoked_at=now)


def blank_unproven_cases(*, person_id: UUID, now: datetime) -> None:
    """Cases that never proved anything lose papers, number and words."""
    proven = CaseEvent.objects.filter(action="case_verified", verification__user_id=person_id).values("verification_id")
    for case in Verification.objects.filter(user_id=person_id).exclude(pk__in=proven):
        blank_case(case, now=now)


declare(Verification, export=cases_of, erase=blank_unproven_cases, retention=destroy_old_papers)
declare(
    Document,
    export=Withheld("exported with its case; the person in it is the reviewer"),
    erase=Kept("its file and words go with its case (Verification)"),
    retention=Kept("its file and words go with its case (Verification)"),
)
declare(
    CaseEvent,
    person="verification__user_id",
    export=("action", "created_at"),
    erase=Kept("the history only grows; its words go with its case (Verification)"),
    retention=Kept("the history only grows"),
)
declare(
    GrantedBadge,
    person="user_id",
    export=("badge", "source", "issued_at", "expires_at", "revoked_at"),
    erase=revoke_badges,
    retention=Kept("says who awarded what and when"),
)
