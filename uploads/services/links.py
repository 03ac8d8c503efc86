"""Signed links to private files. Making one is the access check; a link opens for its viewer only and ends soon."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.core import signing

from core.api.errors import Unauthenticated
from uploads.errors import LinkNotValid
from uploads.models import KeptBytes, Rendition, StoredFile

LIFETIME = timedelta(seconds=60)
"""The longest an identity paper's link may live (SECURITY-GOALS 47)."""
QUARTER = timedelta(minutes=15)
_SALT = "uploads.link"


@dataclass(frozen=True, slots=True)
class Link:
    token: str
    expires_at: datetime

    @property
    def url(self) -> str:
        return f"{settings.PUBLIC_URL}/files/{self.token}"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link opens."""

    file: StoredFile
    content: KeptBytes
    """The file itself, or the rendition that the link names."""
    cached_for: timedelta
    """How long the client may keep it: to the end of a link for whoever holds it, not at all for one of a person."""

    @classmethod
    def once(cls, stored: StoredFile) -> "Opened":
        """The file itself, to be kept by nobody."""
        return cls(stored, stored, timedelta(0))


def make_link(file_id: UUID, *, viewer_id: UUID | None, now: datetime, lifetime: timedelta = LIFETIME) -> Link:
    """
    A link to one private file.

    :param viewer_id: the only person it opens for, who has to be signed in; None: whoever holds it
    """
    expires_at = now + lifetime
    return Link(_token(file_id, None, viewer_id, int(expires_at.timestamp())), expires_at)


def media_link(
    file_id: UUID, *, rendition_id: UUID | None = None, now: datetime, until: datetime | None = None
) -> Link:
    """
    A link to a private picture, video, or one of its renditions, for whoever holds it, since `<img>` and `<video>` send
    no token. It lives for 15 to 30 minutes: until the end of a quarter of an hour, so that it stays the same for a
    while and a browser keeps what it has loaded.

    :param until: when it ends at the latest
    """
    quarters = -(-(now + QUARTER).timestamp() // QUARTER.total_seconds())
    expires = int(min(quarters * QUARTER.total_seconds(), until.timestamp() if until else math.inf))
    return Link(_token(file_id, rendition_id, None, expires), datetime.fromtimestamp(expires, UTC))


@lru_cache(maxsize=20_000)
def _token(file_id: UUID, rendition_id: UUID | None, viewer_id: UUID | None, expires: int) -> str:
    """The same claims give the same text."""
    claims = [file_id.hex, rendition_id.hex if rendition_id else "", viewer_id.hex if viewer_id else "", expires]
    return signing.Signer(salt=_SALT).sign_object(claims)


def open_link(token: str, *, viewer_id: UUID | None, now: datetime) -> Opened:
    """
    What is behind a link.

    :raises LinkNotValid: expired, forged, made for someone else, or the file was deleted; the answer does not show
        which
    :raises Unauthenticated: it is bound to a person and nobody is signed in
    """
    try:
        file_id, rendition_id, bound_to, expires = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        raise LinkNotValid() from None
    if now.timestamp() >= expires:
        raise LinkNotValid()
    if bound_to and viewer_id is None:
        raise Unauthenticated()
    if bound_to and viewer_id is not None and bound_to != viewer_id.hex:
        raise LinkNotValid()
    stored = StoredFile.objects.filter(pk=UUID(file_id), deleted_at__isnull=True).first()
    if stored is None:
        raise LinkNotValid()
    content: KeptBytes | None = stored
    if rendition_id:
        content = Rendition.objects.shown().filter(pk=UUID(rendition_id), file=stored).first()
    if content is None:
        raise LinkNotValid()
    cached_for = timedelta(0) if bound_to else timedelta(seconds=int(expires - now.timestamp()))
    return Opened(stored, content, cached_for)
