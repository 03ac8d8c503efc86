"""Shaped reads: a case with all that one answer or one screen shows, in a fixed number of queries."""

from datetime import datetime
from uuid import UUID

from django.db.models import F, Prefetch, Q, QuerySet

from accounts.models import User
from kyc.models import CaseEvent, Document, GrantedBadge, Status, Verification, VerificationQuerySet
from kyc.services.numbers import fingerprints_of

QUEUE_ORDER = ("-risk", "submitted_at", "id")
"""Riskiest first, and among equals whoever has waited longest."""


def cases() -> VerificationQuerySet:
    """Cases with their people and current papers."""
    papers = Document.objects.current().select_related("file").order_by("created_at", "id")
    return Verification.objects.select_related("user", "assignee", "proposed_by", "decided_by").prefetch_related(
        Prefetch("documents", queryset=papers, to_attr="papers")
    )


def own_case(user: User) -> Verification | None:
    """The person's newest case."""
    return cases().filter(user_id=user.pk).order_by("-created_at", "-id").first()


def case(verification_id: UUID) -> Verification:
    return cases().get(pk=verification_id)


def queue(reviewer: User, *, assignee: str = "") -> VerificationQuerySet:
    """
    What waits for a decision that this reviewer may take.

    :param assignee: a person's id, `me`, or `none`; empty for all
    """
    waiting = cases().queued().reviewable_by(reviewer)
    if assignee == "none":
        return waiting.filter(assignee__isnull=True)
    if assignee:
        return waiting.filter(assignee_id=reviewer.pk if assignee == "me" else UUID(assignee))
    return waiting


def next_case(reviewer: User, *, after: UUID) -> Verification | None:
    """What this reviewer should open next: the own ones, then what nobody has; none that waits for somebody else."""
    mine_or_free = Q(assignee=reviewer) | Q(assignee__isnull=True)
    waiting = queue(reviewer).filter(mine_or_free).exclude(pk=after)
    waiting = waiting.exclude(status=Status.AWAITING_SECOND_REVIEW, proposed_by=reviewer)
    return waiting.order_by(F("assignee").asc(nulls_last=True), *QUEUE_ORDER).first()


def same_number(case: Verification) -> list[Verification]:
    """Other people's newest cases with this document number."""
    prints = fingerprints_of(case)
    others = Verification.objects.filter(number_fingerprint__in=prints).exclude(user_id=case.user_id)
    return list(others.select_related("user").order_by("-created_at", "-id")[:10])


def replaced_papers(case: Verification) -> list[Document]:
    return list(case.documents.filter(replaced_at__isnull=False).order_by("-created_at", "-id"))


def earlier_cases(case: Verification) -> list[Verification]:
    """The same person's other cases, newest first."""
    others = Verification.objects.filter(user_id=case.user_id).exclude(pk=case.pk)
    return list(others.order_by("-created_at", "-id"))


def history(case: Verification) -> list[CaseEvent]:
    """Everything that happened to a case, newest first."""
    return list(case.events.select_related("actor", "document").order_by("-created_at", "-id"))


def badges_of(user_id: UUID, *, now: datetime) -> QuerySet[GrantedBadge]:
    return GrantedBadge.objects.valid_at(now).filter(user_id=user_id)
