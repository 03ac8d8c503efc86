"""/api/kyc: parse, one call, answer."""

from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework.response import Response

from accounts.permissions import EmailVerified
from accounts.relations import is_hidden_between
from core import clock
from core.api import limits
from core.api.errors import NotFound, ZoneRequired
from core.api.idempotency import prepared
from core.api.operations import operation
from core.api.outputs import Page
from core.api.pages import paginate
from core.api.permissions import HasRight, SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from kyc import errors, selectors
from kyc.access import case_id_of
from kyc.inputs import (
    BadgeInput,
    DecideInput,
    DocumentsInput,
    InitiateInput,
    JudgeInput,
    PersonQuery,
    QueueQuery,
    WhyQuery,
)
from kyc.models import Badge, Document
from kyc.outputs import (
    BadgesOutput,
    DocumentOutput,
    DocumentsOutput,
    GrantedBadgeOutput,
    LinkOutput,
    ReviewDocumentOutput,
    ReviewOutput,
    VerificationOutput,
)
from kyc.permissions import AWARD_BADGES, REVIEW
from kyc.services import badges, decisions, evidence, papers
from uploads.errors import BAD_FILE

IsReviewer = HasRight(REVIEW)


class Cases(ApiViewSet):
    permission_classes = [EmailVerified]
    action_permissions = {"status": [SignedIn], "pending": [IsReviewer], "decide": [IsReviewer]}

    @operation(
        "startVerification",
        InitiateInput,
        returns=VerificationOutput,
        status=201,
        errors=[
            errors.VerificationOpen,
            errors.AlreadyVerified,
            errors.InvalidDocumentNumber,
            errors.InvalidDateOfBirth,
            limits.RateLimited,
        ],
    )
    def initiate(self, request: Request, data: dict[str, Any]) -> Response:
        """Start verifying your identity"""
        limit = limits.hit(evidence.STARTS, request.user.pk)
        case = evidence.start_verification(person=request.user, now=clock.now(), **data)
        return Response(VerificationOutput.of(selectors.case(case.pk)), 201, headers=limit.headers)

    @operation("getVerification", returns=VerificationOutput)
    def status(self, request: Request) -> VerificationOutput:
        """Your verification"""
        return VerificationOutput.of(selectors.own_case(request.user))

    @operation("listPendingVerifications", query=QueueQuery, returns=Page[ReviewOutput])
    def pending(self, request: Request, query: dict[str, Any]) -> Page[ReviewOutput]:
        """Cases that wait for a decision, riskiest and oldest first"""
        waiting = selectors.queue(request.user, **query)
        card = partial(ReviewOutput.of, four_eyes=settings.KYC_FOUR_EYES)
        return paginate(request, waiting, card, order=selectors.QUEUE_ORDER)

    @operation(
        "decideVerification",
        DecideInput,
        returns=ReviewOutput,
        errors=[
            NotFound,
            errors.OwnCase,
            errors.SecondReviewerRequired,
            errors.EvidenceChanged,
            errors.DocumentsNotVerified,
            errors.DecisionNotPossible,
        ],
    )
    def decide(self, request: Request, data: dict[str, Any]) -> ReviewOutput:
        """
        Decide on a case

        Where four eyes are on, the first `verified` proposes and a second reviewer's confirms.
        """
        named = case_id_of(verification_id=data.pop("verification_id", None), user_id=data.pop("user_id", None))
        decisions.decide(reviewer=request.user, verification_id=named, now=clock.now(), **data)
        return ReviewOutput.of(selectors.case(named), four_eyes=settings.KYC_FOUR_EYES)


class Papers(ApiViewSet):
    permission_classes = [EmailVerified]
    action_permissions = {"file": [SignedIn], "judge": [IsReviewer]}

    def _store(self, request: Request) -> tuple[list[Document], limits.LimitState]:
        data = parse(DocumentsInput, request)
        limit = limits.hit(evidence.SENDS, request.user.pk)
        files, kinds = data["documents"], data["kinds"]
        return evidence.store_papers(person=request.user, files=files, kinds=kinds, now=clock.now()), limit

    @operation(
        "uploadVerificationDocuments",
        DocumentsInput,
        returns=DocumentsOutput,
        status=201,
        multipart=True,
        errors=[
            errors.NoOpenVerification,
            errors.KindsDoNotMatch,
            *BAD_FILE,
            limits.RateLimited,
        ],
    )
    @prepared(_store)
    def send(self, request: Request, prepared: tuple[list[Document], limits.LimitState]) -> Response:
        """Send documents"""
        papers, limit = prepared
        added = evidence.hand_in(person=request.user, papers=papers, now=clock.now())
        answer = DocumentsOutput(documents=[DocumentOutput.of(paper) for paper in added])
        return Response(answer, 201, headers=limit.headers)

    @operation("getVerificationDocumentLink", returns=LinkOutput, query=WhyQuery)
    def file(self, request: Request, document_id: UUID, query: dict[str, Any]) -> LinkOutput:
        """A link to a document, for a minute"""
        paper, link = papers.open_paper(viewer=request.user, document_id=document_id, now=clock.now(), **query)
        return LinkOutput.of(link, paper)

    @operation(
        "reviewVerificationDocument",
        JudgeInput,
        returns=ReviewDocumentOutput,
        errors=[errors.OwnCase, errors.CaseClosed, errors.DocumentReplaced],
    )
    def judge(self, request: Request, document_id: UUID, data: dict[str, Any]) -> ReviewDocumentOutput:
        """Verify or reject a document"""
        paper = decisions.judge_document(reviewer=request.user, document_id=document_id, now=clock.now(), **data)
        return ReviewDocumentOutput.of(paper)


class Badges(ApiViewSet):
    permission_classes = [HasRight(AWARD_BADGES)]
    action_permissions = {"list": [SignedIn]}

    @operation("listBadges", query=PersonQuery, returns=Page[GrantedBadgeOutput])
    def list(self, request: Request, query: dict[str, Any]) -> Page[GrantedBadgeOutput]:
        """Badges of a person"""
        user_id = query.get("user_id", request.user.pk)
        held = selectors.badges_of(user_id, now=clock.now())
        if not AWARD_BADGES.held_by(request.user) and is_hidden_between(request.user.pk, user_id):
            held = held.none()  # as of nobody
        return paginate(request, held, GrantedBadgeOutput.of)

    @operation(
        "grantBadge",
        BadgeInput,
        returns=BadgesOutput,
        errors=[errors.BadgeFollowsVerification, errors.OwnCase, ZoneRequired],
    )
    def give(self, request: Request, badge: str, data: dict[str, Any]) -> BadgesOutput:
        """Give a badge"""
        held = badges.give_badge(staff=request.user, badge=_known(badge), now=clock.now(), **data)
        return BadgesOutput.of(held)

    @operation(
        "revokeBadge",
        returns=BadgesOutput,
        query=PersonQuery,
        errors=[errors.BadgeFollowsVerification, errors.OwnCase],
    )
    def take(self, request: Request, badge: str, query: dict[str, Any]) -> BadgesOutput:
        """
        Take a badge back

        `userId` here or in the body.
        """
        named = query or parse(BadgeInput, request)
        held = badges.take_badge(staff=request.user, badge=_known(badge), user_id=named["user_id"], now=clock.now())
        return BadgesOutput.of(held)


def _known(badge: str) -> str:
    if badge not in Badge.values:
        raise NotFound()
    return badge
