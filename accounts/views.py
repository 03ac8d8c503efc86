"""/api/auth, and the second factor and the login history under /api/profile: parse, one call, answer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework.response import Response

from accounts import errors
from accounts.authentication import current_session
from accounts.models import LoginAttempt, PasskeyChallenge, Session
from accounts.permissions import TwoFactorRecent
from accounts.serializers import (
    ChallengeOutput,
    ChallengeTokenInput,
    ChangePasswordInput,
    CodeInput,
    EnrolmentOutput,
    ForgotPasswordInput,
    LoginAttemptOutput,
    LoginInput,
    MeOutput,
    PasskeyLoginInput,
    PasskeyQuestion,
    RecoveryCodesOutput,
    RefreshInput,
    RefreshOutput,
    RegisterInput,
    ResetPasswordInput,
    SecondStepInput,
    SessionOutput,
    StepUpInput,
    TokenInput,
    TokensOutput,
    TwoFactorOutput,
    me,
)
from accounts.services import login, passkeys, passwords, recovery, registration, sessions, two_factor, verification
from core import context
from core.api import limits
from core.api.openapi import Message, describe
from core.api.pages import paginate
from core.api.permissions import Open, SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from core.devices import sent_by


def _device(request: Request) -> str:
    return sent_by(request.headers)


def _caller(request: Request) -> dict[str, Any]:
    """Where a proof of identity comes from, and when."""
    return {"address": context.client_address.get(), "device": _device(request), "now": timezone.now()}


def _login(outcome: sessions.Tokens | login.Challenge) -> dict[str, object]:
    if isinstance(outcome, sessions.Tokens):
        return _signed_in(outcome)
    return {
        "twoFactorRequired": True,
        "twoFactorToken": outcome.token,
        "methods": outcome.methods,
        "expiresIn": outcome.expires_in,
    }


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
        errors=[errors.EmailTaken, errors.InvitationInvalid, limits.RateLimited],
    )
    def register(self, request: Request) -> Response:
        limits.hit(registration.PER_ADDRESS, context.client_address.get())
        data = parse(RegisterInput, request)
        tokens = registration.register(**data, device=_device(request), now=timezone.now())
        return Response(_signed_in(tokens), 201)

    @describe("Verify an e-mail address", request=TokenInput, answer=Message, errors=[errors.MailedTokenInvalid])
    def verify_email(self, request: Request) -> Response:
        verification.verify_email(token=parse(TokenInput, request)["token"], now=timezone.now())
        return Response({"message": _("Email successfully verified")})


class SignIn(ApiViewSet):
    permission_classes = [Open]

    @describe(
        "Log in",
        request=LoginInput,
        answer=PolymorphicProxySerializer("Login", [TokensOutput, ChallengeOutput], resource_type_field_name=None),
        errors=[errors.InvalidCredentials, errors.AccountSuspended, limits.RateLimited],
    )
    def login(self, request: Request) -> Response:
        return Response(_login(login.log_in(**parse(LoginInput, request), **_caller(request))))

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
        return Response(_signed_in(login.take_second_step(**parse(SecondStepInput, request), **_caller(request))))

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
        return Response(_signed_in(login.log_in_with_passkey(credential=credential, **_caller(request))))

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
        login.step_up(session=current_session(request), **parse(StepUpInput, request), **_caller(request))
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


class Passwords(ApiViewSet):
    permission_classes = [Open]
    gates = {"change": [SignedIn]}

    @describe(
        "Ask for a link that resets the password",
        request=ForgotPasswordInput,
        answer=Message,
        errors=[limits.RateLimited],
        details="The same answer whether or not there is such an account.",
    )
    def forgot(self, request: Request) -> Response:
        email = parse(ForgotPasswordInput, request)["email"]
        passwords.ask_for_reset(email=email, address=context.client_address.get(), now=timezone.now())
        return Response({"message": _("Password reset email sent")})

    @describe(
        "Reset the password",
        request=ResetPasswordInput,
        answer=Message,
        errors=[errors.MailedTokenInvalid],
        limited=True,
        details="Ends every session and opens none. A second factor stays as it is.",
    )
    def reset(self, request: Request) -> Response:
        passwords.reset_password(**parse(ResetPasswordInput, request), **_caller(request))
        return Response({"message": _("Password successfully reset")})

    @describe(
        "Change the password",
        request=ChangePasswordInput,
        answer=Message,
        errors=[errors.InvalidCredentials, limits.RateLimited],
        details="Ends the other sessions.",
    )
    def change(self, request: Request) -> Response:
        data = parse(ChangePasswordInput, request)
        passwords.change_password(session=current_session(request), **data, **_caller(request))
        return Response({"message": _("Password changed")})


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


class SecondFactor(ApiViewSet):
    """The authenticator app and the recovery codes of a signed-in person; passkeys are in `passkey_views`."""

    permission_classes = [TwoFactorRecent]
    gates = {"verify": [SignedIn]}

    @describe(
        "Set up an authenticator app", answer=EnrolmentOutput, errors=[errors.TwoFactorOn, errors.StaffFactorByMail]
    )
    def set_up(self, request: Request) -> Response:
        enrolment = two_factor.enroll(user=request.user, session=current_session(request), now=timezone.now())
        return Response(EnrolmentOutput(enrolment).data)

    @describe(
        "Switch the second factor on with a first code",
        request=CodeInput,
        answer=RecoveryCodesOutput,
        errors=[
            errors.TwoFactorOn,
            errors.TwoFactorNotSetUp,
            errors.StepUpRequired,
            errors.StaffFactorByMail,
            errors.CodeInvalid,
            errors.SecondFactorLocked,
        ],
        details="The secret has to be at most ten minutes old. Beside another factor it asks for a step-up.",
    )
    def verify(self, request: Request) -> Response:
        code = parse(CodeInput, request)["code"]
        codes = two_factor.confirm(user=request.user, code=code, session=current_session(request), now=timezone.now())
        return Response({"twoFactorEnabled": True, "recoveryCodes": codes})

    @describe("Replace the recovery codes", answer=RecoveryCodesOutput, errors=[errors.TwoFactorOff])
    def replace_recovery_codes(self, request: Request) -> Response:
        codes = recovery.replace_codes(user=request.user, now=timezone.now())
        return Response({"twoFactorEnabled": True, "recoveryCodes": codes})

    @describe(
        "Remove the authenticator app",
        answer=TwoFactorOutput,
        errors=[errors.TwoFactorNotSetUp],
        details="Without a passkey the second factor goes off with it.",
    )
    def remove_app(self, request: Request) -> Response:
        two_factor.remove_app(user=request.user, now=timezone.now())
        request.user.refresh_from_db(fields=["two_factor_enabled_at"])
        return Response({"twoFactorEnabled": request.user.two_factor_enabled})

    @describe(
        "Switch the second factor off",
        answer=TwoFactorOutput,
        errors=[errors.TwoFactorOff, errors.OnlyWayIn],
        details="Forgets the authenticator app, every passkey and the recovery codes.",
    )
    def switch_off(self, request: Request) -> Response:
        two_factor.switch_off(user=request.user, by=request.user, now=timezone.now())
        return Response({"twoFactorEnabled": False})


class LoginHistory(ApiViewSet):
    permission_classes = [SignedIn]

    @describe("My sign-ins, and failures to sign in as me", page_of=LoginAttemptOutput)
    def list(self, request: Request) -> Response:
        attempts = LoginAttempt.objects.filter(user=request.user)
        return Response(paginate(request, attempts, lambda rows: list(LoginAttemptOutput(rows, many=True).data)))
