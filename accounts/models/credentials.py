"""Every table of credentials: rows that sign somebody in."""

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
"""Models whose rows sign their `user` in beside the password; deleted when an account is transferred or erased."""
