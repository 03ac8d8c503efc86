"""Shaped reads: a case with all that one answer or one screen shows, in a fixed number of queries."""

from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from accounts.models import User
from kyc.models import Document, GrantedBadge, Verification, VerificationQuerySet

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


def badges_of(user_id: UUID, *, now: datetime) -> QuerySet[GrantedBadge]:
    return GrantedBadge.objects.valid_at(now).filter(user_id=user_id)
