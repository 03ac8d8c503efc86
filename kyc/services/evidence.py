"""For the person: start a case, send papers."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from core.api.limits import Limit
from core.data.transactions import retrying
from kyc.access import latest_case, lock_case, lock_person
from kyc.errors import AlreadyVerified, InvalidDateOfBirth, KindsDoNotMatch, NoOpenVerification, VerificationOpen
from kyc.models import OPEN, Document, DocumentStatus, Status, Verification
from kyc.services import identity
from kyc.services.checks import checks_of
from kyc.services.history import record
from kyc.services.numbers import keep_number, normalise
from kyc.services.risk import PAPER, assess
from uploads.services import keep_files, store_document

STARTS = Limit("kyc:start", 5, timedelta(days=1))
"""SECURITY-GOALS 45."""
SENDS = Limit("kyc:documents", 30, timedelta(hours=1))
OLDEST = 120
"""Years. A date of birth before this is a typing error."""
ABANDONED_AFTER = timedelta(days=30)
"""How long a case waits for its papers."""

_TAKES_PAPERS = (*OPEN, Status.VERIFIED)


def start_verification(
    *,
    person: User,
    document_type: str,
    document_number: str,
    country: str = "",
    date_of_birth: date | None = None,
    now: datetime,
) -> Verification:
    """
    Open a case. One open case at a time; a proven person needs none.

    :raises InvalidDocumentNumber, InvalidDateOfBirth: as named
    :raises VerificationOpen, AlreadyVerified:
    """
    number = normalise(document_number)
    if date_of_birth and not now.date().replace(year=now.year - OLDEST, day=1) < date_of_birth < now.date():
        raise InvalidDateOfBirth(field="dateOfBirth")
    case = Verification(
        user=person, document_type=document_type, country=country, date_of_birth=date_of_birth, created_at=now
    )
    keep_number(case, number)
    return _open_case(case, now)


@retrying
def _open_case(case: Verification, now: datetime) -> Verification:
    lock_person(case.user_id)
    before = latest_case(case.user_id)
    if before and before.status == Status.VERIFIED:
        raise AlreadyVerified()
    if before and before.is_open:
        raise VerificationOpen()
    case.attempt = before.attempt + 1 if before else 1
    assess(case, now=now)
    case.save(force_insert=True)
    record("started", case, actor=case.user, now=now, document_type=case.document_type, attempt=case.attempt)
    return case


def add_documents(*, person: User, files: Sequence[Any], kinds: Sequence[str], now: datetime) -> list[Document]:
    """`store_papers`, then `hand_in`."""
    return hand_in(person=person, papers=store_papers(person=person, files=files, kinds=kinds, now=now), now=now)


def store_papers(*, person: User, files: Sequence[Any], kinds: Sequence[str], now: datetime) -> list[Document]:
    """
    Store papers, outside of any transaction. They belong to no case until `hand_in`.

    :raises KindsDoNotMatch: not one kind per file, or a kind twice
    :raises NoOpenVerification: none was started, or it is closed
    :raises uploads.errors: a file that is not taken; then none is
    """
    if len(files) != len(kinds) or len(set(kinds)) != len(kinds):
        raise KindsDoNotMatch(field="kinds")
    case = latest_case(person.pk)
    if case is None or case.status not in _TAKES_PAPERS:
        raise NoOpenVerification()
    papers = []
    for place, (file, kind) in enumerate(zip(files, kinds, strict=True)):
        stored = store_document(file, owner_id=person.pk, purpose=PAPER, now=now, field=f"documents.{place}")
        checks = checks_of(stored, file)
        papers.append(Document(verification=case, kind=kind, file=stored, checks=checks, created_at=now))
    return papers


@retrying
def hand_in(*, person: User, papers: list[Document], now: datetime) -> list[Document]:
    """
    Add stored papers to the person's case, each in place of an earlier one of its kind. A case that has all it needs
    goes to the reviewers; one that was approved goes back to them, and the person is no longer proven (SECURITY-GOALS
    49).

    :raises NoOpenVerification: it was closed meanwhile
    """
    case = lock_case(papers[0].verification_id)
    if case.status not in _TAKES_PAPERS:
        raise NoOpenVerification()
    keep_files([paper.file for paper in papers])
    for paper in papers:
        replaced = Document.objects.current().filter(verification=case, kind=paper.kind).update(replaced_at=now)
        paper.save(force_insert=True)
        record("paper_sent", case, actor=person, now=now, document=paper, replaces=bool(replaced))
    case.revision += 1
    _move_on(case, now)
    assess(case, now=now)
    case.save()
    return papers


def _move_on(case: Verification, now: datetime) -> None:
    """Where a case goes when papers arrive. A proposal stays, and confirming it is refused (`EvidenceChanged`)."""
    usable = Document.objects.current().filter(verification=case).exclude(status=DocumentStatus.REJECTED)
    if case.status == Status.VERIFIED:
        case.risk_flags = [*case.risk_flags, "lost_approval"]
        identity.withdraw_identity(case, now=now)
    elif not set(case.required) <= set(usable.values_list("kind", flat=True)):
        return
    if case.status not in (Status.IN_REVIEW, Status.AWAITING_SECOND_REVIEW):
        case.submitted_at, case.assignee = now, None
        record("submitted", case, actor=None, now=now)
    case.status = Status.IN_REVIEW


def abandoned_cases(now: datetime) -> QuerySet[Verification, UUID]:
    """Ids of cases that may have waited for papers for 30 days."""
    waiting = Verification.objects.filter(status__in=(Status.PENDING_DOCUMENTS, Status.RESUBMIT))
    old = waiting.filter(created_at__lte=now - ABANDONED_AFTER)
    return old.order_by("created_at", "id").values_list("pk", flat=True)


@retrying
def expire_case(verification_id: UUID, *, now: datetime) -> bool:
    """Close a case that has waited for papers for 30 days. Returns whether it has."""
    case = lock_case(verification_id)
    since = max(filter(None, (case.created_at, case.decided_at, case.submitted_at)))
    if case.status not in (Status.PENDING_DOCUMENTS, Status.RESUBMIT) or since > now - ABANDONED_AFTER:
        return False
    case.status = Status.EXPIRED
    case.save(update_fields=["status"])
    record("expired", case, actor=None, now=now)
    return True
