"""/api/profile/passkeys: a person's own passkeys. Signing in with one is in `accounts.views.sign_in`."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts import errors
from accounts.authentication import current_session
from accounts.inputs.passkeys import NewPasskeyInput, PasskeyNameInput
from accounts.models import Passkey
from accounts.outputs.passkeys import NewPasskeyOutput, NewPasskeyQuestion, PasskeyOutput
from accounts.permissions import EmailVerified, TwoFactorRecent
from accounts.services import passkeys
from accounts.views.callers import device_of
from core import clock, context
from core.api import limits
from core.api.errors import NotFound
from core.api.operations import operation
from core.api.outputs import Message, Page
from core.api.pages import paginate
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from core.devices import device_name


class Passkeys(ApiViewSet):
    permission_classes = [TwoFactorRecent]
    action_permissions = {
        "list": [SignedIn],
        "rename": [SignedIn],
        "ask": [EmailVerified, TwoFactorRecent],
        "register": [EmailVerified, TwoFactorRecent],
    }

    @operation("listPasskeys", returns=Page[PasskeyOutput])
    def list(self, request: Request) -> Page[PasskeyOutput]:
        """My passkeys"""
        mine = Passkey.objects.filter(user=request.user)
        return paginate(request, mine, PasskeyOutput.of)

    @operation(
        "getNewPasskeyOptions",
        returns=NewPasskeyQuestion,
        errors=[errors.TooManyPasskeys, errors.StaffFactorByMail, limits.RateLimited],
    )
    def ask(self, request: Request) -> NewPasskeyQuestion:
        """
        Ask for a new passkey

        Its answer goes to `POST /api/profile/passkeys`.
        """
        limits.hit(passkeys.QUESTIONS_PER_ADDRESS, context.client_address.get())
        options = passkeys.ask_for_new(user=request.user, session=current_session(request), now=clock.now())
        return NewPasskeyQuestion(public_key=options)

    @operation(
        "addPasskey",
        NewPasskeyInput,
        returns=NewPasskeyOutput,
        status=201,
        errors=[errors.PasskeyInvalid, errors.PasskeyTaken, errors.TooManyPasskeys, errors.StaffFactorByMail],
    )
    def register(self, request: Request, data: dict[str, Any]) -> NewPasskeyOutput:
        """
        Register a passkey

        The first second factor of a person switches two-factor sign-in on and brings the recovery codes.
        """
        registered = passkeys.register(
            user=request.user,
            credential=data["credential"],
            name=data.get("name") or device_name(device_of(request)),
            session=current_session(request),
            now=clock.now(),
        )
        return NewPasskeyOutput.of_registered(registered)

    @operation("renamePasskey", PasskeyNameInput, returns=PasskeyOutput, errors=[NotFound])
    def rename(self, request: Request, passkey_id: UUID, data: dict[str, Any]) -> PasskeyOutput:
        """Rename a passkey"""
        return PasskeyOutput.of(passkeys.rename(user=request.user, passkey_id=passkey_id, now=clock.now(), **data))

    @operation("removePasskey", returns=Message, errors=[NotFound, errors.OnlyWayIn])
    def remove(self, request: Request, passkey_id: UUID) -> Message:
        """
        Remove a passkey

        With the last factor of a person two-factor sign-in goes off.
        """
        passkeys.remove(user=request.user, passkey_id=passkey_id, now=clock.now())
        return Message(message=_("Removed"))
