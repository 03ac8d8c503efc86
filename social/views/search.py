"""/api/social/search: parse, one call, answer."""

from datetime import timedelta
from typing import Any

from core import clock
from core.api import limits
from core.api.operations import operation
from core.api.outputs import Page
from core.api.pages import asked_part
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from social import errors
from social.inputs.search import SearchQuery
from social.outputs.search import Hit, Kind
from social.selectors.search import KEYS, search_page

PER_PERSON = limits.Limit("search", 120, timedelta(minutes=1))
"""Somebody who types and sees results with each letter stays below it."""


class Search(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("search", query=SearchQuery, returns=Page[Hit], errors=[errors.NothingToLookFor, limits.RateLimited])
    def list(self, request: Request, query: dict[str, Any]) -> Page[Hit]:
        """
        Search people, posts, groups, channels or campaigns

        The best first, only what I may see; of posts the newest 500 that match, of the rest 1,000 or more.
        """
        limits.hit(PER_PERSON, request.user.pk)
        part = asked_part(request, keys=KEYS)
        return search_page(request.user, Kind(query["type"]), query["q"], part, clock.now())
