"""Keeping the address book and what people want to hear."""

from typing import Any
from uuid import UUID

from notifications.models import Recipient


def keep_recipient(
    *,
    user_id: UUID,
    email: str,
    first_name: str,
    email_verified: bool,
    phone_number: str = "",
    language: str = "en",
    time_zone: str = "UTC",
) -> Recipient:
    """Keep how a person is reached, in the caller's transaction. Called at every change; wishes stay as they are."""
    recipient, _ = Recipient.objects.update_or_create(
        user_id=user_id,
        defaults={
            "email_address": email,
            "email_verified": email_verified,
            "first_name": first_name,
            "phone_number": phone_number,
            "language": language,
            "time_zone": time_zone,
        },
    )
    return recipient


def set_preferences(*, user_id: UUID, **switches: Any) -> Recipient:
    """Turn any subset of a person's switches; the others stay as they are."""
    recipient = Recipient.objects.get(pk=user_id)
    for name, value in switches.items():
        setattr(recipient, name, value)
    if switches:
        recipient.save(update_fields=list(switches))
    return recipient
