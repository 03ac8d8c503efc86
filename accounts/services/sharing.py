"""The public page of a profile: its link, what it shows, and the picture that a chat shows for it."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Profile, ProfilePicture, Status, User
from accounts.services.profiles import lock_profile
from core import events
from core.api.errors import NotFound
from core.api.rendering import to_json
from core.data.transactions import retrying
from core.previews import HEIGHT, WIDTH, Preview, draw
from uploads.models import StoredFile
from uploads.selectors import media_url
from uploads.services import delete_file, keep_files, read_file, store_drawing

BADGES = {
    "identity": _("Identity verified"),
    "address": _("Address verified"),
    "accredited_investor": _("Accredited investor"),
    "company": _("Company"),
    "founder": _("Founder"),
}
"""How badges are called, the weightiest first."""
DRAWING = 1
"""Grows when the picture's looks change, so that all are drawn anew."""


@dataclass(frozen=True, slots=True)
class PublicPage:
    user: User
    profile: Profile
    link: str
    badges: tuple[str, ...]
    preview: str
    """The address of a picture of 1200 × 630 pixels."""


@retrying
def share_link(*, person: User) -> str:
    """The link to the person's page; the same one until it is rotated."""
    _, profile = lock_profile(person)
    if profile.share_token is None:
        _give_token(profile)
    return link_of(profile)


@retrying
def rotate_link(*, person: User, now: datetime) -> str:
    """A new link; the old one and its picture are gone at once."""
    user, profile = lock_profile(person)
    _give_token(profile)
    drop_preview(profile, now)
    events.record("profile.link_rotated", user, actor=user, now=now)
    return link_of(profile)


def link_of(profile: Profile) -> str:
    return f"{settings.PUBLIC_URL}/p/{profile.share_token}"


def public_page(*, token: str, now: datetime) -> PublicPage:
    """
    What a link shows.

    :raises NotFound: never given, rotated, or the person may not be seen
    """
    found = Profile.objects.select_related("user", "preview").filter(share_token=token)
    profile = found.filter(user__status=Status.ACTIVE, user__email_verified_at__isnull=False).first()
    if profile is None or profile.user.deletion_due_at:
        raise NotFound()
    user = profile.user
    picture = ProfilePicture.objects.filter(user=user, kind="photo", size="medium").select_related("file").first()
    badges = tuple(str(BADGES[badge]) for badge in BADGES if badge in user.badges)
    facts = [DRAWING, user.name, user.location, badges, picture and picture.file.storage_name]
    drawn_from = sha256(to_json(facts)).hexdigest()
    if profile.preview is None or profile.preview_drawn_from != drawn_from:
        photo = read_file(picture.file) if picture else None
        profile = _draw_preview(user, Preview(user.name, user.location, badges, photo), drawn_from, now)
    address = media_url(profile.preview.storage_name) if profile.preview else ""
    return PublicPage(user, profile, link_of(profile), badges, address)


def _draw_preview(user: User, preview: Preview, drawn_from: str, now: datetime) -> Profile:
    stored = store_drawing(draw(preview), size=(WIDTH, HEIGHT), owner_id=user.pk, purpose="profile_preview", now=now)
    return _keep_preview(user, stored, drawn_from, now)


@retrying
def _keep_preview(user: User, stored: StoredFile, drawn_from: str, now: datetime) -> Profile:
    user, profile = lock_profile(user)
    if profile.preview_drawn_from == drawn_from:  # another visitor's was first
        delete_file(stored, now=now)
        return profile
    drop_preview(profile, now)
    keep_files([stored])
    profile.preview, profile.preview_drawn_from = stored, drawn_from
    profile.save(update_fields=["preview", "preview_drawn_from"])
    return profile


def _give_token(profile: Profile) -> None:
    profile.share_token = secrets.token_urlsafe(16)
    profile.save(update_fields=["share_token"])


def drop_preview(profile: Profile, now: datetime) -> None:
    """Forget the picture of a locked profile; the next visitor has it drawn anew."""
    before = profile.preview
    profile.preview, profile.preview_drawn_from = None, ""
    profile.save(update_fields=["preview", "preview_drawn_from"])
    if before is not None:
        delete_file(before, now=now)
