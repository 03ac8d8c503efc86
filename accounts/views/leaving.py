"""Exports of a person's data."""

from uuid import UUID

from rest_framework.response import Response

from accounts.outputs.leaving import ExportOutput
from accounts.permissions import TwoFactorRecent
from accounts.services import exports
from core import clock
from core.api import limits
from core.api.operations import operation
from core.api.requests import Request
from core.api.views import ApiViewSet


class Exports(ApiViewSet):
    """Everything we know of a person, for whom has just proved to be that person (SECURITY-GOALS 30)."""

    permission_classes = [TwoFactorRecent]

    @operation("requestExport", returns=ExportOutput, status=202, errors=[limits.RateLimited])
    def export(self, request: Request) -> Response:
        """
        Ask for everything about me

        A ZIP of JSON and files from every part of the platform is made, and a mail says when it is ready. While
        one is being made the same one is answered. At most five a day.
        """
        now = clock.now()
        limit = limits.hit(exports.PER_PERSON, request.user.pk)
        export = exports.request_export(person=request.user, now=now)
        return Response(ExportOutput.of(export, now=now), 202, headers=limit.headers)

    @operation("getExport", returns=ExportOutput)
    def show_export(self, request: Request, export_id: UUID) -> ExportOutput:
        """
        An archive of mine

        It is kept for seven days.
        """
        return ExportOutput.of(exports.access_export(request.user, export_id), now=clock.now())
