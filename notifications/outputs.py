"""What clients see of notifications and preferences."""

from datetime import time
from typing import Annotated, Any, Self
from uuid import UUID

from msgspec import Meta, json

from core.api.outputs import Count, Moment, Output, Page
from core.realtime.frames import Frame
from notifications.models import Notification, Recipient

ClockTime = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["22:00"])]
"""Hours and minutes of the person's own clock."""


class NotificationOutput(Output):
    """An entry of the inbox."""

    id: UUID
    kind: str
    title: str
    body: str
    data: Annotated[
        dict[str, Any],
        Meta(
            description="What it is about, by kind: ids, and `path` of the page to open. Of what people did also "
            "`count`, and `actors`: the last ones, at most 3, each `{id, name}`."
        ),
    ]
    read_at: Moment | None
    created_at: Moment
    group_key: Annotated[
        UUID | None, Meta(description="Of an entry that stands for what several people did: show one for each key.")
    ]
    supersedes: Annotated[UUID | None, Meta(description="The entry that this one replaces, of the same `groupKey`.")]

    @classmethod
    def of(cls, entry: Notification) -> Self:
        return cls(
            id=entry.pk,
            kind=entry.kind,
            title=entry.title,
            body=entry.body,
            data=entry.data,
            read_at=entry.read_at,
            created_at=entry.created_at,
            group_key=entry.group_key,
            supersedes=entry.supersedes,
        )

    @classmethod
    def of_row(cls, row: Any) -> Self:
        """From a row of `notifications/sql`."""
        return cls(
            id=row.id,
            kind=row.kind,
            title=row.title,
            body=row.body,
            data=json.decode(row.data),
            read_at=row.read_at,
            created_at=row.created_at,
            group_key=row.group_key,
            supersedes=row.supersedes,
        )


class NotificationFrame(Frame, tag="notification"):
    """Something new in the inbox."""

    notification: NotificationOutput


class NotificationChangedFrame(Frame, tag="notification.changed"):
    """An entry says something else now, such as a smaller count; it keeps its id and its place."""

    notification: NotificationOutput


class NotificationsRemovedFrame(Frame, tag="notifications.removed"):
    """Entries that are gone: what they were about was undone, or their person is blocked."""

    ids: list[UUID]


class InboxPage(Page[NotificationOutput]):
    """A page of the inbox with the number of unread entries in all of it."""

    unread_count: Count


class UnreadOutput(Output):
    unread_count: Count


class PreferencesOutput(Output):
    email: bool
    sms: bool
    push: bool
    login_alerts: bool
    investment_updates: bool
    campaign_updates: bool
    social_interactions: bool
    quiet_from: Annotated[ClockTime | None, Meta(description="Mails and SMS wait from then until `quietUntil`.")]
    quiet_until: ClockTime | None
    time_zone: Annotated[str, Meta(description="A name of the IANA database, such as `Europe/Berlin`.")]

    @classmethod
    def of(cls, recipient: Recipient) -> Self:
        return cls(
            email=recipient.email,
            sms=recipient.sms,
            push=recipient.push,
            login_alerts=recipient.login_alerts,
            investment_updates=recipient.investment_updates,
            campaign_updates=recipient.campaign_updates,
            social_interactions=recipient.social_interactions,
            quiet_from=_clock(recipient.quiet_from),
            quiet_until=_clock(recipient.quiet_until),
            time_zone=recipient.time_zone,
        )


def _clock(moment: time | None) -> str | None:
    return None if moment is None else moment.strftime("%H:%M")
