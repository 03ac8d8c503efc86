"""Every table that lets somebody into an account."""

from django.db import models

from accounts.models.passkeys import Passkey, PasskeyChallenge
from accounts.models.profile import PhoneCode
from accounts.models.providers import ExternalIdentity, SignInCode
from accounts.models.second_factor import AuthenticatorApp, LoginChallenge, RecoverySheet
from accounts.models.tokens import MailedToken

CREDENTIALS: tuple[type[models.Model], ...] = (
    AuthenticatorApp,
    RecoverySheet,
    Passkey,
    PasskeyChallenge,
    LoginChallenge,
    MailedToken,
    PhoneCode,
    SignInCode,
    ExternalIdentity,
)
"""What lets its `user` in beside the password, or is about to: gone when an account is handed over or erased."""
