"""Telling people without an event, for services that do not record events yet."""

from datetime import datetime
from typing import Any
from uuid import UUID

from core.data.ids import uuid7
from notifications.messages import Category, Message
from notifications.services import notices


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
}


def _message(found: dict[str, Message], name: str, facts: dict[str, Any]) -> Message:
    message = found[name]
    if missing := [fact for fact in message.facts if fact not in facts]:
        raise TypeError(f"{name} needs {', '.join(missing)}")
    return Message(name, message.category, tuple(facts), message.sms, message.path)


def direct_message(name: str) -> Message | None:
    message = KINDS.get(name)
    return message and Message(name, message.category, message.facts, message.sms, message.path)


def notify(*, user_id: UUID, kind: str, now: datetime, **facts: Any) -> None:
    notices.write_entries(_message(KINDS, kind, facts), facts, to=[user_id], caused_by=uuid7())
