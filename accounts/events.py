"""Events of people, their sessions and their ways to sign in, with their notices."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import (
    AuthenticatorApp,
    DataExport,
    ExternalIdentity,
    Invitation,
    Passkey,
    Session,
    User,
)
from core.events import Effect, Kind, declare
from core.realtime.effects import CloseSockets
from notifications.effects import Category, Mail, Notice, Text
from notifications.messages import Message

PERSON = {"user_id": UUID}
PASSWORD_CHANGED = Notice(Message("password_changed"), to="user_id")


def _notice(name: str, *facts: str, to: str = "user_id", **conditions: str) -> Notice:
    """About the safety of the account: always mailed."""
    return Notice(Message(name, facts=facts), to=to, **conditions)


def _mail(name: str, *facts: str, path: str = "") -> Mail:
    return Mail(Message(name, facts=facts, path=path), to="user_id")


def _person(name: str, *effects: Effect, **more: Any) -> Kind:
    return Kind(name, about=User, effects=effects, **more)


def _passkey(name: str, *effects: Effect, **facts: Any) -> Kind:
    """A passkey's name is its person's own word and not kept."""
    return Kind(name, about=Passkey, facts={**PERSON, **facts}, sealed={"passkey_name": str}, effects=effects)


SIGNING_UP = (
    _person("account.registered", facts={"invited_by": UUID | None}),
    _person("account.registration_repeated", _mail("email_taken"), audit=False),
    _person(
        "account.verification_asked",
        _mail("verify_email", "token", path="/verify-email?token={token}"),
        sealed={"token": str},
        audit=False,
    ),
    _person("account.email_verified"),
    Kind(
        "invitation.sent",
        about=Invitation,
        facts={"inviter_id": UUID},
        sealed={"email": str | None, "inviter": str | None, "token": str | None, "into": str | None},
        effects=[
            Mail(
                Message(
                    "invitation",
                    Category.INVITATIONS,
                    ("inviter", "token", "into"),
                    path="/register?inviteToken={token}",
                ),
                to="inviter_id",
                address="email",
            )
        ],
    ),
    Kind("invitation.accepted", about=Invitation),
)
SIGNING_IN = (
    Kind("account.login_failed"),  # its actor is the account, if there is one
    _person(
        "account.new_device_seen",
        Notice(Message("new_device", Category.LOGINS, ("device", "moment", "address"), sms=True), to="user_id"),
        sealed={"device": str, "moment": str, "address": str},
        audit=False,
    ),
    Kind("session.opened", about=Session, facts={"method": str}),
    Kind(
        "session.token_reused",
        about=Session,
        facts=PERSON,
        sealed={"device": str},
        effects=[
            CloseSockets("session_id"),
            Notice(Message("session_revoked", facts=("device",), sms=True), to="user_id"),
        ],
    ),
    Kind("session.closed", about=Session, facts={"because": str}, effects=[CloseSockets("session_id")]),
    _person(
        "session.all_closed",
        CloseSockets("session_ids"),
        facts={"because": str, "count": int, "session_ids": list[UUID]},
    ),
    Kind("session.stepped_up", about=Session, facts={"second_factor": bool}),
    _person("admin.signed_in"),
)
SIGN_IN_METHODS = (
    _person(
        "account.reset_requested",
        _mail("reset_password", "token", path="/reset-password?token={token}"),
        sealed={"token": str},
    ),
    _person("account.password_reset", PASSWORD_CHANGED),
    _person("account.password_changed", PASSWORD_CHANGED),
    Kind(
        "account.identity_linked",
        about=ExternalIdentity,
        facts={**PERSON, "provider": str, "platform": str, "at_sign_in": bool},
        effects=[_notice("identity_linked", "platform", unless="at_sign_in")],
    ),
    Kind(
        "account.identity_unlinked",
        about=ExternalIdentity,
        facts={**PERSON, "provider": str, "platform": str},
        effects=[_notice("identity_unlinked", "platform")],
    ),
    _person("account.taken_over_by_owner", facts={"issuer": str}),
    _passkey("account.passkey_added", _notice("passkey_added", "passkey_name")),
    _passkey("account.passkey_removed", _notice("passkey_removed", "passkey_name")),
    _passkey(
        "account.passkey_counter_went_back",
        _notice("passkey_copied", "passkey_name"),
        stored_counter=int,
        received_counter=int,
    ),
    Kind("account.passkey_renamed", about=Passkey, facts=PERSON),
)
SECOND_FACTOR = (
    Kind(
        "account.authenticator_added",
        about=AuthenticatorApp,
        facts={**PERSON, "is_first_factor": bool},
        effects=[
            _notice("two_factor_enabled", only_if="is_first_factor"),
            _notice("authenticator_added", unless="is_first_factor"),
        ],
    ),
    Kind(
        "account.authenticator_removed",
        about=AuthenticatorApp,
        facts={**PERSON, "was_last_factor": bool},
        effects=[_notice("authenticator_removed", unless="was_last_factor")],
    ),
    _person("account.two_factor_enabled"),
    _person("account.two_factor_disabled", _notice("two_factor_disabled")),
    _person("account.two_factor_locked"),
    _person("account.recovery_codes_replaced", _notice("recovery_codes_replaced")),
    _person("account.recovery_code_used", _notice("recovery_code_used", "left"), facts={"left": int}),
    _person(
        "account.staff_factor_offered",
        _mail("staff_factor", "token", path="/admin/second-factor/?token={token}"),
        sealed={"token": str},
    ),
)
PROFILE = (
    _person("profile.edited", facts={"fields": list[str]}),
    _person("profile.photo_changed"),
    _person("profile.photo_removed"),
    _person("profile.cover_changed"),
    _person("profile.cover_removed"),
    _person("profile.link_rotated"),
    _person("phone.changed", _notice("phone_changed", "ending"), sealed={"ending": str}),
    _person("phone.removed", _notice("phone_removed")),
    _person(
        "phone.code_sent",
        Text(Message("phone_code", facts=("code",), sms=True), to="user_id", number="number"),
        sealed={"number": str, "code": str},
    ),
    _person("phone.verified", _notice("phone_verified", "ending"), sealed={"ending": str}),
)
LEAVING = (
    Kind("export.requested", about=DataExport, facts=PERSON, effects=[_notice("export_requested")]),
    Kind(
        "export.made",
        about=DataExport,
        facts={**PERSON, "export_id": UUID},
        effects=[
            Notice(Message("export_ready", facts=("export_id",), path="/settings/export/{export_id}"), to="user_id")
        ],
    ),
    _person("account.deletion_requested", _mail("deletion_requested", "day"), facts={"day": str}),
    _person("account.deletion_cancelled", _mail("deletion_cancelled")),
    _person("account.erased"),
)
RELATIONS = (  # each about the other person, who is not told
    _person("account.blocked"),
    _person("account.unblocked"),
    _person("account.muted", facts={"until": datetime | None}),
    _person("account.unmuted"),
)
STAFF = (
    _person("account.role_granted", facts={"before": str, "after": str}),
    _person("account.suspended", facts={"reason": str, "until": datetime | None}),
    _person("account.reinstated"),
)

declare(*SIGNING_UP, *SIGNING_IN, *SIGN_IN_METHODS, *SECOND_FACTOR, *PROFILE, *LEAVING, *RELATIONS, *STAFF)
