"""Writes recipients: their addresses and preferences."""

from typing import Any
from uuid import UUID

from core.data.locks import lock
from core.data.transactions import retrying
from notifications.errors import QuietHoursNeedTwoEnds
from notifications.models import Recipient


def keep_recipient(
    *,
    user_id: UUID,
    email: str,
    first_name: str,
    email_verified: bool,
    phone_number: str = "",
    language: str = "en",
) -> Recipient:
    """Keep how a person is reached, in the caller's transaction, at each change of it. Preferences stay as they are."""
    recipient, _ = Recipient.objects.update_or_create(
        user_id=user_id,
        defaults={
            "email_address": email,
            "email_verified": email_verified,
            "first_name": first_name,
            "phone_number": phone_number,
            "language": language,
        },
    )
    return recipient


@retrying
def set_preferences(*, user_id: UUID, **changes: Any) -> Recipient:
    """
    Change any subset of a person's switches, quiet hours and time zone; the others stay as they are.

    :raises QuietHoursNeedTwoEnds: only one end is set, or both are the same
    """
    recipient = lock(Recipient.objects).get(pk=user_id)
    for name, value in changes.items():
        setattr(recipient, name, value)
    start, end = recipient.quiet_from, recipient.quiet_until
    if (start is None) != (end is None) or (start is not None and start == end):
        raise QuietHoursNeedTwoEnds(field="quietUntil" if start else "quietFrom")
    if changes:
        recipient.save(update_fields=list(changes))
    return recipient
