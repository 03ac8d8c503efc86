"""
Correcting transactions: nothing in the books is edited. One person proposes the reverse of a posting, or lines of its
own; another one approves it, and the books have it (SECURITY-GOALS 3).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from accounts.models import User
from core import events
from core.api.errors import NotFound, Refusal, RoleRequired
from core.data import locks
from core.data.transactions import retrying
from core.money import MAX_MINOR
from investments.errors import (
    CorrectionOpen,
    CorrectionUnbalanced,
    EvidenceChanged,
    NotCorrectable,
    NotWaitingForApproval,
    OwnMoney,
    ProposerDecides,
)
from investments.models import Approval, Correction
from investments.permissions import CORRECT_BOOKS
from investments.services.approvals import digest_of, give_approval
from ledger.models import LedgerAccount, Posting
from ledger.services.postings import Line, post, reverse

Status = Correction.Status
Lines = Sequence[tuple[str, int]]
"""An account's code and minor units, debit positive."""
MOST_LINES = 20


def digest_of_correction(correction: Correction) -> str:
    """What an approval is bound to: what would be booked, why, and what the accounts have now."""
    accounts = LedgerAccount.objects.filter(code__in=[code for code, _ in lines_of(correction)]).order_by("code")
    balances = list(accounts.values_list("code", "posted", "pending_out"))
    return digest_of(
        correction.pk, correction.original_id, correction.lines, correction.reason, correction.status, balances
    )


def lines_of(correction: Correction) -> list[tuple[str, int]]:
    """What would be booked: account's code and minor units, debit positive."""
    if correction.lines:
        return [(str(code), int(minor)) for code, minor in correction.lines]
    entries = correction.original.entries.select_related("account").order_by("account__code")
    return [(entry.account.code, -entry.amount) for entry in entries]


def decision_refusal(correction: Correction, staff: User) -> Refusal | None:
    """Why `staff` may not decide on it now; None: they may."""
    if not CORRECT_BOOKS.held_by(staff):
        return RoleRequired(roles=", ".join(sorted(CORRECT_BOOKS.roles)))
    if staff.pk == correction.proposed_by_id:
        return ProposerDecides()
    if _is_own(lines_of(correction), staff):
        return OwnMoney()
    return None if correction.status == Status.PROPOSED else NotWaitingForApproval(status=correction.status)


def _is_own(lines: Lines, staff: User) -> bool:
    """Whether an account of the person is among them (`returns:user:<id>:USD`)."""
    return any(str(staff.pk) in code.split(":") for code, _ in lines)


@retrying
def propose_correction(*, staff: User, posting_id: UUID, lines: Lines, reason: str, now: datetime) -> Correction:
    """
    :param lines: of two accounts or more, each once, which add up to zero in each currency; empty: the reverse
    :param reason: why, for who approves it
    :raises RoleRequired: :raises OwnMoney: :raises NotFound:
    :raises NotCorrectable: :raises CorrectionUnbalanced: :raises CorrectionOpen:
    """
    if not CORRECT_BOOKS.held_by(staff):
        raise RoleRequired(roles=", ".join(sorted(CORRECT_BOOKS.roles)))
    original = Posting.objects.filter(pk=posting_id).first()
    if original is None:
        raise NotFound()
    is_reversed = Posting.objects.filter(Q(reverses=original) | Q(pk=original.pk, reverses__isnull=False)).exists()
    if original.phase != Posting.Phase.POSTED or (not lines and is_reversed):
        raise NotCorrectable()
    if lines:
        _read_lines(lines)
    if Correction.objects.filter(original=original, status=Status.PROPOSED).exists():
        raise CorrectionOpen()
    correction = Correction(
        original=original,
        lines=[list(line) for line in lines],
        reason=reason,
        proposed_by=staff,
        created_at=now,
    )
    if _is_own(lines_of(correction), staff):
        raise OwnMoney()
    correction.save(force_insert=True)
    events.record("correction.proposed", correction, actor=staff, now=now, original=original.key)
    return correction


@retrying
def approve_correction(*, staff: User, correction_id: UUID, seen: str, now: datetime) -> Correction:
    """
    Book it. The books refuse what would take an account below zero.

    :param seen: the digest of what they were shown
    :raises NotFound: :raises RoleRequired: :raises ProposerDecides: :raises OwnMoney:
    :raises NotWaitingForApproval: :raises EvidenceChanged: :raises NotCorrectable:
    :raises InsufficientFunds: nothing was changed
    """
    correction = _access(staff, correction_id)
    digest = digest_of_correction(correction)
    give_approval(Approval.Subject.CORRECTION, correction.pk, person=staff, seen=seen, digest=digest, now=now)
    original = correction.original
    about = f"correction:{correction.pk}"
    if correction.lines:
        correction.posting = post(
            key=about,
            kind="ledger.corrected",
            lines=_read_lines([(code, minor) for code, minor in correction.lines]),
            reference=original.reference,
            description=f"corrects {original.pk}",
            now=now,
        )
    else:
        if Posting.objects.filter(reverses=original).exists():
            raise NotCorrectable()
        correction.posting = reverse(original, kind="ledger.reversed", description=about, now=now)
    _decide(correction, Status.BOOKED, staff, now)
    events.record("correction.booked", correction, actor=staff, now=now, original=original.key)
    return correction


@retrying
def reject_correction(*, staff: User, correction_id: UUID, seen: str, answer: str, now: datetime) -> Correction:
    """:raises NotFound: :raises RoleRequired: :raises NotWaitingForApproval: :raises EvidenceChanged:"""
    correction = _access(staff, correction_id)
    if seen != digest_of_correction(correction):
        raise EvidenceChanged()
    correction.answer = answer
    _decide(correction, Status.REJECTED, staff, now)
    events.record("correction.rejected", correction, actor=staff, now=now, original=correction.original.key)
    return correction


def _access(staff: User, correction_id: UUID) -> Correction:
    found = locks.lock(Correction.objects.select_related("original")).filter(pk=correction_id)
    correction = found.first()
    if correction is None:
        raise NotFound()
    if refusal := decision_refusal(correction, staff):
        raise refusal
    return correction


def _decide(correction: Correction, status: str, staff: User, now: datetime) -> None:
    correction.status, correction.decided_by, correction.decided_at = status, staff, now
    correction.save(update_fields=["status", "decided_by", "decided_at", "posting", "answer"])


def _read_lines(lines: Lines) -> list[Line]:
    """:raises CorrectionUnbalanced:"""
    codes = [code for code, _ in lines]
    accounts = {account.code: account for account in LedgerAccount.objects.filter(code__in=codes)}
    if not 2 <= len(lines) <= MOST_LINES or len(set(codes)) < len(codes) or set(codes) - set(accounts):
        raise CorrectionUnbalanced()
    sums: Counter[str] = Counter()
    for code, minor in lines:
        if not 0 < abs(minor) <= MAX_MINOR:
            raise CorrectionUnbalanced()
        sums[accounts[code].currency] += minor
    if any(sums.values()):
        raise CorrectionUnbalanced()
    return [Line(accounts[code], minor) for code, minor in lines]
