"""Signed-in devices and the login history."""

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts.authentication import current_session
from accounts.models import LoginAttempt, Session
from accounts.outputs.sessions import LoginAttemptOutput, SessionOutput
from accounts.services import sessions
from core.api.openapi import Message, describe
from core.api.pages import paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet


class Sessions(ApiViewSet):
    permission_classes = [SignedIn]

    @describe("My devices", page_of=SessionOutput)
    def list(self, request: Request) -> Response:
        live = Session.objects.live_at(timezone.now()).filter(user=request.user)
        current = current_session(request).pk

        def output(rows: Sequence[Session]) -> list[object]:
            for row in rows:
                row.current = row.pk == current  # type: ignore[attr-defined]
            return list(SessionOutput(rows, many=True).data)

        return Response(paginate(request, live, output))

    @describe("Log one device out", answer=Message)
    def close(self, request: Request, session_id: UUID) -> Response:
        sessions.close_session(user=request.user, session_id=session_id, because="closed", now=timezone.now())
        return Response({"message": _("Session ended")})


class LoginHistory(ApiViewSet):
    permission_classes = [SignedIn]

    @describe("My sign-ins, and failures to sign in as me", page_of=LoginAttemptOutput)
    def list(self, request: Request) -> Response:
        attempts = LoginAttempt.objects.filter(user=request.user)
        return Response(paginate(request, attempts, lambda rows: list(LoginAttemptOutput(rows, many=True).data)))
