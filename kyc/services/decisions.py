"""
For reviewers: take a case, verify or reject its papers, decide. Verifying needs two people (settings.KYC_FOUR_EYES).
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings

from accounts.models import User
from core.api.errors import NotFound
from core.data.transactions import retrying
from kyc import access
from kyc.errors import (
    CaseClosed,
    DecisionNotPossible,
    DocumentReplaced,
    DocumentsNotVerified,
    EvidenceChanged,
    OwnCase,
    SecondReviewerRequired,
)
from kyc.models import DECISIONS, Document, DocumentStatus, Status, Verification
from kyc.services import identity
from kyc.services.history import record
from kyc.services.risk import assess


@retrying
def take_case(*, reviewer: User, verification_id: UUID, now: datetime) -> Verification:
    """
    Make the case this reviewer's: who sees its papers is who it is assigned to. Taking one's own again does nothing.

    :raises OwnCase: it is about the reviewer
    """
    case = access.lock_case(verification_id)
    _not_oneself(reviewer, case)
    if case.assignee_id != reviewer.pk:
        record("taken", case, actor=reviewer, now=now, taken_from=case.assignee_id)
        case.assignee = reviewer
        assess(case, now=now)
        case.save(update_fields=["assignee", "risk", "risk_flags"])
    return case


@retrying
def release_case(*, reviewer: User, verification_id: UUID, now: datetime) -> Verification:
    """Put the case back for others. One that is somebody else's is left alone."""
    case = access.lock_case(verification_id)
    if case.assignee_id == reviewer.pk:
        case.assignee = None
        case.save(update_fields=["assignee"])
        record("released", case, actor=reviewer, now=now)
    return case


@retrying
def judge_document(
    *,
    reviewer: User,
    document_id: UUID,
    status: str,
    reason: str = "",
    notes: str = "",
    message: str = "",
    now: datetime,
) -> Document:
    """
    Verify or reject one paper of an open case.

    :param reason: a label, such as `blurred`
    :param message: to the person; shown with the decision on the case
    :raises OwnCase: it is the reviewer's own
    :raises CaseClosed, DocumentReplaced: too late
    """
    found = Document.objects.filter(pk=document_id).values_list("verification_id", flat=True).first()
    if found is None:
        raise NotFound()
    case = access.lock_case(found)
    document = Document.objects.select_related("file").get(pk=document_id)
    document.verification = case
    _not_oneself(reviewer, case)
    if not case.is_open:
        raise CaseClosed()
    if document.replaced_at:
        raise DocumentReplaced()
    if document.status != status:
        case.revision += 1
        case.save(update_fields=["revision"])
    document.status, document.reason, document.notes, document.message = status, reason, notes, message
    document.reviewed_by, document.reviewed_at = reviewer, now
    document.save(update_fields=["status", "reason", "notes", "message", "reviewed_by", "reviewed_at"])
    words = {"reason": reason, "notes": notes, "message": message}
    record(f"paper_{status}", case, actor=reviewer, now=now, document=document, words=words)
    return document


def decide(
    *, reviewer: User, verification_id: UUID, status: str, notes: str = "", message: str = "", now: datetime
) -> Verification:
    """
    Make a case *verified*, *rejected* or *resubmit*.

    *verified* under four eyes: the first reviewer proposes, a second one confirms the same evidence. When it changed
    in between, the proposal is dropped and the next one to verify proposes anew.

    :raises OwnCase: it is about the reviewer
    :raises DecisionNotPossible: not from its present status
    :raises DocumentsNotVerified: *verified*, and a paper is missing or not verified
    :raises SecondReviewerRequired: confirming one's own proposal
    :raises EvidenceChanged: as said
    """
    case, refusal = _decide(reviewer, verification_id, status, notes, message, now)
    if refusal:
        raise refusal  # only now: dropping the proposal must be committed
    return case


@retrying
def _decide(
    reviewer: User, verification_id: UUID, status: str, notes: str, message: str, now: datetime
) -> tuple[Verification, EvidenceChanged | None]:
    case = access.lock_case(verification_id)
    _not_oneself(reviewer, case)
    if status not in DECISIONS[case.status]:
        raise DecisionNotPossible(status=case.status, wanted=status)
    words = {"notes": notes, "message": message}
    if status == Status.VERIFIED:
        if case.proposed_by_id and case.proposed_revision != case.revision:
            return _drop_proposal(case, reviewer, now), EvidenceChanged()
        if case.proposed_by_id == reviewer.pk:
            raise SecondReviewerRequired()
        _check_documents(case)
        if settings.KYC_FOUR_EYES and case.proposed_by_id is None:
            return _propose(case, reviewer, words, now), None
    if case.status == Status.VERIFIED:
        identity.withdraw_identity(case, now=now)
    case.status, case.decided_by, case.decided_at = status, reviewer, now
    case.notes, case.message = notes, message
    case.proposed_by = case.proposed_at = case.proposed_revision = case.assignee = None
    if status == Status.RESUBMIT:
        _check_it_is_the_newest(case)
    case.save()
    if status == Status.VERIFIED:
        identity.prove_identity(case, now=now)
    record(
        f"case_{status}",
        case,
        actor=reviewer,
        now=now,
        words=words,
        revision=case.revision,
        message=message or None,
    )
    return case, None


def _propose(case: Verification, reviewer: User, words: dict[str, str], now: datetime) -> Verification:
    case.status = Status.AWAITING_SECOND_REVIEW
    case.proposed_by, case.proposed_at, case.proposed_revision = reviewer, now, case.revision
    case.notes, case.message, case.assignee = words["notes"], words["message"], None
    case.save()
    record("proposed", case, actor=reviewer, now=now, words=words, revision=case.revision)
    return case


def _drop_proposal(case: Verification, reviewer: User, now: datetime) -> Verification:
    record("proposal_dropped", case, actor=reviewer, now=now, proposed=case.proposed_revision, now_at=case.revision)
    case.status = Status.IN_REVIEW
    case.proposed_by = case.proposed_at = case.proposed_revision = None
    case.save()
    return case


def _check_documents(case: Verification) -> None:
    status_of = dict(Document.objects.current().filter(verification=case).values_list("kind", "status"))
    missing = [
        kind for kind in {**dict.fromkeys(case.required), **status_of} if status_of.get(kind) != DocumentStatus.VERIFIED
    ]
    if missing:
        raise DocumentsNotVerified(kinds=", ".join(missing))


def _check_it_is_the_newest(case: Verification) -> None:
    if Verification.objects.filter(user_id=case.user_id, attempt__gt=case.attempt).exists():
        raise DecisionNotPossible(status="followed by a newer one", wanted=case.status)


def _not_oneself(reviewer: User, case: Verification) -> None:
    if reviewer.pk == case.user_id:
        raise OwnCase()
