"""What setting up the second factor answers."""

from typing import Annotated, Self

from msgspec import Meta

from accounts.services.two_factor import Enrolment
from core.api.outputs import Output, Url


class EnrolmentOutput(Output):
    secret: Annotated[str, Meta(description="Base32, for typing.")]
    otpauth_url: Url
    qr_code: Annotated[str, Meta(description="A data URL of a PNG.")]

    @classmethod
    def of(cls, enrolment: Enrolment) -> Self:
        return cls(secret=enrolment.secret, otpauth_url=enrolment.otpauth_url, qr_code=enrolment.qr_code)


class TwoFactorOutput(Output):
    two_factor_enabled: bool


class RecoveryCodesOutput(TwoFactorOutput):
    recovery_codes: Annotated[list[str], Meta(description="Ten codes, shown this once.")]
