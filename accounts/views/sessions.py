"""Signed-in devices and the login history."""

from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts.authentication import current_session
from accounts.models import LoginAttempt, Session
from accounts.outputs.sessions import LoginAttemptOutput, SessionOutput
from accounts.services import sessions
from core.api.operations import operation
from core.api.outputs import Message
from core.api.pages import paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet


class Sessions(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listSessions", page_of=SessionOutput)
    def list(self, request: Request) -> Response:
        """My devices"""
        live = Session.objects.live_at(timezone.now()).filter(user=request.user)
        current = current_session(request).pk

        def card(session: Session) -> object:
            session.current = session.pk == current  # type: ignore[attr-defined]
            return SessionOutput(session).data

        return Response(paginate(request, live, card))

    @operation("closeSession", returns=Message)
    def close(self, request: Request, session_id: UUID) -> Response:
        """Log one device out"""
        sessions.close_session(user=request.user, session_id=session_id, because="closed", now=timezone.now())
        return Response({"message": _("Session ended")})


class LoginHistory(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listLoginHistory", page_of=LoginAttemptOutput)
    def list(self, request: Request) -> Response:
        """My sign-ins, and failures to sign in as me"""
        attempts = LoginAttempt.objects.filter(user=request.user)
        return Response(paginate(request, attempts, lambda attempt: LoginAttemptOutput(attempt).data))
