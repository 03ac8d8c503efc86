"""What clients see of the review of identities."""

from typing import Any

from rest_framework.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    DictField,
    IntegerField,
    ListField,
    UUIDField,
)

from accounts.models import User
from accounts.outputs.people import UserCard
from core.api.openapi import OutputField
from core.api.serializers import Serializer
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

SHOWN_TO_PERSON = frozenset({"resolution", "sharpness"})


class DocumentOutput(Serializer):
    """A paper as its person sees it."""

    id = UUIDField()
    kind = ChoiceField(choices=Kind.choices)
    status = ChoiceField(choices=DocumentStatus.choices)
    reason = CharField()
    message = CharField()
    checks = DictField(child=ChoiceField(choices=["passed", "failed"]))
    uploaded_at = DateTimeField()


class DocumentsOutput(Serializer):
    documents = DocumentOutput(many=True)


class ReviewDocumentOutput(DocumentOutput):
    """A paper as reviewers see it."""

    verification_id = UUIDField()
    notes = CharField()
    content_type = CharField()
    reviewed_by = UUIDField(allow_null=True)
    reviewed_at = DateTimeField(allow_null=True)


class VerificationOutput(Serializer):
    """A case as its person sees it."""

    id = UUIDField(allow_null=True)
    status = ChoiceField(choices=[(NOT_STARTED, "Not started"), *Status.choices])
    document_type = ChoiceField(choices=DocumentType.choices, allow_null=True)
    document_number_last4 = CharField(allow_null=True)
    country = CharField(allow_null=True)
    required = ListField(child=ChoiceField(choices=Kind.choices))  # type: ignore[assignment]  # a field here
    documents = DocumentOutput(many=True)
    attempts = IntegerField()
    message = CharField(help_text="The reviewer's words to the person.")
    created_at = DateTimeField(allow_null=True)
    submitted_at = DateTimeField(allow_null=True)
    decided_at = DateTimeField(allow_null=True)


class ReviewOutput(VerificationOutput):
    """A case as reviewers see it."""

    user = OutputField(UserCard)
    documents = ReviewDocumentOutput(many=True)
    risk = ChoiceField(choices=[level.name.lower() for level in Risk])
    risk_flags = ListField(child=CharField())
    assignee = OutputField(UserCard | None)
    proposed_by = OutputField(UserCard | None)
    notes = CharField()
    four_eyes = BooleanField(help_text="Whether verifying needs a second reviewer.")


class LinkOutput(Serializer):
    url = CharField(help_text="Opens for you alone, with your access token, until `expiresAt`.")
    expires_at = DateTimeField()
    content_type = CharField()


class BadgesOutput(Serializer):
    badges = ListField(child=ChoiceField(choices=Badge.choices))


class GrantedBadgeOutput(Serializer):
    badge = ChoiceField(choices=Badge.choices)
    source = ChoiceField(choices=Source.choices)  # type: ignore[assignment]  # a field here
    issued_at = DateTimeField()
    expires_at = DateTimeField(allow_null=True)


def document_output(paper: Document) -> dict[str, Any]:
    return {
        "id": paper.pk,
        "kind": paper.kind,
        "status": paper.status,
        "reason": paper.reason,
        "message": paper.message,
        "checks": {name: verdict for name, verdict in paper.checks.items() if name in SHOWN_TO_PERSON},
        "uploadedAt": paper.created_at,
    }


def review_document_output(paper: Document) -> dict[str, Any]:
    return {
        **document_output(paper),
        "checks": paper.checks,
        "verificationId": paper.verification_id,
        "notes": paper.notes,
        "contentType": paper.file.content_type,
        "reviewedBy": paper.reviewed_by_id,
        "reviewedAt": paper.reviewed_at,
    }


def verification_output(case: Verification | None) -> dict[str, Any]:
    """:param case: from `selectors` (it brings its `papers`); None before there is one"""
    if case is None:
        return {
            "id": None,
            "status": NOT_STARTED,
            "documentType": None,
            "documentNumberLast4": None,
            "country": None,
            "required": [],
            "documents": [],
            "attempts": 0,
            "message": "",
            "createdAt": None,
            "submittedAt": None,
            "decidedAt": None,
        }
    # What a first reviewer writes is told with the decision, not with the proposal.
    told = case.status != Status.AWAITING_SECOND_REVIEW
    return {
        "id": case.pk,
        "status": case.status,
        "documentType": case.document_type,
        "documentNumberLast4": case.number_last4,
        "country": case.country or None,
        "required": list(case.required),
        "documents": [document_output(paper) for paper in case.papers],  # type: ignore[attr-defined]
        "attempts": case.attempt,
        "message": case.message if told else "",
        "createdAt": case.created_at,
        "submittedAt": case.submitted_at,
        "decidedAt": case.decided_at,
    }


def review_output(case: Verification, *, four_eyes: bool) -> dict[str, Any]:
    return {
        **verification_output(case),
        "message": case.message,
        "user": UserCard.of(case.user),
        "documents": [review_document_output(paper) for paper in case.papers],  # type: ignore[attr-defined]
        "risk": Risk(case.risk).name.lower(),
        "riskFlags": case.risk_flags,
        "assignee": _card(case.assignee),
        "proposedBy": _card(case.proposed_by),
        "notes": case.notes,
        "fourEyes": four_eyes,
    }


def badge_output(granted: GrantedBadge) -> dict[str, Any]:
    return {
        "badge": granted.badge,
        "source": granted.source,
        "issuedAt": granted.issued_at,
        "expiresAt": granted.expires_at,
    }


def _card(user: User | None) -> UserCard | None:
    return UserCard.of(user) if user else None
