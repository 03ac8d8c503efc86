"""Editing a profile: its text, photo and cover."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from accounts.errors import StepUpRequired
from accounts.models import Profile, ProfilePicture, Session, User
from accounts.services.contacts import keep_contact
from core import events
from core.api.etags import require_match
from core.data.locks import lock
from core.data.transactions import retrying
from uploads.models import StoredFile
from uploads.selectors import media_url
from uploads.services import delete_file, keep_files, store_sizes
from uploads.services.files import LARGEST_PHOTO

WORDS = ("first_name", "last_name", "bio", "location", "website")
SIZES: dict[str, dict[str, int]] = {
    ProfilePicture.Kind.PHOTO: {"large": 1024, "medium": 512, "small": 128},
    ProfilePicture.Kind.COVER: {"large": 2048, "medium": 1024, "small": 512},
}
"""Longest sides in pixels. `medium` is the photo that cards show, `large` the cover."""
SHOWN: dict[str, str] = {ProfilePicture.Kind.PHOTO: "medium", ProfilePicture.Kind.COVER: "large"}


@retrying
def edit_profile(
    *, session: Session, now: datetime, expected: frozenset[str] | None = None, **fields: Any
) -> tuple[User, Profile]:
    """
    Change some of the profile's words, its switch, or the phone number, which starts unconfirmed again.

    :param session: the device that asks; for another phone number it must have proved itself recently
    :param expected: the ETags that the client would overwrite (If-Match)
    :raises Stale: the profile was changed since
    :raises StepUpRequired: a new phone number, and no proof within five minutes
    """
    user, profile = lock_profile(session.user)
    require_match(expected, profile.etag)
    for name in WORDS:
        if name in fields:
            setattr(user, name, fields[name])
    number = fields.get("phone_number", user.phone_number) or ""
    if number != user.phone_number:
        if not session.is_recent_at(now):
            raise StepUpRequired()
        _change_number(user, number, now)
    profile.shows_backed_campaigns = fields.get("shows_backed_campaigns", profile.shows_backed_campaigns)
    user.save(update_fields=[*WORDS, "phone_number", "phone_verified_at", "updated_at"])
    keep_contact(user)
    _edited(profile)
    events.record("profile.edited", user, actor=user, now=now, fields=sorted(fields))
    return user, profile


def _change_number(user: User, number: str, now: datetime) -> None:
    user.phone_number, user.phone_verified_at = number, None
    if number:
        events.record("phone.changed", user, actor=user, now=now, ending=number[-4:])
    else:
        events.record("phone.removed", user, actor=user, now=now)


def store_picture(*, person: User, kind: str, file: "UploadedFile[bytes]", now: datetime) -> list[StoredFile]:
    """
    Take a photo or cover to the store in every size; outside of any transaction.

    :raises FileTooLarge: above 5 MB. Others as `uploads.services.store_image` refuses
    """
    return store_sizes(
        file,
        sizes=list(SIZES[kind].values()),
        owner_id=person.pk,
        purpose=f"profile_{kind}",
        now=now,
        field=kind,
        most_bytes=LARGEST_PHOTO,
    )


@retrying
def set_picture(*, person: User, kind: str, stored: Sequence[StoredFile], now: datetime) -> tuple[User, Profile]:
    """Show another photo or cover, as `store_picture` gave it; the files of the one before are deleted."""
    keep_files(stored)
    return _show(person, kind, stored, now)


@retrying
def remove_picture(*, person: User, kind: str, now: datetime) -> tuple[User, Profile]:
    """Show no photo or cover. Without one nothing changes."""
    return _show(person, kind, [], now)


def _show(person: User, kind: str, stored: Sequence[StoredFile], now: datetime) -> tuple[User, Profile]:
    user, profile = lock_profile(person)
    before = list(ProfilePicture.objects.filter(user=user, kind=kind).select_related("file"))
    ProfilePicture.objects.filter(pk__in=[picture.pk for picture in before]).delete()
    for picture in before:
        delete_file(picture.file, now=now)
    sizes = dict(zip(SIZES[kind], stored, strict=False))
    ProfilePicture.objects.bulk_create(
        ProfilePicture(user=user, kind=kind, size=size, file=file, created_at=now) for size, file in sizes.items()
    )
    column = f"{'profile' if kind == ProfilePicture.Kind.PHOTO else 'cover'}_photo"
    setattr(user, column, media_url(sizes[SHOWN[kind]].storage_name) if sizes else "")
    user.save(update_fields=[column, "updated_at"])
    _edited(profile)
    events.record(f"profile.{kind}_{'changed' if stored else 'removed'}", user, actor=user, now=now)
    return user, profile


def lock_profile(person: User) -> tuple[User, Profile]:
    """The account and its profile as they are now, locked in this order until the caller's transaction ends."""
    user = lock(User.objects).get(pk=person.pk)
    Profile.objects.bulk_create([Profile(user=user)], ignore_conflicts=True)
    return user, lock(Profile.objects).get(pk=user.pk)


def _edited(profile: Profile) -> None:
    profile.version += 1
    profile.save(update_fields=["version", "shows_backed_campaigns"])
