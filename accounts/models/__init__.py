"""People and their profiles, sessions on devices, how they sign in, and mailed tokens."""

from accounts.models.credentials import CREDENTIALS
from accounts.models.leaving import DataExport
from accounts.models.passkeys import Passkey, PasskeyChallenge
from accounts.models.people import (
    LONGEST_NAME,
    PersonIndex,
    Role,
    Status,
    User,
    Users,
    normalise_email,
)
from accounts.models.profile import Invitation, PhoneCode, Profile, ProfilePicture
from accounts.models.providers import ExternalIdentity, Platform, SignInCode
from accounts.models.relations import Block, Mute, MuteQuerySet
from accounts.models.second_factor import AuthenticatorApp, LoginChallenge, RecoveryCode, RecoverySheet
from accounts.models.sessions import LoginAttempt, RefreshToken, Session, SessionQuerySet
from accounts.models.tokens import MailedToken

__all__ = [
    "CREDENTIALS",
    "LONGEST_NAME",
    "AuthenticatorApp",
    "Block",
    "DataExport",
    "ExternalIdentity",
    "Invitation",
    "LoginAttempt",
    "LoginChallenge",
    "MailedToken",
    "Mute",
    "MuteQuerySet",
    "Passkey",
    "PasskeyChallenge",
    "PersonIndex",
    "PhoneCode",
    "Platform",
    "Profile",
    "ProfilePicture",
    "RecoveryCode",
    "RecoverySheet",
    "RefreshToken",
    "Role",
    "Session",
    "SessionQuerySet",
    "SignInCode",
    "Status",
    "User",
    "Users",
    "normalise_email",
]
