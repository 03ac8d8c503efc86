"""Serving files: public ones under /media/, unless the store has an address of its own; private ones by link."""

from typing import TypeVar

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.request import Request

from core import clock
from core.api.errors import Unauthenticated
from core.api.methods import only
from core.api.operations import operation
from core.api.permissions import Open
from core.api.views import ApiViewSet
from uploads.errors import LinkNotValid
from uploads.models import StoredFile
from uploads.services.files import EXTENSIONS, PDF, ZIP
from uploads.services.links import open_link

R = TypeVar("R", bound=HttpResponseBase)

_DOWNLOADS = {PDF: "pdf", ZIP: "zip"}
_OPENED = (*EXTENSIONS, *_DOWNLOADS)
_TYPES = {extension: content_type for content_type, extension in EXTENSIONS.items()}


@only("GET")
def media(request: HttpRequest, name: str) -> HttpResponseBase:
    """A public picture. Names are random and never reused, so it may be kept for a year."""
    try:
        handle = default_storage.open(name)
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(handle, content_type=_TYPES[name.rpartition(".")[2]])
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return harmless(response)


class Files(ApiViewSet):
    permission_classes = [Open]

    @operation(
        "downloadFile",
        files=sorted(_OPENED),
        may_sign_in=True,
        errors=[LinkNotValid, Unauthenticated],
    )
    def retrieve(self, request: Request, token: str) -> HttpResponse:
        """Open a signed link to a private file"""
        return file_response(*open_link(token, viewer_id=request.user.pk, now=clock.now()))


def file_response(stored: StoredFile, content: bytes) -> HttpResponse:
    """A private file: a redrawn picture to look at, everything else to download; kept in no cache."""
    response = HttpResponse(content, content_type=stored.content_type)
    if not stored.is_image:
        response["Content-Disposition"] = (
            f'attachment; filename="{stored.purpose}-{stored.pk.hex[-8:]}.{_DOWNLOADS[stored.content_type]}"'
        )
    response["Cache-Control"] = "private, no-store"
    return harmless(response)


def harmless(response: R) -> R:
    """Whatever the bytes are, a browser neither guesses their type nor runs anything in them."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
