"""
The documents of a campaign: terms, key information and agreement, in versions that people accept.

The owner adds versions until the campaign is live; then they are part of the terms, which change only by an amendment.
What moderators have read is bound to the campaign's version, which grows with each document.
"""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from accounts.models import User
from campaigns.access import access_campaign, access_own_campaign
from campaigns.errors import (
    CampaignNotOpen,
    DocumentSuperseded,
    OwnCampaign,
    TermsFrozen,
    TooManyDocuments,
)
from campaigns.models import PUBLIC, Campaign, CampaignDocument, DocumentConsent
from core import events
from core.api.errors import NotFound
from core.data import sql
from core.data.transactions import retrying
from uploads.models import StoredFile
from uploads.services import keep_files, store_pdf

MOST_VERSIONS = 30
"""Of one kind in one campaign."""


def store_document_file(*, owner: User, file: Any, now: datetime, is_ours: bool = False) -> tuple[StoredFile, str]:
    """
    Take a PDF to the store, outside of any transaction.

    :param is_ours: we have made it, so it does not count for the owner's space
    :returns: the file, which is not saved yet, and the SHA-256 of its bytes
    """
    stored = store_pdf(
        file, owner_id=owner.pk, purpose="campaign_document", field="file", is_counted=not is_ours, now=now
    )
    file.seek(0)
    return stored, hashlib.file_digest(file, "sha256").hexdigest()


@retrying
def add_document(
    *, owner: User, campaign_id: UUID, kind: str, title: str, stored: tuple[StoredFile, str], now: datetime
) -> CampaignDocument:
    """
    Add a version of a document to one's own campaign, before it is live.

    :param stored: of `store_document_file`
    :raises TermsFrozen: it went live
    :raises TooManyDocuments: there are as many versions as there may be
    """
    campaign = access_own_campaign(owner, campaign_id)
    if campaign.status in PUBLIC:
        raise TermsFrozen(fields=["documents"])
    return attach_document(campaign, kind=kind, title=title, stored=stored, actor=owner, now=now)


def attach_document(
    campaign: Campaign, *, kind: str, title: str, stored: tuple[StoredFile, str], actor: Any, now: datetime
) -> CampaignDocument:
    """
    Add a version to a locked campaign, in the caller's transaction.

    :raises TooManyDocuments: there are as many versions as there may be
    """
    file, sha256 = stored
    versions = CampaignDocument.objects.filter(campaign=campaign, kind=kind)
    version = (versions.aggregate(last=Max("version"))["last"] or 0) + 1
    if version > MOST_VERSIONS:
        raise TooManyDocuments(most=MOST_VERSIONS)
    keep_files([file])
    document = CampaignDocument.objects.create(
        campaign=campaign, kind=kind, version=version, title=title, file=file, sha256=sha256, created_at=now
    )
    campaign.version += 1
    campaign.updated_at = now
    campaign.save(update_fields=["version", "updated_at"])
    events.record(
        "campaign.document_added", campaign, actor=actor, now=now, document_id=document.pk, kind=kind, version=version
    )
    return document


@retrying
def accept_document(*, person: User, campaign_id: UUID, document_id: UUID, now: datetime) -> CampaignDocument:
    """
    Keep that a person has read and accepted the newest version of a document. Twice changes nothing.

    :raises NotFound: no such document, or a campaign that is not to be seen
    :raises OwnCampaign: :raises CampaignNotOpen: nobody can invest yet
    :raises DocumentSuperseded: there is a newer version
    """
    campaign = access_campaign(person, campaign_id)
    document = CampaignDocument.objects.filter(pk=document_id, campaign=campaign).first()
    if document is None:
        raise NotFound()
    if campaign.owner_id == person.pk:
        raise OwnCampaign()
    if campaign.status not in PUBLIC:
        raise CampaignNotOpen()
    newest = CampaignDocument.objects.filter(campaign=campaign, kind=document.kind).order_by("-version")
    last = newest.values("id", "version")[0]
    if last["id"] != document.pk:
        raise DocumentSuperseded(document_id=last["id"], version=last["version"])
    consent = DocumentConsent(document=document, person=person, sha256=document.sha256, created_at=now)
    if sql.insert_missing(consent):
        events.record(
            "campaign.document_accepted",
            campaign,
            actor=person,
            now=now,
            document_id=document.pk,
            kind=document.kind,
            version=document.version,
        )
    return document
