"""/api/social/reports and /api/social/sanctions: parse, one call, answer."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from rest_framework.response import Response

from accounts.authentication import SessionOrAppeal
from accounts.permissions import EmailVerified
from core import clock
from core.api import limits
from core.api.errors import NotFound
from core.api.limits import Limit, RateLimited
from core.api.operations import operation
from core.api.outputs import Page
from core.api.pages import paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from social import errors, selectors
from social.inputs.moderation import AppealInput, ReportInput
from social.outputs.moderation import AppealOutput, ReportOutput, SanctionOutput
from social.services.appeals import APPEALING, appeal
from social.services.reports import report

REPORTING = Limit("social:reports", 60, timedelta(hours=1))


class Reports(ApiViewSet):
    permission_classes = [EmailVerified]

    @operation(
        "createReport",
        ReportInput,
        returns=ReportOutput,
        status=201,
        also={200: "You have reported this already, and a moderator has not decided yet: that report."},
        errors=[NotFound, errors.OwnThing, RateLimited],
    )
    def create(self, request: Request, data: dict[str, Any]) -> Response:
        """
        Report something to the moderators

        Nobody learns who reported it. Something is reported once at a time: again while it waits for a decision, the
        same report is answered.
        """
        limits.hit(REPORTING, request.user.pk)
        made, is_new = report(reporter=request.user, now=clock.now(), **data)
        return Response(ReportOutput.of(made), 201 if is_new else 200)


class Sanctions(ApiViewSet):
    """Also for somebody suspended, with the token that a refused login gave them."""

    authentication_classes = [SessionOrAppeal]
    permission_classes = [SignedIn]

    @operation("listSanctions", returns=Page[SanctionOutput])
    def list(self, request: Request) -> Page[SanctionOutput]:
        """
        What moderators decided about me and my things, newest first

        Somebody suspended sends the `appealToken` of the refused login as bearer token, here and to appeal.
        """
        sanctions = selectors.sanctions(request.user.pk)
        return paginate(request, sanctions, partial(SanctionOutput.of, now=clock.now()), order=("-id",))

    @operation(
        "appealSanction",
        AppealInput,
        returns=AppealOutput,
        status=201,
        errors=[errors.AlreadyAppealed, errors.NotAppealable, RateLimited],
    )
    def appeal(self, request: Request, sanction_id: UUID, data: dict[str, Any]) -> AppealOutput:
        """
        Appeal against a decision

        Once, within thirty days; during a suspension and within thirty days after it. A moderator who did not take the
        decision judges it.
        """
        limits.hit(APPEALING, request.user.pk)
        return AppealOutput.of(appeal(person=request.user, decision_id=sanction_id, now=clock.now(), **data))
