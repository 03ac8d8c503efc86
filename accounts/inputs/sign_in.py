"""What clients send to sign in, refresh and prove again who they are."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.fields import (
    CharField,
    EmailField,
)
from rest_framework.serializers import ValidationError

from accounts.inputs.fields import CodeField, PasswordField
from accounts.inputs.passkeys import KeyInput
from core.api.serializers import Serializer


class LoginInput(Serializer):
    email = EmailField(max_length=254)
    password = PasswordField()


class RefreshInput(Serializer):
    refresh_token = CharField(max_length=200)


class _OneProof(Serializer):
    """Takes one of several proofs; those of the second factor come out as `proof`."""

    default_error_messages = {"one_proof": _("Send exactly one proof: %(names)s.")}
    proofs: tuple[str, ...]
    usual = ""
    """Which of them is asked for when there is none."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in self.proofs if name in attrs]
        if not given and self.usual:
            raise ValidationError({self.usual: self.fields[self.usual].error_messages["required"]}, code="required")
        if len(given) != 1:
            raise ValidationError(
                self.default_error_messages["one_proof"] % {"names": ", ".join(self.proofs)}, code="one_proof"
            )
        if given[0] in ("code", "credential"):
            attrs["proof"] = attrs.pop(given[0])
        return attrs


class SecondStepInput(_OneProof):
    proofs = ("code", "credential")
    usual = "code"

    two_factor_token = CharField(max_length=200)
    code = CodeField(required=False, help_text="Six digits of the authenticator app, or a recovery code.")
    credential = KeyInput(required=False, help_text="A passkey's answer to `POST /api/auth/login/2fa/passkey`.")


class ChallengeTokenInput(Serializer):
    two_factor_token = CharField(max_length=200)


class StepUpInput(_OneProof):
    """One of three: a code or a passkey once a second factor is on, the password before."""

    proofs = ("password", "code", "credential")

    password = PasswordField(required=False)
    code = CodeField(required=False)
    credential = KeyInput(required=False, help_text="A passkey's answer to `POST /api/auth/step-up/passkey`.")


class PasskeyLoginInput(Serializer):
    credential = KeyInput()
