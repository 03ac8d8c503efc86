"""Telling people without an event, for services that do not record events yet."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core.data.ids import uuid7
from notifications.messages import Category, Message
from notifications.services import mails, notices


def _campaign(*facts: str, sms: bool = False) -> Message:
    return Message(
        "", Category.CAMPAIGNS, ("campaign_id", "campaign_title", *facts), sms=sms, path="/campaigns/{campaign_id}"
    )


def _investment(*facts: str, sms: bool = False) -> Message:
    needed = ("investment_id", "campaign_id", "campaign_title", "amount", *facts)
    return Message("", Category.INVESTMENTS, needed, sms=sms, path="/investments/{investment_id}")


KINDS: dict[str, Message] = {
    "new_backer": _campaign("backer_name", "amount"),
    "investment_committed": _investment(),
    "investment_requires_action": _investment(sms=True),
    "investment_failed": _investment(sms=True),
    "investment_refunded": _investment(sms=True),
    "investment_settled": _investment(sms=True),
    "new_device": Message("", Category.LOGINS, ("device",), sms=True),
    "session_revoked": Message("", Category.SECURITY, ("device",), sms=True),
    "password_changed": Message("", Category.SECURITY),
    "identity_linked": Message("", Category.SECURITY, ("platform",)),
    "identity_unlinked": Message("", Category.SECURITY, ("platform",)),
    "two_factor_enabled": Message("", Category.SECURITY),
    "two_factor_disabled": Message("", Category.SECURITY),
    "authenticator_added": Message("", Category.SECURITY),
    "authenticator_removed": Message("", Category.SECURITY),
    "passkey_added": Message("", Category.SECURITY, ("passkey_name",)),
    "passkey_removed": Message("", Category.SECURITY, ("passkey_name",)),
    "passkey_copied": Message("", Category.SECURITY, ("passkey_name",)),
    "recovery_code_used": Message("", Category.SECURITY, ("left",)),
    "recovery_codes_replaced": Message("", Category.SECURITY),
    "phone_changed": Message("", Category.SECURITY, ("ending",)),
    "phone_removed": Message("", Category.SECURITY),
    "phone_verified": Message("", Category.SECURITY, ("ending",)),
    "export_requested": Message("", Category.SECURITY),
    "export_ready": Message("", Category.SECURITY, ("export_id",), path="/settings/export/{export_id}"),
}

MAILS: dict[str, Message] = {
    "verify_email": Message("", Category.SECURITY, ("token",), path="/verify-email?token={token}"),
    "email_taken": Message("", Category.SECURITY),
    "reset_password": Message("", Category.SECURITY, ("token",), path="/reset-password?token={token}"),
    "staff_factor": Message("", Category.SECURITY, ("token",), path="/admin/second-factor/?token={token}"),
    "deletion_requested": Message("", Category.SECURITY, ("day",)),
    "deletion_cancelled": Message("", Category.SECURITY),
    "invitation": Message("", Category.INVITATIONS, ("inviter", "token"), path="/register?inviteToken={token}"),
}

TEXTS: dict[str, Message] = {"phone_code": Message("", Category.SECURITY, ("code",), sms=True)}


def _message(found: dict[str, Message], name: str, facts: dict[str, Any]) -> Message:
    message = found[name]
    if missing := [fact for fact in message.facts if fact not in facts]:
        raise TypeError(f"{name} needs {', '.join(missing)}")
    return Message(name, message.category, tuple(facts), message.sms, message.path)


def direct_message(name: str) -> Message | None:
    message = {**KINDS, **MAILS, **TEXTS}.get(name)
    return message and Message(name, message.category, message.facts, message.sms, message.path)


def notify(*, user_id: UUID, kind: str, now: datetime, **facts: Any) -> None:
    notices.write_entries(_message(KINDS, kind, facts), facts, to=[user_id], caused_by=uuid7())


def send_mail_to(*, user_id: UUID, template: str, now: datetime, address: str = "", **facts: Any) -> None:
    mails.mail(_message(MAILS, template, facts), facts, to=user_id, address=address, caused_by=uuid7())


def send_text_to(*, user_id: UUID, template: str, number: str, now: datetime, **facts: Any) -> None:
    mails.require_sms(number)
    mails.text(_message(TEXTS, template, facts), facts, to=user_id, number=number, caused_by=uuid7())
