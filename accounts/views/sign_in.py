"""Signing in and refreshing, and what a signed-in person does with their session."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework.response import Response

from accounts import errors
from accounts.authentication import current_session
from accounts.inputs.sign_in import (
    ChallengeTokenInput,
    LoginInput,
    PasskeyLoginInput,
    RefreshInput,
    SecondStepInput,
    StepUpInput,
)
from accounts.models import PasskeyChallenge
from accounts.outputs.passkeys import PasskeyQuestion
from accounts.outputs.people import MeOutput, me
from accounts.outputs.sign_in import ChallengeOutput, RefreshOutput, TokensOutput
from accounts.services import login, passkeys, sessions, verification
from accounts.views.callers import caller_of, login_answer, refresh_answer, tokens_answer
from core import context
from core.api import limits
from core.api.openapi import Message, describe
from core.api.permissions import Open, SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet


class SignIn(ApiViewSet):
    permission_classes = [Open]

    @describe(
        "Log in",
        request=LoginInput,
        answer=PolymorphicProxySerializer("Login", [TokensOutput, ChallengeOutput], resource_type_field_name=None),
        errors=[errors.InvalidCredentials, errors.AccountSuspended, limits.RateLimited],
    )
    def login(self, request: Request) -> Response:
        return Response(login_answer(login.log_in(**parse(LoginInput, request), **caller_of(request))))

    @describe(
        "Finish a login with the second factor",
        request=SecondStepInput,
        answer=TokensOutput,
        errors=[
            errors.TwoFactorTokenInvalid,
            errors.CodeInvalid,
            errors.SecondFactorLocked,
            errors.PasskeyInvalid,
            errors.AccountSuspended,
            limits.RateLimited,
        ],
    )
    def second_step(self, request: Request) -> Response:
        return Response(tokens_answer(login.take_second_step(**parse(SecondStepInput, request), **caller_of(request))))

    @describe(
        "Ask for a passkey as the second factor of a login",
        request=ChallengeTokenInput,
        answer=PasskeyQuestion,
        errors=[errors.TwoFactorTokenInvalid, errors.NoPasskey, limits.RateLimited],
        details="Its answer goes to `POST /api/auth/login/2fa` as `credential`.",
    )
    def second_step_passkey(self, request: Request) -> Response:
        token = parse(ChallengeTokenInput, request)["two_factor_token"]
        address = context.client_address.get()
        question = login.ask_for_passkey(two_factor_token=token, address=address, now=timezone.now())
        return Response({"publicKey": question})

    @describe(
        "Ask for a passkey to log in with",
        answer=PasskeyQuestion,
        errors=[limits.RateLimited],
        details="The same for everybody: the browser offers the passkeys that it has for this site.",
    )
    def passkey_options(self, request: Request) -> Response:
        limits.hit(passkeys.QUESTIONS_PER_ADDRESS, context.client_address.get())
        return Response({"publicKey": passkeys.ask_for_any(now=timezone.now())})

    @describe(
        "Log in with a passkey",
        request=PasskeyLoginInput,
        answer=TokensOutput,
        errors=[errors.PasskeyRefused, errors.AccountSuspended, limits.RateLimited],
        details="Stands for both steps: the key itself, and the finger, face or PIN that opens it.",
    )
    def passkey(self, request: Request) -> Response:
        credential = parse(PasskeyLoginInput, request)["credential"]
        return Response(tokens_answer(login.log_in_with_passkey(credential=credential, **caller_of(request))))

    @describe(
        "Refresh the tokens",
        request=RefreshInput,
        answer=RefreshOutput,
        errors=[errors.RefreshTokenInvalid, errors.TokenReused],
    )
    def refresh(self, request: Request) -> Response:
        token = parse(RefreshInput, request)["refresh_token"]
        return Response(refresh_answer(sessions.refresh_session(refresh_token=token, now=timezone.now())))


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
        limits.hit(verification.MAILS, request.user.pk)
        verification.mail_link(user=request.user, now=timezone.now())
        return Response({"message": _("Verification email sent")})

    @describe("Log out", answer=Message)
    def logout(self, request: Request) -> Response:
        session = current_session(request)
        sessions.close_session(user=request.user, session_id=session.pk, because="logout", now=timezone.now())
        return Response({"message": _("Logged out successfully")})

    @describe("Log out everywhere", answer=Message)
    def logout_all(self, request: Request) -> Response:
        sessions.close_sessions(user=request.user, because="logout_all", now=timezone.now())
        return Response({"message": _("Logged out everywhere")})

    @describe(
        "Confirm that it is you",
        request=StepUpInput,
        answer=Message,
        errors=[
            errors.InvalidCredentials,
            errors.TwoFactorRequired,
            errors.TwoFactorOff,
            errors.CodeInvalid,
            errors.SecondFactorLocked,
            errors.PasskeyInvalid,
            limits.RateLimited,
        ],
    )
    def step_up(self, request: Request) -> Response:
        login.step_up(session=current_session(request), **parse(StepUpInput, request), **caller_of(request))
        return Response({"message": _("Confirmed")})

    @describe(
        "Ask for a passkey to confirm that it is you",
        answer=PasskeyQuestion,
        errors=[errors.NoPasskey, limits.RateLimited],
        details="Its answer goes to `POST /api/auth/step-up` as `credential`.",
    )
    def step_up_passkey(self, request: Request) -> Response:
        limits.hit(passkeys.QUESTIONS_PER_ADDRESS, context.client_address.get())
        purpose = PasskeyChallenge.Purpose.STEP_UP
        return Response({"publicKey": passkeys.ask(user=request.user, purpose=purpose, now=timezone.now())})
