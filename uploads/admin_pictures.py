"""Pictures on pages of the admin: ads and campaigns under review."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.http import HttpResponse

from uploads.models import StoredFile
from uploads.outputs import MediaCard


def pictures_here(files: Sequence[StoredFile], now: datetime) -> list[MediaCard]:
    """
    Cards whose files open on a page of the admin. What this server serves has no host: staff may reach the admin under
    another name than `PUBLIC_URL`, such as through a tunnel.
    """
    cards = [MediaCard.of(file, now) for file in files]
    return [msgspec.structs.replace(card, url=card.url.removeprefix(settings.PUBLIC_URL)) for card in cards]


def let_load(answer: HttpResponse, cards: Sequence[MediaCard]) -> None:
    """Let the content policy of a page load pictures from a store that has an address of its own."""
    stores = {f"{store.scheme}://{store.netloc}" for card in cards if (store := urlsplit(card.url)).netloc}
    if stores:
        policy: Any = answer
        policy._csp_update = {"img-src": sorted(stores)}  # what django-csp's decorator sets, which knows constants only
