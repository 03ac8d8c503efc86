"""/api/social/feed"""

from dataclasses import replace
from functools import partial

from msgspec import structs

from core import clock
from core.api.operations import operation
from core.api.outputs import Page
from core.api.pages import asked_part
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from social.outputs.feed import FeedEntry
from social.selectors.feed import feed, feed_entries, feed_rows
from social.services.ads import next_ad

ITEMS_PER_AD = 10
PLACE_OF_THE_AD = 3
"""How many items of a page come before it."""


class Feed(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("getFeed", returns=Page[FeedEntry])
    def list(self, request: Request) -> Page[FeedEntry]:
        """
        My feed, newest first

        Posts of people, groups and channels that I follow and my own, and what happened to campaigns that I follow or
        back. `why` says why something is there. It reaches back a thousand items. A page of ten items and more, unless
        it is asked for by number, may have one ad among them.
        """
        now, part = clock.now(), asked_part(request, keys=("id",))
        rows = feed_rows(request.user, now, **part.parameters)
        entries = partial(feed_entries, now=now)
        has_place = min(part.limit, len(rows) + 1) >= ITEMS_PER_AD and "page" not in request.query_params
        ad = next_ad(request.user, now) if has_place and rows[0].has_ad else None
        if ad is None:
            return part.page_of(rows, together=entries, whole=lambda: feed(request.user, now))
        page = replace(part, limit=part.limit - 1).page_of(
            rows, together=entries, whole=lambda: feed(request.user, now)
        )
        items = [*page.items[:PLACE_OF_THE_AD], FeedEntry.of_ad(ad), *page.items[PLACE_OF_THE_AD:]]
        return structs.replace(page, items=items, limit=part.limit)
