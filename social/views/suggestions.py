"""/api/profile/connections"""

from core import clock
from core.api.operations import operation
from core.api.outputs import Page
from core.api.pages import asked_part
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from social.outputs.suggestions import Suggestion
from social.selectors.suggestions import KEYS, suggested, suggestion_rows


class Connections(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listConnections", returns=Page[Suggestion])
    def list(self, request: Request) -> Page[Suggestion]:
        """
        People I may know

        Those with whom I share groups, follows, or campaigns that both of us show, the most in common first.
        """
        now, part = clock.now(), asked_part(request, keys=KEYS)
        rows = suggestion_rows(request.user, now, **part.parameters)
        return part.page_of(rows, Suggestion.of_row, whole=lambda: suggested(request.user, now))
