"""Signed-in devices and the login history."""

from functools import partial
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.authentication import current_session
from accounts.models import LoginAttempt, Session
from accounts.outputs.sessions import LoginAttemptOutput, SessionOutput
from accounts.services import sessions
from core import clock
from core.api.operations import operation
from core.api.outputs import Message, Page
from core.api.pages import paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet


class Sessions(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listSessions", returns=Page[SessionOutput])
    def list(self, request: Request) -> Page[SessionOutput]:
        """My devices"""
        live = Session.objects.live_at(clock.now()).filter(user=request.user)
        return paginate(request, live, partial(SessionOutput.of, current=current_session(request)))

    @operation("closeSession", returns=Message)
    def close(self, request: Request, session_id: UUID) -> Message:
        """Log one device out"""
        sessions.close_session(user=request.user, session_id=session_id, because="closed", now=clock.now())
        return Message(message=_("Session ended"))


class LoginHistory(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listLoginHistory", returns=Page[LoginAttemptOutput])
    def list(self, request: Request) -> Page[LoginAttemptOutput]:
        """My sign-ins, and failures to sign in as me"""
        attempts = LoginAttempt.objects.filter(user=request.user)
        return paginate(request, attempts, LoginAttemptOutput.of)
