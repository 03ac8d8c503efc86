"""Signed links to private files. Making one is the access check; a link opens for its viewer only and ends soon."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing

from core.api.errors import Unauthenticated
from uploads.errors import LinkNotValid
from uploads.models import StoredFile
from uploads.services.files import read_file

LIFETIME = timedelta(seconds=60)
"""The longest an identity paper's link may live (SECURITY-GOALS 47)."""
_SALT = "uploads.link"


@dataclass(frozen=True, slots=True)
class Link:
    token: str
    expires_at: datetime

    @property
    def url(self) -> str:
        return f"{settings.PUBLIC_URL}/files/{self.token}"


def make_link(file_id: UUID, *, viewer_id: UUID | None, now: datetime, lifetime: timedelta = LIFETIME) -> Link:
    """
    A link to one private file.

    :param viewer_id: the only person it opens for, who has to be signed in; None: whoever holds it
    """
    expires_at = now + lifetime
    claims = [file_id.hex, viewer_id.hex if viewer_id else "", int(expires_at.timestamp())]
    return Link(signing.dumps(claims, salt=_SALT), expires_at)


def open_link(token: str, *, viewer_id: UUID | None, now: datetime) -> tuple[StoredFile, bytes]:
    """
    The file behind a link, and its content.

    :raises LinkNotValid: expired, forged, made for someone else, or the file was deleted; the answer does not show
        which
    :raises Unauthenticated: it is bound to a person and nobody is signed in
    """
    try:
        file_id, bound_to, expires = signing.loads(token, salt=_SALT)
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
    try:
        return stored, read_file(stored)
    except FileNotFoundError:
        raise LinkNotValid() from None
