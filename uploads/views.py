"""Serving files: public ones under /media/, unless the store has an address of its own; private ones by link."""

from typing import TypeVar

from django.http import Http404, HttpRequest, HttpResponseBase
from rest_framework.request import Request

from core import clock
from core.api import problems
from core.api.errors import Unauthenticated
from core.api.methods import only
from core.api.operations import operation
from core.api.permissions import Open
from core.api.views import ApiViewSet
from uploads.errors import LinkNotValid, RangeNotSatisfiable
from uploads.ranges import stream
from uploads.selectors import public_bytes
from uploads.services.files import PDF, ZIP
from uploads.services.links import Opened, open_link
from uploads.stores import EXTENSIONS

R = TypeVar("R", bound=HttpResponseBase)

_DOWNLOADS = {PDF: "pdf", ZIP: "zip"}
_OPENED = (*EXTENSIONS, *_DOWNLOADS)


@only("GET")
def media(request: HttpRequest, name: str) -> HttpResponseBase:
    """
    A public picture or video, or a part of it. Names are random and never reused, so it may be kept for a year. Whether
    it still is public is looked up: it may have been sealed or deleted.
    """
    kept = public_bytes(name)
    if kept is None:
        raise Http404
    try:
        response = stream(request, kept)
    except FileNotFoundError:
        raise Http404 from None
    except RangeNotSatisfiable as refusal:
        return problems.answer(refusal)
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return harmless(response)


class Files(ApiViewSet):
    permission_classes = [Open]

    @operation(
        "downloadFile",
        files=sorted(_OPENED),
        also={206: "The part that `Range` asks for."},
        may_sign_in=True,
        errors=[LinkNotValid, Unauthenticated, RangeNotSatisfiable],
    )
    def retrieve(self, request: Request, token: str) -> HttpResponseBase:
        """
        Open a signed link to a private file

        `Range: bytes=…` with one range gives that part, for players of videos.
        """
        return file_response(request, open_link(token, viewer_id=request.user.pk, now=clock.now()))


def file_response(request: HttpRequest | Request, opened: Opened) -> HttpResponseBase:
    """
    A private file: a picture or video to look at, everything else to download; kept by the client alone, and no longer
    than its link lives.

    :raises LinkNotValid: the store has lost it
    """
    try:
        response = stream(request, opened.content)
    except FileNotFoundError:
        raise LinkNotValid() from None
    content_type = opened.content.content_type
    if content_type in _DOWNLOADS:
        name = f"{opened.file.purpose}-{opened.file.pk.hex[-8:]}.{_DOWNLOADS[content_type]}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    seconds = 0 if content_type in _DOWNLOADS else int(opened.cached_for.total_seconds())
    response["Cache-Control"] = f"private, max-age={seconds}" if seconds else "private, no-store"
    return harmless(response)


def harmless(response: R) -> R:
    """Whatever the bytes are, a browser neither guesses their type nor runs anything in them."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
