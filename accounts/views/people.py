"""Registering, verifying an address, and passwords."""

from typing import Any

from django.utils.translation import gettext as _

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
from accounts.views.callers import caller_of, device_of
from core import clock, context
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
    def register(self, request: Request) -> TokensOutput:
        """Register"""
        limits.hit(registration.PER_ADDRESS, context.client_address.get())  # a body that is refused counts, too
        data = parse(RegisterInput, request)
        return TokensOutput.of(registration.register(**data, device=device_of(request), now=clock.now()))

    @operation("verifyEmail", TokenInput, returns=Message, errors=[errors.MailedTokenInvalid])
    def verify_email(self, request: Request, data: dict[str, Any]) -> Message:
        """Verify an e-mail address"""
        verification.verify_email(**data, now=clock.now())
        return Message(message=_("Email successfully verified"))


class Passwords(ApiViewSet):
    permission_classes = [Open]
    action_permissions = {"change": [SignedIn]}

    @operation("forgotPassword", ForgotPasswordInput, returns=Message, errors=[limits.RateLimited])
    def forgot(self, request: Request, data: dict[str, Any]) -> Message:
        """
        Ask for a link that resets the password

        The same answer whether or not there is such an account.
        """
        passwords.ask_for_reset(**data, address=context.client_address.get(), now=clock.now())
        return Message(message=_("Password reset email sent"))

    @operation(
        "resetPassword",
        ResetPasswordInput,
        returns=Message,
        errors=[errors.MailedTokenInvalid],
        limited=True,
    )
    def reset(self, request: Request, data: dict[str, Any]) -> Message:
        """
        Reset the password

        Ends every session and opens none. A second factor stays as it is.
        """
        passwords.reset_password(**data, **caller_of(request))
        return Message(message=_("Password successfully reset"))

    @operation(
        "changePassword",
        ChangePasswordInput,
        returns=Message,
        errors=[errors.InvalidCredentials, limits.RateLimited],
    )
    def change(self, request: Request, data: dict[str, Any]) -> Message:
        """
        Change the password

        Ends the other sessions.
        """
        passwords.change_password(session=current_session(request), **data, **caller_of(request))
        return Message(message=_("Password changed"))
