"""/api/auth: parse, one call, answer."""

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts import errors
from accounts.authentication import current_session
from accounts.models import Session
from accounts.serializers import (
    LoginInput,
    MeOutput,
    RefreshInput,
    RefreshOutput,
    RegisterInput,
    SessionOutput,
    StepUpInput,
    TokenInput,
    TokensOutput,
    me,
)
from accounts.services import login, registration, sessions, verification
from core import context, limits
from core.openapi import Message, describe
from core.pages import paginate
from core.permissions import Open, SignedIn
from core.requests import Request
from core.serializers import parse
from core.views import ApiViewSet


def _device(request: Request) -> str:
    return request.headers.get("User-Agent", "")[:200]


def _signed_in(tokens: sessions.Tokens) -> dict[str, object]:
    user = tokens.session.user
    return {
        **_refreshed(tokens),
        "user": {"id": user.pk, "email": user.email, "firstName": user.first_name, "lastName": user.last_name},
    }


def _refreshed(tokens: sessions.Tokens) -> dict[str, object]:
    return {"token": tokens.token, "refreshToken": tokens.refresh_token, "expiresIn": tokens.expires_in}


class SignUp(ApiViewSet):
    permission_classes = [Open]

    @describe(
        "Register",
        request=RegisterInput,
        answer=TokensOutput,
        status=201,
        errors=[errors.EmailTaken, errors.InvitationInvalid],
    )
    def register(self, request: Request) -> Response:
        standing = limits.hit(registration.PER_ADDRESS, context.client_address.get())
        data = parse(RegisterInput, request)
        tokens = registration.register(**data, device=_device(request), now=timezone.now())
        return Response(_signed_in(tokens), 201, headers=standing.headers)

    @describe("Verify an e-mail address", request=TokenInput, answer=Message, errors=[errors.MailedTokenInvalid])
    def verify_email(self, request: Request) -> Response:
        verification.verify_email(token=parse(TokenInput, request)["token"], now=timezone.now())
        return Response({"message": _("Email successfully verified")})


class SignIn(ApiViewSet):
    permission_classes = [Open]

    @describe(
        "Log in",
        request=LoginInput,
        answer=TokensOutput,
        errors=[errors.InvalidCredentials, errors.AccountSuspended, limits.RateLimited],
    )
    def login(self, request: Request) -> Response:
        tokens = login.log_in(
            **parse(LoginInput, request),
            address=context.client_address.get(),
            device=_device(request),
            now=timezone.now(),
        )
        return Response(_signed_in(tokens))

    @describe(
        "Refresh the tokens",
        request=RefreshInput,
        answer=RefreshOutput,
        errors=[errors.RefreshTokenInvalid, errors.TokenReused],
    )
    def refresh(self, request: Request) -> Response:
        token = parse(RefreshInput, request)["refresh_token"]
        return Response(_refreshed(sessions.refresh_session(refresh_token=token, now=timezone.now())))


class Own(ApiViewSet):
    """What a signed-in person does with their own account."""

    permission_classes = [SignedIn]

    @describe("Who am I", answer=MeOutput)
    def me(self, request: Request) -> Response:
        return Response(me(request.user))

    @describe(
        "Send the verification mail again", answer=Message, errors=[errors.EmailAlreadyVerified, limits.RateLimited]
    )
    def resend_verification(self, request: Request) -> Response:
        if request.user.email_verified:
            raise errors.EmailAlreadyVerified()
        standing = limits.hit(verification.MAILS, request.user.pk)
        verification.mail_link(user=request.user, now=timezone.now())
        return Response({"message": _("Verification email sent")}, headers=standing.headers)

    @describe("Log out", answer=Message)
    def logout(self, request: Request) -> Response:
        session = current_session(request)
        sessions.close_session(user=request.user, session_id=session.pk, because="logout", now=timezone.now())
        return Response({"message": _("Logged out successfully")})

    @describe("Log out everywhere", answer=Message)
    def logout_all(self, request: Request) -> Response:
        sessions.close_sessions(user=request.user, because="logout_all", now=timezone.now())
        return Response({"message": _("Logged out everywhere")})

    @describe("Confirm that it is you", request=StepUpInput, answer=Message, errors=[errors.InvalidCredentials])
    def step_up(self, request: Request) -> Response:
        login.step_up(
            session=current_session(request),
            password=parse(StepUpInput, request)["password"],
            address=context.client_address.get(),
            now=timezone.now(),
        )
        return Response({"message": _("Confirmed")})


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
