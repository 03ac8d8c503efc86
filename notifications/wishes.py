"""What a person wants to hear, and when. Asked when a message is written and again when it leaves."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from notifications.kinds import Kind
from notifications.models import Recipient


def wants(recipient: Recipient, kind: Kind) -> bool:
    """Whether the category is not turned off."""
    switch = kind.category.value.switch
    return not switch or getattr(recipient, switch)


def wants_mail(recipient: Recipient, kind: Kind) -> bool:
    insists = kind.category.value.insists
    return recipient.email_verified and (insists or (recipient.email and wants(recipient, kind)))


def wants_sms(recipient: Recipient, kind: Kind) -> bool:
    return kind.sms and bool(recipient.phone_number) and recipient.sms and wants(recipient, kind)


def wait(recipient: Recipient, kind: Kind, now: datetime) -> timedelta:
    """How long a mail or SMS has to wait for the end of the quiet hours; what is about safety does not."""
    if kind.category.value.urgent or recipient.quiet_from is None or recipient.quiet_until is None:
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
