"""/api/campaigns and /api/profile/campaigns: parse, one call, answer."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts.permissions import EmailVerified, KYCVerified
from campaigns import errors, selectors
from campaigns.access import access_update, amendments_visible_to
from campaigns.callers import ReadsCampaigns
from campaigns.inputs import (
    AmendmentInput,
    CampaignInput,
    CampaignQuery,
    DocumentInput,
    EarlyCloseInput,
    KeyInformationInput,
    KeyInformationQuery,
    UpdateInput,
)
from campaigns.key_information.rendering import as_html, as_pdf
from campaigns.models import Campaign
from campaigns.outputs import (
    AmendmentOutput,
    CampaignCard,
    CampaignOutput,
    CategoryCard,
    DocumentCard,
    KeyInformationOutput,
    UpdateEditOutput,
    UpdateOutput,
)
from campaigns.selectors import SORTS, campaign_page
from campaigns.services import documents, follows, updates
from campaigns.services.amendments import propose_amendment
from campaigns.services.closing import cancel_campaign
from campaigns.services.drafts import Draft, delete_campaign, draft_campaign, edit_campaign, keep_draft
from campaigns.services.early_close import close_early
from campaigns.services.key_information import WRITING, Prepared, prepare_submission, write_key_information
from campaigns.services.review import keep_submitted
from campaigns.services.updates import UpdateDraft
from core import clock
from core.api import limits
from core.api.errors import InvalidAmount, Stale, ZoneRequired
from core.api.etags import if_match
from core.api.idempotency import prepared
from core.api.operations import operation
from core.api.outputs import MAX_LIMIT, Message, Page
from core.api.pages import asked_part, paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from uploads.errors import BAD_FILE

BAD_TERMS = (
    errors.UnknownCategory,
    errors.CapBelowGoal,
    errors.MinimumAboveGoal,
    errors.EndsBeforeStart,
    errors.DeadlinePassed,
    errors.DeadlineTooFar,
    ZoneRequired,
)


def _answer(request: Request, campaign_id: UUID, status: int = 200) -> Response:
    page = campaign_page(request.user, campaign_id, clock.now())
    return Response(page, status, headers={"ETag": page.etag})


class Campaigns(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {
        "list": [ReadsCampaigns],
        "retrieve": [ReadsCampaigns],
        "categories": [ReadsCampaigns],
        "create": [KYCVerified],
        "submit": [KYCVerified],
        "edit": [EmailVerified],
        "remove": [EmailVerified],
        "cancel": [EmailVerified],
        "close_early": [EmailVerified],
        "follow": [EmailVerified],
        "unfollow": [EmailVerified],
    }

    @operation("listCampaigns", query=CampaignQuery, returns=Page[CampaignCard], errors=[limits.RateLimited])
    def list(self, request: Request, query: dict[str, Any]) -> Page[CampaignCard]:
        """
        List campaigns

        Those that went live, and my own. Without a token too where the operator allows it, as the page, the updates and
        the categories.
        """
        now, order = clock.now(), SORTS[query.get("sort", "newest")]
        if query.get("q"):
            found = selectors.campaign_list(request.user, now=now, **query)
            return paginate(request, found, partial(CampaignCard.of, now=now), order=order)
        part = asked_part(request, keys=[name.lstrip("-") for name in order])
        rows = selectors.campaign_rows(request.user, now=now, **query, **part.parameters)
        whole = partial(selectors.campaign_list, request.user, now=now, **query)
        return part.page_of(rows, partial(CampaignCard.of_row, now=now), whole=whole)

    def _draft(self, request: Request) -> Draft:
        return draft_campaign(owner=request.user, now=clock.now(), **parse(CampaignInput, request))

    @operation(
        "createCampaign",
        CampaignInput,
        returns=CampaignOutput,
        status=201,
        etag=True,
        errors=[*BAD_TERMS, *BAD_FILE],
        multipart=True,
    )
    @prepared(_draft)
    def create(self, request: Request, prepared: Draft) -> Response:
        """Create a draft"""
        campaign = keep_draft(owner=request.user, draft=prepared, now=clock.now())
        return _answer(request, campaign.pk, 201)

    @operation("getCampaign", returns=CampaignOutput, etag=True, errors=[limits.RateLimited])
    def retrieve(self, request: Request, campaign_id: UUID) -> Response:
        """Read a campaign"""
        return _answer(request, campaign_id)

    @operation(
        "updateCampaign",
        CampaignInput,
        returns=CampaignOutput,
        errors=[
            *BAD_TERMS,
            *BAD_FILE,
            errors.AmountsNeeded,
            errors.NotTheOwner,
            errors.TermsFrozen,
            errors.RulesFixed,
            Stale,
        ],
        multipart=True,
        partial=True,
        etag=True,
    )
    def edit(self, request: Request, campaign_id: UUID, data: dict[str, Any]) -> Response:
        """
        Change a campaign

        Any of the fields. `media`, when given, replaces the pictures. `If-Match` guards what others changed. While it
        is in review its reviewer sees what changes, and the rules stay as they were submitted.
        """
        campaign = edit_campaign(
            owner=request.user,
            campaign_id=campaign_id,
            expected=if_match(request),
            now=clock.now(),
            **data,
        )
        return _answer(request, campaign.pk)

    @operation(
        "deleteCampaign",
        returns=Message,
        errors=[errors.NotTheOwner, errors.HasInvestments, errors.NotADraft],
    )
    def remove(self, request: Request, campaign_id: UUID) -> Message:
        """Delete a draft"""
        delete_campaign(owner=request.user, campaign_id=campaign_id, now=clock.now())
        return Message(message=_("Campaign deleted successfully"))

    def _sheet(self, request: Request, campaign_id: UUID) -> Prepared | None:
        return prepare_submission(owner=request.user, campaign_id=campaign_id, now=clock.now())

    @operation(
        "submitCampaign",
        returns=CampaignOutput,
        etag=True,
        errors=[
            errors.NotTheOwner,
            errors.NotADraft,
            errors.ReviewedDeadlinePassed,
            errors.CampaignIncomplete,
            errors.IssuerCapExceeded,
            Stale,
        ],
    )
    @prepared(_sheet)
    def submit(self, request: Request, campaign_id: UUID, prepared: Prepared | None) -> Response:
        """Submit a draft for review"""
        keep_submitted(owner=request.user, campaign_id=campaign_id, sheet=prepared, now=clock.now())
        return _answer(request, campaign_id)

    @operation(
        "cancelCampaign",
        returns=CampaignOutput,
        etag=True,
        errors=[errors.NotTheOwner, errors.NotLive],
    )
    def cancel(self, request: Request, campaign_id: UUID) -> Response:
        """Cancel a live campaign"""
        cancel_campaign(owner=request.user, campaign_id=campaign_id, now=clock.now())
        return _answer(request, campaign_id)

    @operation(
        "closeCampaignEarly",
        EarlyCloseInput,
        returns=CampaignOutput,
        etag=True,
        errors=[
            errors.NotTheOwner,
            errors.NotLive,
            errors.EarlyCloseNotProvided,
            errors.EarlyCloseUnderWay,
            errors.GoalNotReached,
            errors.EarlyCloseTooSoon,
            errors.EarlyCloseNotEarlier,
            ZoneRequired,
        ],
    )
    def close_early(self, request: Request, campaign_id: UUID, data: dict[str, Any]) -> Response:
        """
        End a campaign earlier

        Once its goal is reached. Investors and followers are told, and investors may take their commitment back until
        48 hours before the new deadline. If the goal is not reached any more then, the first deadline holds again.
        """
        close_early(owner=request.user, campaign_id=campaign_id, now=clock.now(), **data)
        return _answer(request, campaign_id)

    @operation(
        "followCampaign",
        returns=CampaignOutput,
        etag=True,
        errors=[errors.TooManyFollowedCampaigns, limits.RateLimited],
    )
    def follow(self, request: Request, campaign_id: UUID) -> Response:
        """
        Follow a campaign

        Its announcements appear in my feed, and I am notified of its deadline and of its outcome. Doing it twice
        changes nothing.
        """
        limits.hit(follows.PER_PERSON, request.user.pk)
        follows.follow_campaign(person=request.user, campaign_id=campaign_id, now=clock.now())
        return _answer(request, campaign_id)

    @operation("unfollowCampaign", returns=CampaignOutput, etag=True, errors=[limits.RateLimited])
    def unfollow(self, request: Request, campaign_id: UUID) -> Response:
        """Follow a campaign no more"""
        limits.hit(follows.PER_PERSON, request.user.pk)
        follows.unfollow_campaign(person=request.user, campaign_id=campaign_id, now=clock.now())
        return _answer(request, campaign_id)

    @operation(
        "listCampaignCategories",
        returns=Page[CategoryCard],
        default_limit=MAX_LIMIT,
        errors=[limits.RateLimited],
    )
    def categories(self, request: Request) -> Page[CategoryCard]:
        """List categories"""
        order = ("position", "id")
        return paginate(request, selectors.categories(), CategoryCard.of, order=order, default_limit=MAX_LIMIT)


class Amendments(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {"create": [EmailVerified]}

    @operation("listCampaignAmendments", returns=Page[AmendmentOutput])
    def list(self, request: Request, campaign_id: UUID) -> Page[AmendmentOutput]:
        """
        List the amendments of a campaign

        Those that were approved; its owner and moderators see all.
        """
        return paginate(request, amendments_visible_to(request.user, campaign_id), AmendmentOutput.of)

    @operation(
        "proposeCampaignAmendment",
        AmendmentInput,
        returns=AmendmentOutput,
        status=201,
        errors=[
            ZoneRequired,
            InvalidAmount,
            errors.NotTheOwner,
            errors.NotLive,
            errors.AmendmentUnderReview,
            errors.NothingChanges,
            errors.CapBelowGoal,
            errors.MinimumAboveGoal,
            errors.CapBelowTaken,
            errors.EndTooSoon,
            errors.DeadlineTooFar,
        ],
    )
    def create(self, request: Request, campaign_id: UUID, data: dict[str, Any]) -> AmendmentOutput:
        """
        Ask to change the terms of a live campaign

        After staff have approved it, each investor sees what changed since their own commitment, and confirms within
        five business days or is refunded.
        """
        return AmendmentOutput.of(
            propose_amendment(owner=request.user, campaign_id=campaign_id, now=clock.now(), **data)
        )


class Updates(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {
        "list": [ReadsCampaigns],
        "create": [EmailVerified],
        "edit": [EmailVerified],
        "remove": [EmailVerified],
    }

    @operation("listCampaignUpdates", returns=Page[UpdateOutput], errors=[limits.RateLimited])
    def list(self, request: Request, campaign_id: UUID) -> Page[UpdateOutput]:
        """
        List the updates of a campaign

        Those that I may read, newest first; its owner also reads what is scheduled.
        """
        now = clock.now()
        part = asked_part(request, keys=("publish_at", "id"))
        rows = selectors.update_rows(request.user, campaign_id, now, **part.parameters)
        whole = partial(selectors.readable_updates, request.user, campaign_id, now)
        return part.page_of(rows, partial(UpdateOutput.of_row, now=now), whole=whole)

    def _draft(self, request: Request, campaign_id: UUID) -> UpdateDraft:
        given = parse(UpdateInput, request)
        limits.hit_if_accepted(updates.PER_PERSON, request.user.pk)
        return updates.draft_update(owner=request.user, campaign_id=campaign_id, now=clock.now(), **given)

    @operation(
        "createCampaignUpdate",
        UpdateInput,
        returns=UpdateOutput,
        status=201,
        errors=[
            *BAD_FILE,
            ZoneRequired,
            errors.NotTheOwner,
            errors.NotPublishedYet,
            errors.TooManyUpdates,
            errors.AnnualReportIsPublic,
            errors.PublishAtOutOfRange,
            limits.RateLimited,
        ],
        multipart=True,
    )
    @prepared(_draft)
    def create(self, request: Request, campaign_id: UUID, prepared: UpdateDraft) -> UpdateOutput:
        """
        Publish or schedule an update

        Its backers are notified, and followers too if it is public; of a scheduled one when it becomes visible.
        """
        now = clock.now()
        return UpdateOutput.of(updates.keep_update(prepared, now=now), now)

    @operation(
        "editCampaignUpdate",
        UpdateInput,
        returns=UpdateOutput,
        errors=[
            *BAD_FILE,
            ZoneRequired,
            errors.NotTheOwner,
            errors.UpdateAlreadyPublished,
            errors.AnnualReportIsPublic,
            errors.PublishAtOutOfRange,
        ],
        multipart=True,
        partial=True,
    )
    def edit(self, request: Request, campaign_id: UUID, update_id: UUID, data: dict[str, Any]) -> UpdateOutput:
        """
        Change an update

        Any of the fields; `media`, when given, replaces the pictures. What a published one said before stays readable.
        For a scheduled one a `publishAt` that has passed publishes it at once.
        """
        now = clock.now()
        update = updates.edit_update(owner=request.user, campaign_id=campaign_id, update_id=update_id, now=now, **data)
        return UpdateOutput.of(update, now)

    @operation("deleteCampaignUpdate", returns=Message, errors=[errors.NotTheOwner])
    def remove(self, request: Request, campaign_id: UUID, update_id: UUID) -> Message:
        """Delete an update"""
        updates.delete_update(owner=request.user, campaign_id=campaign_id, update_id=update_id, now=clock.now())
        return Message(message=_("Update deleted"))

    @operation("listCampaignUpdateHistory", returns=Page[UpdateEditOutput])
    def history(self, request: Request, campaign_id: UUID, update_id: UUID) -> Page[UpdateEditOutput]:
        """
        What an update said before it was edited

        Newest first, for whoever sees the update; words that were for investors stay with them.
        """
        update = access_update(request.user, campaign_id, update_id, clock.now())
        edits = selectors.update_edits(request.user, update)
        return paginate(request, edits, UpdateEditOutput.of, order=("-id",))


class KeyInformationSheet(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {"write": [EmailVerified]}

    @operation(
        "getKeyInformation",
        returns=KeyInformationOutput,
        files=["text/html", "application/pdf"],
        query=KeyInformationQuery,
    )
    def retrieve(self, request: Request, campaign_id: UUID, query: dict[str, Any]) -> Response | HttpResponse:
        """
        Read the key investment information sheet

        As JSON, as a page (`format=html`), or as a PDF. What investors accept is the document that was made of it when
        the campaign was submitted.
        """
        written = selectors.key_information(request.user, campaign_id)
        if query.get("format") == "html":
            return HttpResponse(as_html(written.sheet()), content_type="text/html; charset=utf-8")
        if query.get("format") == "pdf":
            name = 'attachment; filename="key-information.pdf"'
            content, _pages = as_pdf(written.sheet(), written.updated_at)
            return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": name})
        return Response(KeyInformationOutput.of(written))

    @operation(
        "updateKeyInformation",
        KeyInformationInput,
        returns=KeyInformationOutput,
        errors=[
            errors.NotTheOwner,
            errors.TermsFrozen,
            errors.UnknownKeyInformationField,
            errors.LettersNotPrintable,
            errors.KeyInformationTooLong,
            limits.RateLimited,
        ],
    )
    def write(self, request: Request, campaign_id: UUID, data: dict[str, Any]) -> KeyInformationOutput:
        """
        Write the key investment information sheet of a draft

        In place of what was there. `missing` in the answer marks the fields that are still needed.
        """
        limits.hit(WRITING, request.user.pk)
        write_key_information(owner=request.user, campaign_id=campaign_id, now=clock.now(), **data)
        return KeyInformationOutput.of(selectors.key_information(request.user, campaign_id))


class Documents(ApiViewSet):
    refuses_card_numbers = True
    permission_classes = [SignedIn]
    action_permissions = {"create": [KYCVerified], "accept": [EmailVerified]}

    @operation("listCampaignDocuments", returns=Page[DocumentCard])
    def list(self, request: Request, campaign_id: UUID) -> Page[DocumentCard]:
        """List what is read and accepted before investing, in all its versions"""
        each = partial(DocumentCard.of, viewer_id=request.user.pk, now=clock.now())
        return paginate(request, selectors.campaign_documents(request.user, campaign_id), each)

    def _store(self, request: Request, campaign_id: UUID) -> dict[str, Any]:
        data = parse(DocumentInput, request)
        stored = documents.store_document_file(owner=request.user, file=data.pop("file"), now=clock.now())
        return {**data, "stored": stored}

    @operation(
        "addCampaignDocument",
        DocumentInput,
        returns=DocumentCard,
        status=201,
        multipart=True,
        errors=[*BAD_FILE, errors.NotTheOwner, errors.TermsFrozen, errors.TooManyDocuments],
    )
    @prepared(_store)
    def create(self, request: Request, campaign_id: UUID, prepared: dict[str, Any]) -> DocumentCard:
        """
        Add a version of a document, before the campaign is live

        Each call makes a new version of its kind, which investors have to accept.
        """
        added = documents.add_document(owner=request.user, campaign_id=campaign_id, now=clock.now(), **prepared)
        return self._card(request, campaign_id, added.pk)

    @operation(
        "acceptCampaignDocument",
        returns=DocumentCard,
        errors=[errors.OwnCampaign, errors.CampaignNotOpen, errors.DocumentSuperseded],
    )
    def accept(self, request: Request, campaign_id: UUID, document_id: UUID) -> DocumentCard:
        """Accept a document, in its newest version"""
        documents.accept_document(
            person=request.user, campaign_id=campaign_id, document_id=document_id, now=clock.now()
        )
        return self._card(request, campaign_id, document_id)

    def _card(self, request: Request, campaign_id: UUID, document_id: UUID) -> DocumentCard:
        document = selectors.campaign_documents(request.user, campaign_id).get(pk=document_id)
        return DocumentCard.of(document, viewer_id=request.user.pk, now=clock.now())


class OwnCampaigns(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listMyCampaigns", returns=Page[CampaignCard])
    def list(self, request: Request) -> Page[CampaignCard]:
        """List own campaigns"""
        part = asked_part(request, keys=("created_at", "id"))
        rows = selectors.own_campaign_rows(request.user, **part.parameters)
        card = partial(CampaignCard.of_row, now=clock.now())
        return part.page_of(rows, card, whole=lambda: Campaign.objects.filter(owner=request.user))
