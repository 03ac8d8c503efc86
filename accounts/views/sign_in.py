"""Signing in and refreshing, and what a signed-in person does with their session."""

from typing import Any

from django.utils.translation import gettext as _

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
from accounts.outputs.people import MeOutput
from accounts.outputs.sign_in import ChallengeOutput, RefreshOutput, TokensOutput, login_output
from accounts.services import login, passkeys, sessions, verification
from accounts.views.callers import caller_of
from core import clock, context
from core.api import limits
from core.api.operations import operation
from core.api.outputs import Message
from core.api.permissions import Open, SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet


class SignIn(ApiViewSet):
    permission_classes = [Open]

    @operation(
        "login",
        LoginInput,
        returns=TokensOutput | ChallengeOutput,
        errors=[errors.InvalidCredentials, errors.AccountSuspended, limits.RateLimited],
    )
    def login(self, request: Request, data: dict[str, Any]) -> TokensOutput | ChallengeOutput:
        """Log in"""
        return login_output(login.log_in(**data, **caller_of(request)))

    @operation(
        "loginWithSecondFactor",
        SecondStepInput,
        returns=TokensOutput,
        errors=[
            errors.TwoFactorTokenInvalid,
            errors.CodeInvalid,
            errors.SecondFactorLocked,
            errors.PasskeyInvalid,
            errors.AccountSuspended,
            limits.RateLimited,
        ],
    )
    def second_step(self, request: Request, data: dict[str, Any]) -> TokensOutput:
        """Finish a login with the second factor"""
        return TokensOutput.of(login.take_second_step(**data, **caller_of(request)))

    @operation(
        "getSecondFactorPasskeyOptions",
        ChallengeTokenInput,
        returns=PasskeyQuestion,
        errors=[errors.TwoFactorTokenInvalid, errors.NoPasskey, limits.RateLimited],
    )
    def second_step_passkey(self, request: Request, data: dict[str, Any]) -> PasskeyQuestion:
        """
        Ask for a passkey as the second factor of a login

        Its answer goes to `POST /api/auth/login/2fa` as `credential`.
        """
        address = context.client_address.get()
        return PasskeyQuestion(public_key=login.ask_for_passkey(**data, address=address, now=clock.now()))

    @operation("getPasskeyLoginOptions", returns=PasskeyQuestion, errors=[limits.RateLimited])
    def passkey_options(self, request: Request) -> PasskeyQuestion:
        """
        Ask for a passkey to log in with

        The same for everybody: the browser offers the passkeys that it has for this site.
        """
        limits.hit(passkeys.QUESTIONS_PER_ADDRESS, context.client_address.get())
        return PasskeyQuestion(public_key=passkeys.ask_for_any(now=clock.now()))

    @operation(
        "loginWithPasskey",
        PasskeyLoginInput,
        returns=TokensOutput,
        errors=[errors.PasskeyRefused, errors.AccountSuspended, limits.RateLimited],
    )
    def passkey(self, request: Request, data: dict[str, Any]) -> TokensOutput:
        """
        Log in with a passkey

        Stands for both steps: the key itself, and the finger, face or PIN that opens it.
        """
        return TokensOutput.of(login.log_in_with_passkey(**data, **caller_of(request)))

    @operation(
        "refreshTokens",
        RefreshInput,
        returns=RefreshOutput,
        errors=[errors.RefreshTokenInvalid, errors.TokenReused],
    )
    def refresh(self, request: Request, data: dict[str, Any]) -> RefreshOutput:
        """Refresh the tokens"""
        return RefreshOutput.of(sessions.refresh_session(**data, now=clock.now()))


class Own(ApiViewSet):
    """What a signed-in person does with their own account."""

    permission_classes = [SignedIn]

    @operation("getMe", returns=MeOutput)
    def me(self, request: Request) -> MeOutput:
        """Who am I"""
        return MeOutput.of(request.user)

    @operation(
        "resendVerification",
        returns=Message,
        errors=[errors.EmailAlreadyVerified, limits.RateLimited],
    )
    def resend_verification(self, request: Request) -> Message:
        """Send the verification mail again"""
        if request.user.email_verified:
            raise errors.EmailAlreadyVerified()
        limits.hit(verification.MAILS, request.user.pk)
        verification.mail_link(user=request.user, now=clock.now())
        return Message(message=_("Verification email sent"))

    @operation("logout", returns=Message)
    def logout(self, request: Request) -> Message:
        """Log out"""
        session = current_session(request)
        sessions.close_session(user=request.user, session_id=session.pk, because="logout", now=clock.now())
        return Message(message=_("Logged out successfully"))

    @operation("logoutAll", returns=Message)
    def logout_all(self, request: Request) -> Message:
        """Log out everywhere"""
        sessions.close_sessions(user=request.user, because="logout_all", now=clock.now())
        return Message(message=_("Logged out everywhere"))

    @operation(
        "stepUp",
        StepUpInput,
        returns=Message,
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
    def step_up(self, request: Request, data: dict[str, Any]) -> Message:
        """Confirm that it is you"""
        login.step_up(session=current_session(request), **data, **caller_of(request))
        return Message(message=_("Confirmed"))

    @operation(
        "getStepUpPasskeyOptions",
        returns=PasskeyQuestion,
        errors=[errors.NoPasskey, limits.RateLimited],
    )
    def step_up_passkey(self, request: Request) -> PasskeyQuestion:
        """
        Ask for a passkey to confirm that it is you

        Its answer goes to `POST /api/auth/step-up` as `credential`.
        """
        limits.hit(passkeys.QUESTIONS_PER_ADDRESS, context.client_address.get())
        purpose = PasskeyChallenge.Purpose.STEP_UP
        return PasskeyQuestion(public_key=passkeys.ask(user=request.user, purpose=purpose, now=clock.now()))
