"""How long identity papers are kept, and what is left of a case afterwards (SECURITY-GOALS 50)."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings

from accounts.models import Status as AccountStatus
from core.data.transactions import retrying
from core.jobs.runner import each
from kyc.access import lock_case
from kyc.models import CaseEvent, Verification
from uploads.services import delete_file


def destroy_old_papers(*, now: datetime) -> int:
    """
    Destroy papers, numbers and words of cases whose person was erased KYC_KEPT_DAYS ago. Returns how many cases.

    The law counts from the end of the business relationship, which is the erasure of the account. Safe to repeat and to
    run side by side.
    """
    cutoff = now - timedelta(days=settings.KYC_KEPT_DAYS)
    erased = Verification.objects.filter(user__status=AccountStatus.DELETED, user__updated_at__lt=cutoff)
    due = erased.exclude(number_fingerprint=b"").values_list("pk", flat=True)
    return each(due, partial(_destroy, now=now), what="identity case past its retention").done


@retrying
def _destroy(verification_id: UUID, now: datetime) -> bool:
    case = lock_case(verification_id)
    if not case.number_fingerprint:  # another worker was faster
        return False
    blank_case(case, now=now)
    return True


def blank_case(case: Verification, *, now: datetime) -> None:
    """Destroy a case's papers and take out its number and words, in the caller's transaction."""
    for document in case.documents.select_related("file"):
        delete_file(document.file, now=now)
    case.documents.update(notes="", message="")
    CaseEvent.objects.filter(verification=case).exclude(words={}).update(words={})
    case.sealed_number, case.number_fingerprint, case.number_last4 = b"", b"", ""
    case.country, case.date_of_birth, case.notes, case.message = "", None, "", ""
    case.save()
