"""Writing the key investment information sheet, and making a document of it when the campaign is submitted."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.core.files.base import ContentFile

from accounts.models import User
from campaigns.access import access_campaign, access_own_campaign
from campaigns.errors import (
    KeyInformationTooLong,
    LettersNotPrintable,
    TermsFrozen,
    UnknownKeyInformationField,
)
from campaigns.key_information import Instrument, Sheet, current_form
from campaigns.key_information.rendering import as_pdf
from campaigns.models import EDITABLE, Campaign, DocumentKind, KeyInformation
from campaigns.services.documents import attach_document, store_document_file
from core import events
from core.api.errors import Stale
from core.api.limits import Limit
from core.data.transactions import retrying
from core.pdf import unprintable
from uploads.models import StoredFile

DOCUMENT_TITLE = "Key investment information sheet"
WRITING = Limit("key-information", 60, timedelta(hours=1))
"""Per person: each draws the sheet."""
MOST_LETTERS = 60_000
"""More than fit on the pages in any case; nobody makes us draw what cannot fit."""
MOST_PAGES = 6
"""Of A4; `Rule` `key_information` says the same where a rule set asks for the sheet."""


class Prepared(NamedTuple):
    """A document that is in the store, and the moment of the text that it was made of."""

    stored: tuple[StoredFile, str]
    written_at: datetime


def write_key_information(
    *,
    owner: User,
    campaign_id: UUID,
    instrument: Instrument,
    has_vehicle: bool,
    texts: Mapping[str, str],
    now: datetime,
) -> KeyInformation:
    """
    Write the sheet of one's own draft, in place of what was there.

    :param texts: by the id of the field
    :raises TermsFrozen: it is no draft any more
    :raises UnknownKeyInformationField: :raises LettersNotPrintable: :raises KeyInformationTooLong:
    """
    title = access_campaign(owner, campaign_id).title
    if unknown := sorted(texts.keys() - current_form().field_ids):
        raise UnknownKeyInformationField(field=f"texts.{unknown[0]}")
    if letters := unprintable("".join([title, *texts.values()])):
        raise LettersNotPrintable(field="texts", letters=" ".join(letters[:20]))
    if sum(map(len, texts.values())) > MOST_LETTERS:
        raise KeyInformationTooLong(most=MOST_PAGES)
    sheet = Sheet(title=title, instrument=instrument, has_vehicle=has_vehicle, texts=texts)
    if as_pdf(sheet, now)[1] > MOST_PAGES:
        raise KeyInformationTooLong(most=MOST_PAGES)
    return _write(owner, campaign_id, sheet, now)


@retrying
def _write(owner: User, campaign_id: UUID, sheet: Sheet, now: datetime) -> KeyInformation:
    campaign = access_own_campaign(owner, campaign_id)
    if campaign.status not in EDITABLE:
        raise TermsFrozen(fields=["keyInformation"])
    fields = {
        "instrument": sheet.instrument,
        "has_vehicle": sheet.has_vehicle,
        "texts": dict(sheet.texts),
        "updated_at": now,
    }
    written, _created = KeyInformation.objects.update_or_create(
        campaign=campaign, defaults=fields, create_defaults={**fields, "created_at": now}
    )
    events.record("campaign.key_information_written", campaign, actor=owner, now=now)
    return written


def prepare_submission(*, owner: User, campaign_id: UUID, now: datetime) -> Prepared | None:
    """
    Make the PDF and take it to the store, before the transaction of the submission.

    :returns: None where the rules ask for no sheet, there is none yet, or the campaign is not the owner's draft
    """
    written = KeyInformation.objects.select_related("campaign").filter(campaign=campaign_id).first()
    if written is None or written.campaign.owner_id != owner.pk or written.campaign.status not in EDITABLE:
        return None
    if "key_information" not in written.campaign.rule_set:
        return None
    content, _pages = as_pdf(written.sheet(), written.updated_at)
    file = ContentFile(content, name="key-information.pdf")
    return Prepared(store_document_file(owner=owner, file=file, now=now, is_ours=True), written.updated_at)


def attach_key_information(campaign: Campaign, prepared: Prepared | None, *, owner: User, now: datetime) -> None:
    """
    Keep the prepared PDF as the newest key information of a locked, complete campaign, in the caller's transaction.

    :raises Stale: the sheet or the rules changed since it was prepared
    """
    if "key_information" not in campaign.rule_set:
        return
    if (
        prepared is None
        or not KeyInformation.objects.filter(campaign=campaign, updated_at=prepared.written_at).exists()
    ):
        raise Stale()
    attach_document(
        campaign,
        kind=DocumentKind.KEY_INFORMATION,
        title=DOCUMENT_TITLE,
        stored=prepared.stored,
        actor=owner,
        now=now,
    )
