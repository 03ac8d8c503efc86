"""Ads: handing in, review, pausing; showing one in a feed, and counting who follows it without knowing who."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.db.models import F

from accounts.models import Status
from core import events
from core.api.errors import NotFound
from core.data.ids import uuid7
from core.data.locks import lock
from core.data.statements import load
from core.data.transactions import atomic, retrying
from social.errors import AdEndsBeforeStart, AdIsOver, AdNotRunning, AdNotWaiting, InvalidClickToken, OwnAd
from social.models import Ad, AdClick, AdDay
from social.outputs.ads import FeedAd
from uploads.models import StoredFile
from uploads.services import delete_file, keep_files, store_image

LONGEST = timedelta(days=366)
CLICK_LIFETIME = timedelta(days=1)
TRIES = 5
"""How many ads are tried when the last impression of the chosen one is taken by somebody else."""
REVIEWED = ("title", "body", "target_url")
"""A change of one of these, or of the picture, goes back to review."""
_SALT = "social.ads.click"
_SERVE = load("social/sql/serve_ad.sql")


@dataclass(frozen=True)
class AdDraft:
    """An ad that is not saved yet; its picture is in the store."""

    ad: Ad


def draft_ad(*, advertiser: Any, now: datetime, media: "UploadedFile[bytes]", **fields: Any) -> AdDraft:
    """
    Check a new ad and take its picture to the store, outside of any transaction.

    :param fields: those of `AdInput`
    :raises AdEndsBeforeStart: :raises AdIsOver:
    """
    ad = Ad(advertiser=advertiser, created_at=now, **fields)
    _check_times(ad, now)
    ad.file = _store(media, advertiser, now)
    return AdDraft(ad)


def submit_ad(draft: AdDraft, *, now: datetime) -> Ad:
    """Save a new ad, which waits for review."""
    ad = draft.ad
    with atomic():
        keep_files([ad.file])
        ad.save(force_insert=True)
        events.record("ad.submitted", ad, actor=ad.advertiser, now=now)
    return ad


def edit_ad(
    *, advertiser: Any, ad_id: UUID, now: datetime, media: "UploadedFile[bytes] | None" = None, **fields: Any
) -> Ad:
    """
    Change some fields. Other words, another picture or target are reviewed anew, and so is what was rejected.

    :raises NotFound: no ad of theirs
    :raises AdEndsBeforeStart: :raises AdIsOver:
    """
    access_own_ad(advertiser, ad_id)
    picture = None if media is None else _store(media, advertiser, now)
    return _edit(advertiser, ad_id, picture, fields, now)


@retrying
def _edit(advertiser: Any, ad_id: UUID, picture: StoredFile | None, fields: dict[str, Any], now: datetime) -> Ad:
    ad = access_own_ad(advertiser, ad_id, is_locked=True)
    changed = [name for name, value in fields.items() if getattr(ad, name) != value]
    for name in changed:
        setattr(ad, name, fields[name])
    if {"starts_at", "ends_at"} & set(changed):
        _check_times(ad, now)
    replaced = ad.file
    if picture is not None:
        keep_files([picture])
        ad.file = picture
        changed.append("media")
    if not changed:
        return ad
    if ad.status == Ad.Status.REJECTED or {*REVIEWED, "media"} & set(changed):
        ad.status, ad.reason, ad.reviewer, ad.reviewed_at = Ad.Status.PENDING_REVIEW, "", None, None
        ad.revision += 1
    ad.save()
    if picture is not None:
        delete_file(replaced, now=now)
    events.record("ad.edited", ad, actor=advertiser, now=now, fields=sorted(changed))
    return ad


def pause_ad(*, advertiser: Any, ad_id: UUID, now: datetime) -> Ad:
    """:raises NotFound: :raises AdNotRunning: it is not approved, or its time is over"""
    return _turn(advertiser, ad_id, Ad.Status.APPROVED, Ad.Status.PAUSED, "ad.paused", now)


def resume_ad(*, advertiser: Any, ad_id: UUID, now: datetime) -> Ad:
    """:raises NotFound: :raises AdNotRunning: it is not paused, or its time is over"""
    return _turn(advertiser, ad_id, Ad.Status.PAUSED, Ad.Status.APPROVED, "ad.resumed", now)


@retrying
def _turn(advertiser: Any, ad_id: UUID, before: Ad.Status, after: Ad.Status, event: str, now: datetime) -> Ad:
    ad = access_own_ad(advertiser, ad_id, is_locked=True)
    if ad.status_at(now) == after:
        return ad
    if ad.status_at(now) != before:
        raise AdNotRunning()
    ad.status = after
    ad.save(update_fields=["status"])
    events.record(event, ad, actor=advertiser, now=now)
    return ad


@retrying
def approve_ad(*, reviewer: Any, ad_id: UUID, revision: int, now: datetime) -> Ad:
    """
    :param revision: the one that the reviewer has seen
    :raises NotFound: :raises OwnAd: :raises AdNotWaiting: decided, or changed since
    """
    ad = _waiting(reviewer, ad_id, revision)
    return _decide(ad, reviewer, Ad.Status.APPROVED, "", now)


@retrying
def reject_ad(*, reviewer: Any, ad_id: UUID, revision: int, reason: str, now: datetime) -> Ad:
    """
    :param reason: for the advertiser
    :raises NotFound: :raises OwnAd: :raises AdNotWaiting: decided, or changed since
    """
    ad = _waiting(reviewer, ad_id, revision)
    return _decide(ad, reviewer, Ad.Status.REJECTED, reason, now)


def _waiting(reviewer: Any, ad_id: UUID, revision: int) -> Ad:
    ad = lock(Ad.objects.filter(pk=ad_id)).first()
    if ad is None:
        raise NotFound()
    if ad.advertiser_id == reviewer.pk:
        raise OwnAd()
    if ad.status != Ad.Status.PENDING_REVIEW or ad.revision != revision:
        raise AdNotWaiting()
    return ad


def _decide(ad: Ad, reviewer: Any, status: Ad.Status, reason: str, now: datetime) -> Ad:
    ad.status, ad.reason, ad.reviewer, ad.reviewed_at = status, reason, reviewer, now
    ad.save(update_fields=["status", "reason", "reviewer", "reviewed_at"])
    facts = {"advertiser_id": ad.advertiser_id, "ad_id": ad.pk, "ad_title": ad.title}
    if status == Ad.Status.APPROVED:
        events.record("ad.approved", ad, actor=reviewer, now=now, **facts)
    else:
        events.record("ad.rejected", ad, actor=reviewer, now=now, reason=reason, **facts)
    return ad


def access_own_ad(advertiser: Any, ad_id: UUID, *, is_locked: bool = False) -> Ad:
    """:raises NotFound: missing, or somebody else's"""
    own = Ad.objects.filter(advertiser=advertiser.pk, pk=ad_id)
    ad = (lock(own) if is_locked else own).first()
    if ad is None:
        raise NotFound()
    return ad


# --- In the feed ----------------------------------------------------------------------------------------------------


def next_ad(viewer: Any, now: datetime) -> FeedAd | None:
    """
    The ad that the viewer sees next, and one more impression of it. Whoever the viewer is plays no part but that it is
    neither their own nor of somebody hidden from them.
    """
    for _ in range(TRIES):
        rows = _SERVE.rows(viewer=viewer.pk, now=now, day=_day(now))
        if not rows:
            return None
        if rows[0].is_counted:
            return FeedAd.of_row(rows[0], _click_token(rows[0].id, now), now)
    return None


def count_click(*, ad_id: UUID, token: str, now: datetime) -> Ad:
    """
    Count that somebody followed an ad, once for each time it was shown. Nothing tells who it was.

    :param token: of the ad in the feed
    :raises InvalidClickToken: not ours, of another ad, or older than a day
    :raises NotFound: the ad is gone or hidden, is reviewed anew, or its advertiser is suspended
    """
    impression_id, day = _read_click_token(token, ad_id, now)
    shown = Ad.objects.filter(
        status__in=[Ad.Status.APPROVED, Ad.Status.PAUSED], hidden_at__isnull=True, advertiser__status=Status.ACTIVE
    )
    ad = shown.filter(pk=ad_id).first()
    if ad is None:
        raise NotFound()
    with atomic():
        _, is_new = AdClick.objects.get_or_create(pk=impression_id, defaults={"created_at": now})
        if is_new:
            AdDay.objects.filter(ad=ad, day=day).update(clicks=F("clicks") + 1)
    return ad


def _click_token(ad_id: UUID, now: datetime) -> str:
    """Names an impression: an id of its own, the ad, and the moment. Nothing about who saw it."""
    return signing.Signer(salt=_SALT).sign_object([uuid7().hex, ad_id.hex, int(now.timestamp())])


def _read_click_token(token: str, ad_id: UUID, now: datetime) -> tuple[UUID, date]:
    """The impression's id and its day."""
    try:
        impression, of_ad, seconds = signing.Signer(salt=_SALT).unsign_object(token)
    except signing.BadSignature:
        raise InvalidClickToken(field="token") from None
    shown_at = datetime.fromtimestamp(seconds, UTC)
    if of_ad != ad_id.hex or now - shown_at > CLICK_LIFETIME:
        raise InvalidClickToken(field="token")
    return UUID(impression), _day(shown_at)


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _check_times(ad: Ad, now: datetime) -> None:
    if ad.ends_at <= ad.starts_at:
        raise AdEndsBeforeStart(field="endsAt")
    if not now < ad.ends_at <= now + LONGEST:
        raise AdIsOver(field="endsAt")


def _store(media: "UploadedFile[bytes]", advertiser: Any, now: datetime) -> StoredFile:
    return store_image(media, owner_id=advertiser.pk, purpose="ad", now=now, field="media")
