"""The second factor under /api/profile/2fa."""

from typing import Any

from accounts import errors
from accounts.authentication import current_session
from accounts.inputs.second_factor import CodeInput
from accounts.outputs.second_factor import EnrolmentOutput, RecoveryCodesOutput, TwoFactorOutput
from accounts.permissions import TwoFactorRecent
from accounts.services import recovery, two_factor
from core import clock
from core.api.operations import operation
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet


class SecondFactor(ApiViewSet):
    """The authenticator app and the recovery codes of a signed-in person; passkeys are in `accounts.views.passkeys`."""

    permission_classes = [TwoFactorRecent]
    action_permissions = {"verify": [SignedIn]}

    @operation(
        "setUpTwoFactor",
        returns=EnrolmentOutput,
        errors=[errors.TwoFactorOn, errors.StaffFactorByMail],
    )
    def set_up(self, request: Request) -> EnrolmentOutput:
        """Set up an authenticator app"""
        session = current_session(request)
        return EnrolmentOutput.of(two_factor.enroll(user=request.user, session=session, now=clock.now()))

    @operation(
        "verifyTwoFactor",
        CodeInput,
        returns=RecoveryCodesOutput,
        errors=[
            errors.TwoFactorOn,
            errors.TwoFactorNotSetUp,
            errors.StepUpRequired,
            errors.StaffFactorByMail,
            errors.CodeInvalid,
            errors.SecondFactorLocked,
        ],
    )
    def verify(self, request: Request, data: dict[str, Any]) -> RecoveryCodesOutput:
        """
        Switch the second factor on with a first code

        The secret has to be at most ten minutes old. Beside another factor it asks for a step-up.
        """
        session = current_session(request)
        codes = two_factor.confirm(user=request.user, **data, session=session, now=clock.now())
        return RecoveryCodesOutput(two_factor_enabled=True, recovery_codes=codes)

    @operation("replaceRecoveryCodes", returns=RecoveryCodesOutput, errors=[errors.TwoFactorOff])
    def replace_recovery_codes(self, request: Request) -> RecoveryCodesOutput:
        """Replace the recovery codes"""
        codes = recovery.replace_codes(user=request.user, now=clock.now())
        return RecoveryCodesOutput(two_factor_enabled=True, recovery_codes=codes)

    @operation("removeAuthenticatorApp", returns=TwoFactorOutput, errors=[errors.TwoFactorNotSetUp])
    def remove_app(self, request: Request) -> TwoFactorOutput:
        """
        Remove the authenticator app

        Without a passkey the second factor goes off with it.
        """
        two_factor.remove_app(user=request.user, now=clock.now())
        request.user.refresh_from_db(fields=["two_factor_enabled_at"])
        return TwoFactorOutput(two_factor_enabled=request.user.two_factor_enabled)

    @operation(
        "disableTwoFactor",
        returns=TwoFactorOutput,
        errors=[errors.TwoFactorOff, errors.OnlyWayIn],
    )
    def switch_off(self, request: Request) -> TwoFactorOutput:
        """
        Switch the second factor off

        Forgets the authenticator app, every passkey and the recovery codes.
        """
        two_factor.switch_off(user=request.user, by=request.user, now=clock.now())
        return TwoFactorOutput(two_factor_enabled=False)
