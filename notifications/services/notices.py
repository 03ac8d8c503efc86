"""Inbox entries: written once for each event and person, with their frame, their mail and their SMS."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from core import clock
from core.api.names import to_camel
from core.data.ids import derived_id
from core.jobs import outbox
from core.models import OutboxEvent
from core.money import Money
from core.realtime.publishing import publish
from notifications import preferences
from notifications.access import access_notification
from notifications.messages import Message
from notifications.models import Notification, Recipient
from notifications.sockets import frame_of
from notifications.texts import Words, words


def write_entries(message: Message, facts: Mapping[str, Any], *, to: Collection[UUID], caused_by: UUID) -> None:
    """
    Notify people of an event, in the caller's transaction; frames, mails and SMS are sent after the commit. For the
    same event it may be called again: nobody gets a second entry, mail or SMS.

    :param facts: those of the event; what the message does not name stays out
    :param to: ids of people; who turned the whole category off or was erased is left out
    :param caused_by: the event's id
    """
    now = clock.now()
    chosen = message.chosen(facts)
    texts: dict[UUID, tuple[Recipient, Words]] = {}
    for recipient in Recipient.objects.filter(pk__in=to):
        if preferences.has_entry(recipient, message):
            texts[recipient.pk] = recipient, words(message, chosen, language=recipient.language)
    Notification.objects.bulk_create(
        [
            Notification(
                user_id=user_id,
                kind=message.name,
                title=text.title,
                body=text.body,
                data=_data(chosen),
                event_id=caused_by,
                created_at=now,
            )
            for user_id, (_, text) in texts.items()
        ],
        ignore_conflicts=True,
    )
    written = Notification.objects.filter(event_id=caused_by, kind=message.name, user_id__in=texts)
    outgoing: list[OutboxEvent] = []
    for notification in written:
        recipient, text = texts[notification.user_id]
        outgoing += _mail_and_sms(recipient, notification, message, text, now)
        transaction.on_commit(partial(_push, notification))
    outbox.emit_once(outgoing)


def _data(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as a client takes them: camelCase, ids as text, an amount as exact text beside its currency."""
    data: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Money):
            data |= {to_camel(name): value.text, "currency": value.currency}
        else:
            data[to_camel(name)] = value if isinstance(value, bool | int) else str(value)
    return data


def _push(notification: Notification) -> None:
    # The audience is the one person whose inbox it is.
    publish(users=[notification.user_id], frame=frame_of(notification))


def _mail_and_sms(
    recipient: Recipient, notification: Notification, message: Message, text: Words, now: datetime
) -> list[OutboxEvent]:
    """Emit the mails and SMS of the entries."""
    after = preferences.quiet_for(recipient, message, now)
    outgoing = []
    if preferences.is_mailed(recipient, message):
        outgoing.append(
            outbox.row(
                "notifications.send_mail",
                id=derived_id(notification.pk, "mail"),
                now=now,
                after=after,
                notification_id=str(notification.pk),
                action=text.action,
                link=text.link,
            )
        )
    if preferences.is_texted(recipient, message):
        outgoing.append(
            outbox.row(
                "notifications.send_sms",
                id=derived_id(notification.pk, "sms"),
                now=now,
                after=after,
                user_id=str(recipient.pk),
                message=message.name,
                text=text.sms,
            )
        )
    return outgoing


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
