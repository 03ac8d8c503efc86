"""What clients send to register, verify and change a password."""

from rest_framework.fields import (
    CharField,
)

from accounts.inputs.fields import AddressField, NameField, PasswordField, PhoneField
from core.api.serializers import Serializer


class RegisterInput(Serializer):
    email = AddressField()
    password = PasswordField()
    first_name = NameField()
    last_name = NameField(required=False, allow_blank=True, help_text="A person may have one name.")
    phone_number = PhoneField(required=False)
    invite_token = CharField(required=False, max_length=200, help_text="From the mail of an invitation.")


class TokenInput(Serializer):
    token = CharField(max_length=200)


class ForgotPasswordInput(Serializer):
    email = AddressField()


class ResetPasswordInput(Serializer):
    token = CharField(max_length=200)
    password = PasswordField()


class ChangePasswordInput(Serializer):
    current_password = PasswordField()
    new_password = PasswordField()
