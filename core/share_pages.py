"""
Pages that anybody may open from a link, with what chats and networks read for their preview (docs/share-pages.md).

A view returns `share_page(...)` or, for the picture of its preview, `drawn_picture(...)`. Nobody is signed in on them
and no cookie is set, so that they may be cached for a moment.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, wraps
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from core import context
from core.api import errors, limits, problems
from core.api.limits import Limit, RateLimited
from core.api.methods import only
from core.previews import HEIGHT, WIDTH, Preview, draw

CACHED = timedelta(minutes=1)
"""How long a page may be shown from a cache after what it shows is hidden, edited or deleted."""
PICTURE_CACHED = timedelta(minutes=5)
DRAWING = Limit("pages:preview", 120, timedelta(minutes=1))
"""Per network address: drawing takes 25 ms of processor time."""
_drawn = lru_cache(maxsize=64)(draw)


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of a preview, at an absolute address."""

    url: str
    alt: str
    type: str
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """What a chat or network shows for the page."""

    title: str
    description: str
    link: str
    picture: Picture
    kind: str = "website"
    """The type of Open Graph (https://ogp.me/#types)."""


def share_url(kind: str, key: object) -> str:
    """
    The address of a page that anybody may open.

    :param kind: what it shows, as in its path: `post`, `group`, `channel` or `campaign`
    """
    return f"{settings.PUBLIC_URL}/s/{kind}/{key}"


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view of a page for anybody: its `NotFound` is the page of an address that leads nowhere."""

    @only("GET")
    @wraps(view)
    def answer(request: HttpRequest, **arguments: Any) -> HttpResponse:
        try:
            return view(request, **arguments)
        except errors.NotFound:
            raise Http404 from None
        except RateLimited as refusal:
            return problems.answer(refusal)

    return answer


def share_page(
    request: HttpRequest, template: str, head: Head, *, media_from: Iterable[str], **facts: Any
) -> HttpResponse:
    """
    :param media_from: origins that pictures and videos of the page come from
    """
    answer = render(request, template, {"head": head, **facts})
    cache_for(answer, CACHED)
    patch_vary_headers(answer, ["Accept"])
    allow_media(answer, media_from)
    return answer


def allow_media(answer: HttpResponse, origins: Iterable[str]) -> None:
    """Let the content policy of a page admit pictures and videos from these origins too."""
    given = list(origins)
    # What django-csp's decorator sets, which knows constants only.
    answer._csp_update = {"img-src": given, "media-src": ["'self'", *given]}  # type: ignore[attr-defined]


def preview_picture(link: str, preview: Preview, alt: str) -> Picture:
    """
    The address at which `drawn_picture` answers for the page at `link`. It changes when another picture would be
    drawn, since networks keep what they have fetched from one.
    """
    drawn_from = sha256(repr(preview).encode()).hexdigest()[:12]
    return Picture(f"{link}/preview.png?v={drawn_from}", alt, "image/png", WIDTH, HEIGHT)


def drawn_picture(preview: Preview) -> HttpResponse:
    """:raises RateLimited: the network address has had many drawn"""
    limits.hit(DRAWING, context.client_address.get())
    answer = HttpResponse(_drawn(preview), content_type="image/png")
    cache_for(answer, PICTURE_CACHED)
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


def cache_for(answer: HttpResponse, time: timedelta) -> None:
    answer["Cache-Control"] = f"public, max-age={int(time.total_seconds())}"
