"""Writing, scheduling, editing and deleting the updates of a campaign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from campaigns.access import access_own_campaign, access_own_update
from campaigns.errors import (
    AnnualReportIsPublic,
    NotPublishedYet,
    PublishAtOutOfRange,
    TooManyUpdates,
    UpdateAlreadyPublished,
)
from campaigns.models import PUBLIC, Campaign, Update, UpdateEdit, UpdateMedia
from campaigns.roles import author_role
from campaigns.services.reporting import look_again
from core import events
from core.api.errors import Refusal
from core.api.limits import Limit
from core.data.locks import lock
from core.data.transactions import atomic, retrying
from uploads.models import StoredFile, Visibility
from uploads.services import delete_file, keep_files, publish_file, seal_file, store_image

PER_PERSON = Limit("campaign_updates:person", 20, timedelta(days=1))
MOST = 1000
"""Updates of one campaign, so that its reporting can be read in one piece."""
FURTHEST = timedelta(days=365)
"""How far ahead an update may be scheduled."""


@dataclass(frozen=True)
class UpdateDraft:
    """An update that is not saved yet, and its pictures, which are in the store."""

    update: Update
    pictures: list[StoredFile]


def draft_update(
    *,
    owner: Any,
    campaign_id: UUID,
    content: str,
    audience: str,
    now: datetime,
    title: str = "",
    kind: str = Update.Kind.UPDATE,
    publish_at: datetime | None = None,
    media: "Sequence[UploadedFile[bytes]]" = (),
    media_alt: Sequence[str] = (),
) -> UpdateDraft:
    """
    Check a new update and take its pictures to the store, outside of any transaction.

    :param publish_at: when others may read it; None for at once
    :raises NotFound: :raises NotTheOwner: :raises NotPublishedYet: :raises TooManyUpdates:
    :raises AnnualReportIsPublic: :raises PublishAtOutOfRange: and what `uploads` says of a file
    """
    campaign = access_own_campaign(owner, campaign_id, is_locked=False)
    refusal = writing_refusal(campaign)
    if refusal is not None:
        raise refusal
    if kind == Update.Kind.ANNUAL_REPORT and audience != Update.Audience.PUBLIC:
        raise AnnualReportIsPublic(field="audience")
    update = Update(
        campaign=campaign,
        kind=kind,
        audience=audience,
        author_role=author_role(owner, campaign),
        title=title,
        content=content,
        publish_at=_publish_at(publish_at, now),
        created_at=now,
    )
    return UpdateDraft(update, _store(media, media_alt, owner, update, now))


def writing_refusal(campaign: Campaign) -> Refusal | None:
    """Why its owner may write no update now; None if they may. No rule and no clock changes it."""
    if campaign.status not in PUBLIC:
        return NotPublishedYet()
    if Update.objects.filter(campaign=campaign).count() >= MOST:
        return TooManyUpdates(most=MOST)
    return None


def keep_update(draft: UpdateDraft, *, now: datetime) -> Update:
    """Save a new update; unless it is scheduled, its readers are notified."""
    update = draft.update
    with atomic():
        update.announced_at = now if update.publish_at <= now else None
        update.save(force_insert=True)
        _show(update, draft.pictures, now)
        if update.announced_at:
            _record_published(update, now)
    return update


def edit_update(
    *,
    owner: Any,
    campaign_id: UUID,
    update_id: UUID,
    now: datetime,
    media: "Sequence[UploadedFile[bytes]] | None" = None,
    media_alt: Sequence[str] = (),
    **fields: Any,
) -> Update:
    """
    Change some of an update. Once it is published, what it said before is kept for its readers.

    :param fields: of `UpdateInput`; a `publish_at` that has passed publishes a scheduled one at once
    :raises NotFound: :raises NotTheOwner: :raises AnnualReportIsPublic:
    :raises UpdateAlreadyPublished: a new `publish_at`, or another kind, for one that is published
    :raises PublishAtOutOfRange:
    """
    pictures = None
    if media is not None:
        known = access_own_update(owner, campaign_id, update_id)
        edited = Update(audience=fields.get("audience", known.audience))
        pictures = _store(media, media_alt, owner, edited, now)
    return _edit(owner, campaign_id, update_id, pictures, fields, now)


@retrying
def _edit(
    owner: Any,
    campaign_id: UUID,
    update_id: UUID,
    pictures: list[StoredFile] | None,
    fields: dict[str, Any],
    now: datetime,
) -> Update:
    update = access_own_update(owner, campaign_id, update_id, is_locked=True)
    refusal = edit_refusal(update, fields, now)
    if refusal is not None:
        raise refusal
    was_published, before = update.publish_at <= now, (update.title, update.content, update.audience)
    _write(update, fields, now)
    after = (update.title, update.content, update.audience)
    if was_published and (after != before or pictures is not None):
        update.edited_at = now
    elif not was_published and update.publish_at <= now:
        update.announced_at = now
    update.save(update_fields=["title", "content", "audience", "kind", "publish_at", "edited_at", "announced_at"])
    _replace_pictures(update, pictures, is_moved=after[2] != before[2], now=now)
    if was_published:
        if after[:2] != before[:2]:
            _keep_edit(update, *before, now)
        changed = sorted(fields) + (["media"] if pictures is not None else [])
        events.record(
            "campaign.update_edited", update.campaign, actor=owner, now=now, update_id=update.pk, fields=changed
        )
    elif update.announced_at:
        _record_published(update, now)
    return update


def _keep_edit(update: Update, title: str, content: str, audience: str, now: datetime) -> None:
    UpdateEdit.objects.create(
        update=update, title=title, content=content, audience=audience, replaced_at=now, created_at=now
    )


def _replace_pictures(update: Update, pictures: list[StoredFile] | None, *, is_moved: bool, now: datetime) -> None:
    """:param is_moved: whether those that stay get another audience"""
    if pictures is not None:
        _delete_pictures(update, now)
        _show(update, pictures, now)
    elif is_moved:
        move = publish_file if update.audience == Update.Audience.PUBLIC else seal_file
        for one in update.media.select_related("file"):
            move(one.file, now=now)


def edit_refusal(update: Update, fields: dict[str, Any], now: datetime) -> Refusal | None:
    """Why these changes are refused; None if they are not."""
    is_published = update.publish_at <= now
    if is_published and ("publish_at" in fields or fields.get("kind", update.kind) != update.kind):
        return UpdateAlreadyPublished()
    kind, audience = fields.get("kind", update.kind), fields.get("audience", update.audience)
    if kind == Update.Kind.ANNUAL_REPORT and audience != Update.Audience.PUBLIC:
        return AnnualReportIsPublic(field="audience")
    return None


@retrying
def delete_update(*, owner: Any, campaign_id: UUID, update_id: UUID, now: datetime) -> None:
    """
    Take an update away: nobody but staff reads its words any more, and its pictures are deleted.

    :raises NotFound: :raises NotTheOwner:
    """
    update = access_own_update(owner, campaign_id, update_id, is_locked=True)
    update.deleted_at = now
    update.save(update_fields=["deleted_at"])
    _delete_pictures(update, now)
    look_again(campaign_id, now=now)
    events.record("campaign.update_deleted", update.campaign, actor=owner, now=now, update_id=update.pk)


def updates_to_announce(now: datetime) -> QuerySet[Update, UUID]:
    """Ids of scheduled updates that became visible and whose readers were not notified."""
    waiting = Update.objects.filter(deleted_at=None, announced_at=None, publish_at__lte=now)
    return waiting.order_by("publish_at", "id").values_list("pk", flat=True)


@retrying
def announce_update(update_id: UUID, *, now: datetime) -> None:
    """Notify the readers of a scheduled update, once."""
    waiting = Update.objects.filter(pk=update_id, deleted_at=None, announced_at=None, publish_at__lte=now)
    update = lock(waiting).first()
    if update is not None:
        update.announced_at = now
        update.save(update_fields=["announced_at"])
        _record_published(update, now)


def _record_published(update: Update, now: datetime) -> None:
    campaign = update.campaign
    look_again(campaign.pk, now=now)
    events.record(
        "campaign.update_published",
        campaign,
        actor=campaign.owner,
        now=now,
        update_id=update.pk,
        is_public=update.audience == Update.Audience.PUBLIC,
        campaign_title=campaign.title,
    )


def _write(update: Update, fields: dict[str, Any], now: datetime) -> None:
    for name in ("title", "content", "audience", "kind"):
        if name in fields:
            setattr(update, name, fields[name])
    if "publish_at" in fields:
        asked = fields["publish_at"]
        update.publish_at = now if asked <= now else _publish_at(asked, now)


def _publish_at(asked: datetime | None, now: datetime) -> datetime:
    if asked is None:
        return now
    if not now < asked <= now + FURTHEST:
        raise PublishAtOutOfRange(field="publishAt", most=FURTHEST.days)
    return asked


def _store(
    media: "Sequence[UploadedFile[bytes]]", media_alt: Sequence[str], owner: Any, update: Update, now: datetime
) -> list[StoredFile]:
    """Take all pictures to the store, or none of them."""
    is_public = update.audience == Update.Audience.PUBLIC
    stored: list[StoredFile] = []
    try:
        for position, (file, alt) in enumerate(zip_longest(media, media_alt[: len(media)], fillvalue="")):
            stored.append(
                store_image(
                    file,
                    owner_id=owner.pk,
                    purpose="campaign_update",
                    now=now,
                    field=f"media.{position}",
                    visibility=Visibility.PUBLIC if is_public else Visibility.PRIVATE,
                    alt=alt,
                )
            )
    except Exception:
        for kept in stored:
            delete_file(kept, now=now)
        raise
    return stored


def _show(update: Update, pictures: Sequence[StoredFile], now: datetime) -> None:
    keep_files(pictures)
    UpdateMedia.objects.bulk_create(
        UpdateMedia(update=update, file=picture, position=position, created_at=now)
        for position, picture in enumerate(pictures)
    )


def _delete_pictures(update: Update, now: datetime) -> None:
    for picture in update.media.select_related("file"):
        picture.delete()
        delete_file(picture.file, now=now)
