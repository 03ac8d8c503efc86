"""Inbox entries: written once for each event and person, with their frame, their mail and their SMS."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from core import clock, context
from core.api.names import to_camel
from core.data import sql
from core.data.ids import derived_id
from core.jobs import outbox
from core.models import OutboxEvent
from core.money import Money
from core.realtime.publishing import make_push, publish_all
from notifications import preferences
from notifications.access import access_notification
from notifications.messages import Message
from notifications.models import Notification, Recipient
from notifications.people import Actors
from notifications.sockets import frame_of
from notifications.texts import Words, sms_text, words


@dataclass(frozen=True, slots=True)
class Entries:
    """What one event puts into inboxes."""

    message: Message
    facts: Mapping[str, Any]
    """Those of the event; what the message does not name stays out."""
    to: Collection[UUID]
    """Ids of people; who turned the whole category off or was erased is left out."""
    caused_by: UUID
    """The event's id."""
    request_id: str = ""
    by: Actors | None = None
    """The person who did it, for notices of what people do."""


@dataclass(frozen=True, slots=True)
class _Written:
    notification: Notification
    recipient: Recipient
    message: Message
    text: Words
    facts: Mapping[str, Any]
    request_id: str


def write_entries(wanted: Sequence[Entries]) -> None:
    """
    Notify people of events, in the caller's transaction; frames, mails and SMS are sent after the commit. For the same
    event it may be called again: nobody gets a second entry, mail or SMS. Each inbox has them in the order of `wanted`.
    """
    now = clock.now()
    recipients = _recipients({user_id for entries in wanted for user_id in entries.to})
    written = [
        _written(entries, recipients[user_id], now)
        for entries in wanted
        for user_id in dict.fromkeys(entries.to)
        if user_id in recipients and preferences.has_entry(recipients[user_id], entries.message)
    ]
    new = sql.insert_missing(*(one.notification for one in written))
    if len(new) < len(written):
        _take_those_of_earlier_tries([one.notification for one in written if one.notification.pk not in new])
    outbox.emit_once([row for one in written for row in _mail_and_sms(one, now)])
    transaction.on_commit(partial(_push, [one.notification for one in written]))


def _recipients(user_ids: Collection[UUID]) -> dict[UUID, Recipient]:
    return {one.pk: one for (one,) in sql.every(_RECIPIENTS, [list(user_ids)], Recipient)}


_RECIPIENTS = f"SELECT {sql.columns(Recipient, 'r')} FROM notifications_recipient r WHERE r.user_id = ANY(%s)"


def _written(entries: Entries, recipient: Recipient, now: datetime) -> _Written:
    facts, by = entries.message.chosen(entries.facts), entries.by
    text = words(entries.message, {**facts, **(by.facts if by else {})}, language=recipient.language)
    notification = Notification(
        user_id=recipient.pk,
        kind=entries.message.name,
        title=text.title,
        body=text.body,
        data={**data_of(facts), **(by.data if by else {})},
        event_id=entries.caused_by,
        actor_id=by.newest[0][0] if by else None,
        created_at=now,
    )
    return _Written(notification, recipient, entries.message, text, facts, entries.request_id)


def _take_those_of_earlier_tries(notifications: Sequence[Notification]) -> None:
    """An entry that is there already keeps its id, by which its mail and its frame are known, and its moment."""
    events = {one.event_id for one in notifications}
    kept = {(one.event_id, one.user_id, one.kind): one for one in Notification.objects.filter(event_id__in=events)}
    for one in notifications:
        earlier = kept[one.event_id, one.user_id, one.kind]
        one.pk, one.created_at, one.read_at = earlier.pk, earlier.created_at, earlier.read_at


def data_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as a client takes them: camelCase, ids as text, an amount as exact text beside its currency."""
    data: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Money):
            data |= {to_camel(name): value.text, "currency": value.currency}
        else:
            data[to_camel(name)] = value if isinstance(value, bool | int) else str(value)
    return data


def push(notification: Notification) -> None:
    """Send an entry to the sockets of the person whose inbox it is."""
    _push([notification])


def _push(notifications: Sequence[Notification]) -> None:
    # The audience of each is the one person whose inbox it is.
    publish_all([make_push(users=[one.user_id], frame=frame_of(one)) for one in notifications])


def _mail_and_sms(written: _Written, now: datetime) -> Iterator[OutboxEvent]:
    """The outbox rows of an entry's mail and SMS."""
    notification, recipient, message = written.notification, written.recipient, written.message
    after = preferences.quiet_for(recipient, message, now)
    with context.under_request(written.request_id):
        if preferences.is_mailed(recipient, message):
            yield outbox.row(
                "notifications.send_mail",
                id=derived_id(notification.pk, "mail"),
                now=now,
                after=after,
                notification_id=str(notification.pk),
                action=written.text.action,
                link=written.text.link,
            )
        if preferences.is_texted(recipient, message):
            yield outbox.row(
                "notifications.send_sms",
                id=derived_id(notification.pk, "sms"),
                now=now,
                after=after,
                user_id=str(recipient.pk),
                message=message.name,
                text=sms_text(message, written.facts, language=recipient.language),
            )


def mark_read(*, user_id: UUID, notification_id: UUID, now: datetime) -> Notification:
    """
    Mark one entry as read; once read it keeps its first moment.

    :raises NotFound: not there, or somebody else's
    """
    notification = access_notification(user_id, notification_id)
    if notification.read_at is None:
        notification.read_at = now
        Notification.objects.filter(pk=notification.pk, read_at__isnull=True).update(read_at=now)
    return notification


def mark_all_read(*, user_id: UUID, up_to_id: UUID | None, now: datetime) -> int:
    """Mark everything as read, or what is not newer than `up_to_id`: what the person has seen. Returns how many."""
    unread = Notification.objects.of(user_id).unread()
    if up_to_id is not None:
        unread = unread.filter(pk__lte=up_to_id)
    return unread.update(read_at=now)
