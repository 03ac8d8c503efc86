"""The second factor under /api/profile/2fa."""

from django.utils import timezone
from rest_framework.response import Response

from accounts import errors
from accounts.authentication import current_session
from accounts.inputs.second_factor import CodeInput
from accounts.outputs.second_factor import EnrolmentOutput, RecoveryCodesOutput, TwoFactorOutput
from accounts.permissions import TwoFactorRecent
from accounts.services import recovery, two_factor
from core.api.openapi import describe
from core.api.permissions import SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet


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
