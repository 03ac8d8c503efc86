"""What clients see of the review of identities."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from msgspec import Meta
from msgspec.structs import asdict

from accounts.models import User
from accounts.outputs.people import UserCard
from core.api.outputs import Count, Moment, Output, Url
from kyc.models import (
    NOT_STARTED,
    Badge,
    Document,
    DocumentStatus,
    DocumentType,
    GrantedBadge,
    Kind,
    Risk,
    Source,
    Status,
    Verification,
)
from uploads.services.links import Link

SHOWN_TO_PERSON = frozenset({"resolution", "sharpness"})
Verdict = Literal["passed", "failed"]


class VerificationStatus(StrEnum):
    """The statuses of a case, and that there is none yet."""

    NOT_STARTED = NOT_STARTED
    PENDING_DOCUMENTS = Status.PENDING_DOCUMENTS.value
    IN_REVIEW = Status.IN_REVIEW.value
    AWAITING_SECOND_REVIEW = Status.AWAITING_SECOND_REVIEW.value
    RESUBMIT = Status.RESUBMIT.value
    VERIFIED = Status.VERIFIED.value
    REJECTED = Status.REJECTED.value
    EXPIRED = Status.EXPIRED.value


class RiskLevel(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class DocumentOutput(Output):
    """A paper as its person sees it."""

    id: UUID
    kind: Kind
    status: DocumentStatus
    reason: str
    message: str
    checks: Annotated[dict[str, Verdict], Meta(description="What was measured of the picture.")]
    uploaded_at: Moment

    @classmethod
    def of(cls, paper: Document) -> Self:
        return cls(
            id=paper.pk,
            kind=Kind(paper.kind),
            status=DocumentStatus(paper.status),
            reason=paper.reason,
            message=paper.message,
            checks={name: verdict for name, verdict in paper.checks.items() if name in SHOWN_TO_PERSON},
            uploaded_at=paper.created_at,
        )


class DocumentsOutput(Output):
    documents: list[DocumentOutput]


class ReviewDocumentOutput(DocumentOutput):
    """A paper as reviewers see it."""

    verification_id: UUID
    notes: str
    content_type: str
    reviewed_by: UUID | None
    reviewed_at: Moment | None

    @classmethod
    def of(cls, paper: Document) -> Self:
        shown = {**asdict(DocumentOutput.of(paper)), "checks": paper.checks}
        return cls(
            **shown,
            verification_id=paper.verification_id,
            notes=paper.notes,
            content_type=paper.file.content_type,
            reviewed_by=paper.reviewed_by_id,
            reviewed_at=paper.reviewed_at,
        )


class _Case(Output):
    id: UUID | None
    status: VerificationStatus
    document_type: DocumentType | None
    document_number_last4: str | None
    country: str | None
    required: list[Kind]
    attempts: Count
    message: Annotated[str, Meta(description="The reviewer's words to the person.")]
    created_at: Moment | None
    submitted_at: Moment | None
    decided_at: Moment | None


def _case(case: Verification) -> dict[str, Any]:
    """The members of `_Case`."""
    return {
        "id": case.pk,
        "status": VerificationStatus(case.status),
        "document_type": DocumentType(case.document_type),
        "document_number_last4": case.number_last4,
        "country": case.country or None,
        "required": [Kind(kind) for kind in case.required],
        "attempts": case.attempt,
        "message": case.message,
        "created_at": case.created_at,
        "submitted_at": case.submitted_at,
        "decided_at": case.decided_at,
    }


class VerificationOutput(_Case):
    """A case as its person sees it. Before there is one, the status is `not_started` and the rest is empty."""

    documents: list[DocumentOutput]

    @classmethod
    def of(cls, case: Verification | None) -> Self:
        """:param case: from `selectors` (it brings its `papers`); None before there is one"""
        if case is None:
            return cls(
                id=None,
                status=VerificationStatus.NOT_STARTED,
                document_type=None,
                document_number_last4=None,
                country=None,
                required=[],
                documents=[],
                attempts=0,
                message="",
                created_at=None,
                submitted_at=None,
                decided_at=None,
            )
        members = _case(case)
        if case.status == Status.AWAITING_SECOND_REVIEW:
            # The first reviewer's message is shown with the decision, not with the proposal.
            members["message"] = ""
        papers = case.papers  # type: ignore[attr-defined]
        return cls(**members, documents=[DocumentOutput.of(paper) for paper in papers])


class ReviewOutput(_Case):
    """A case as reviewers see it."""

    user: UserCard
    documents: list[ReviewDocumentOutput]
    risk: RiskLevel
    risk_flags: list[str]
    assignee: UserCard | None
    proposed_by: UserCard | None
    notes: str
    four_eyes: Annotated[bool, Meta(description="Whether verifying needs a second reviewer.")]

    @classmethod
    def of(cls, case: Verification, *, four_eyes: bool) -> Self:
        """:param case: from `selectors`: it brings its people and its `papers`"""
        papers = case.papers  # type: ignore[attr-defined]
        return cls(
            **_case(case),
            user=UserCard.of(case.user),
            documents=[ReviewDocumentOutput.of(paper) for paper in papers],
            risk=RiskLevel[Risk(case.risk).name],
            risk_flags=case.risk_flags,
            assignee=_card(case.assignee),
            proposed_by=_card(case.proposed_by),
            notes=case.notes,
            four_eyes=four_eyes,
        )


class LinkOutput(Output):
    url: Annotated[Url, Meta(description="Opens for you alone, with your access token, until `expiresAt`.")]
    expires_at: Moment
    content_type: str

    @classmethod
    def of(cls, link: Link, paper: Document) -> Self:
        return cls(url=link.url, expires_at=link.expires_at, content_type=paper.file.content_type)


class BadgesOutput(Output):
    badges: list[Badge]

    @classmethod
    def of(cls, names: list[str]) -> Self:
        return cls(badges=[Badge(name) for name in names])


class GrantedBadgeOutput(Output):
    badge: Badge
    source: Source
    issued_at: Moment
    expires_at: Moment | None

    @classmethod
    def of(cls, granted: GrantedBadge) -> Self:
        return cls(
            badge=Badge(granted.badge),
            source=Source(granted.source),
            issued_at=granted.issued_at,
            expires_at=granted.expires_at,
        )


def _card(user: User | None) -> UserCard | None:
    return UserCard.of(user) if user else None
