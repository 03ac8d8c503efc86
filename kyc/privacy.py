"""
What this app knows of a person (core.privacy.people).

Papers and full document numbers are not given out in archives (SECURITY-GOALS 47, 48): the person opens a paper through
its link of a minute. When somebody is erased, cases that never proved anything lose paper, number and words at once;
one that did is kept for as long as the law asks, and only its retention ends it (SECURITY-GOALS 50).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from core.privacy import people
from kyc.models import CaseEvent, Document, GrantedBadge, Verification
from uploads.services import delete_file


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


people.tells(Verification, rows=cases_of)
people.tells(CaseEvent, by="verification__user_id", fields=("action", "created_at"))
people.tells(GrantedBadge, fields=("badge", "source", "issued_at", "expires_at", "revoked_at"))
people.keeps_silent(Document, because="told with its case; the person in it is the reviewer")


@people.forgets
def forget(*, person_id: UUID, now: datetime) -> None:
    GrantedBadge.objects.filter(user_id=person_id, revoked_at__isnull=True).update(revoked_at=now)
    proven = CaseEvent.objects.filter(action="case_verified", verification__user_id=person_id).values("verification_id")
    for case in Verification.objects.filter(user_id=person_id).exclude(pk__in=proven):
        for document in case.documents.select_related("file"):
            delete_file(document.file, now=now)
        case.documents.update(notes="", message="")
        CaseEvent.objects.filter(verification=case).exclude(words={}).update(words={})
        case.sealed_number, case.number_fingerprint, case.number_last4 = b"", b"", ""
        case.country, case.date_of_birth, case.notes, case.message = "", None, "", ""
        case.save()
