"""Registering, verifying an address, and passwords."""

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts import errors
from accounts.authentication import current_session
from accounts.inputs.people import (
    ChangePasswordInput,
    ForgotPasswordInput,
    RegisterInput,
    ResetPasswordInput,
    TokenInput,
)
from accounts.outputs.sign_in import TokensOutput
from accounts.services import passwords, registration, verification
from accounts.views.callers import caller_of, device_of, tokens_answer
from core import context
from core.api import limits
from core.api.operations import operation
from core.api.outputs import Message
from core.api.permissions import Open, SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet


class SignUp(ApiViewSet):
    permission_classes = [Open]

    @operation(
        "register",
        RegisterInput,
        returns=TokensOutput,
        status=201,
        errors=[errors.EmailTaken, errors.InvitationInvalid, limits.RateLimited],
    )
    def register(self, request: Request) -> Response:
        """Register"""
        limits.hit(registration.PER_ADDRESS, context.client_address.get())
        data = parse(RegisterInput, request)
        tokens = registration.register(**data, device=device_of(request), now=timezone.now())
        return Response(tokens_answer(tokens), 201)

    @operation("verifyEmail", TokenInput, returns=Message, errors=[errors.MailedTokenInvalid])
    def verify_email(self, request: Request) -> Response:
        """Verify an e-mail address"""
        verification.verify_email(token=parse(TokenInput, request)["token"], now=timezone.now())
        return Response({"message": _("Email successfully verified")})


class Passwords(ApiViewSet):
    permission_classes = [Open]
    gates = {"change": [SignedIn]}

    @operation("forgotPassword", ForgotPasswordInput, returns=Message, errors=[limits.RateLimited])
    def forgot(self, request: Request) -> Response:
        """
        Ask for a link that resets the password

        The same answer whether or not there is such an account.
        """
        email = parse(ForgotPasswordInput, request)["email"]
        passwords.ask_for_reset(email=email, address=context.client_address.get(), now=timezone.now())
        return Response({"message": _("Password reset email sent")})

    @operation(
        "resetPassword",
        ResetPasswordInput,
        returns=Message,
        errors=[errors.MailedTokenInvalid],
        limited=True,
    )
    def reset(self, request: Request) -> Response:
        """
        Reset the password

        Ends every session and opens none. A second factor stays as it is.
        """
        passwords.reset_password(**parse(ResetPasswordInput, request), **caller_of(request))
        return Response({"message": _("Password successfully reset")})

    @operation(
        "changePassword",
        ChangePasswordInput,
        returns=Message,
        errors=[errors.InvalidCredentials, limits.RateLimited],
    )
    def change(self, request: Request) -> Response:
        """
        Change the password

        Ends the other sessions.
        """
        data = parse(ChangePasswordInput, request)
        passwords.change_password(session=current_session(request), **data, **caller_of(request))
        return Response({"message": _("Password changed")})
