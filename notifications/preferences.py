"""Preferences of a person by category and time. Checked when a message is written and again when it is sent."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from notifications.messages import Message
from notifications.models import Recipient


def is_category_on(recipient: Recipient, message: Message) -> bool:
    switch = message.category.value.switch
    return not switch or getattr(recipient, switch)


def has_entry(recipient: Recipient, message: Message) -> bool:
    """Whether it goes into the inbox."""
    return message.category.value.keeps_entry or is_category_on(recipient, message)


def is_mailed(recipient: Recipient, message: Message) -> bool:
    always = message.category.value.always_mailed
    return recipient.email_verified and (always or (recipient.email and is_category_on(recipient, message)))


def is_texted(recipient: Recipient, message: Message) -> bool:
    return message.sms and bool(recipient.phone_number) and recipient.sms and is_category_on(recipient, message)


def quiet_for(recipient: Recipient, message: Message, now: datetime) -> timedelta:
    """How long a mail or SMS has to wait for the end of the quiet hours; what is about safety does not."""
    if message.category.value.urgent or recipient.quiet_from is None or recipient.quiet_until is None:
        return timedelta(0)
    local = now.astimezone(ZoneInfo(recipient.time_zone))
    start, end, clock = recipient.quiet_from, recipient.quiet_until, local.time()
    if start < end:
        is_quiet, ends_tomorrow = start <= clock < end, False
    else:  # over midnight
        is_quiet, ends_tomorrow = clock >= start or clock < end, clock >= start
    if not is_quiet:
        return timedelta(0)
    day = local.date() + timedelta(days=ends_tomorrow)
    until = datetime.combine(day, end, tzinfo=local.tzinfo).astimezone(UTC)
    return max(until - now, timedelta(0))  # an hour that the clock repeats may have ended once already
