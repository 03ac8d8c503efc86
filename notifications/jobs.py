"""Outbox handlers: compose a message and hand it to its sender. Repeats are recognisable by the event's id."""

import base64
import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from core import clock
from core.crypto.sealing import CannotOpen, unseal
from core.data import sql
from core.jobs import outbox
from core.models import OutboxEvent
from notifications import people, preferences
from notifications.composition import compose
from notifications.effects import message_called
from notifications.messages import Category, Message
from notifications.models import Notification, Recipient
from notifications.senders import mail, sms
from notifications.services import groups, unsubscribing
from notifications.services.mails import PURPOSE
from notifications.texts import Words, sms_text, words

logger = logging.getLogger("vectragrow.notifications")


@outbox.on("notifications.send_mail")
def send_mail(event_id: UUID, notification_id: str, action: str, link: str) -> None:
    """The mail of an inbox entry."""
    found = sql.first(_ENTRY_AND_RECIPIENT, [UUID(notification_id)], _ENTRY, Recipient)
    if found is None:
        return  # the entry is gone, or the person was erased meanwhile
    notification, recipient = found
    if _is_silent(notification):
        return  # muted while it waited
    message = message_called(notification.kind)
    if message and not preferences.is_mailed(recipient, message):
        return  # turned off while it waited
    text = Words(
        title=notification.title,
        paragraphs=tuple(notification.body.split("\n\n")),
        action=action,
        link=link,
    )
    mail.send(compose(event_id, text, recipient=recipient, message=message))


@outbox.on("notifications.send_group_mail")
def send_group_mail(event_id: UUID, group_key: str) -> None:
    """The mail of a group, with everybody who came until now; none when it is read or gone."""
    notification = Notification.objects.unread().filter(group_key=group_key).first()
    recipient = _recipient(notification.user_id) if notification else None
    message = groups.message_called(notification.kind) if notification else None
    if notification is None or recipient is None or message is None or not preferences.is_mailed(recipient, message):
        return
    actors = notification.data["actors"]
    facts = {"actor": actors[0]["name"], "others": notification.data["count"] - 1, "count": notification.data["count"]}
    text = words(message, {**groups.facts_in(message, notification.data), **facts}, language=recipient.language)
    mail.send(compose(event_id, text, recipient=recipient, message=message))


@outbox.on("notifications.show_group")
def show_group(event_id: UUID, group_id: str) -> None:
    groups.show_group(group_id=UUID(group_id))


@outbox.on("notifications.remove_actor")
def remove_actor(event_id: UUID, user_id: str, actor_id: str) -> None:
    groups.remove_actor(user_id=UUID(user_id), actor_id=UUID(actor_id))


def _is_silent(notification: Notification) -> bool:
    """Whether the person who is behind it was muted or hidden since it was written."""
    actor_id, user_id = notification.actor_id, notification.user_id
    return actor_id is not None and bool(people.silent_for(actor_id, [user_id], clock.now()))


@outbox.on("notifications.send_mail_to")
def send_mail_to(event_id: UUID, user_id: str, message: str, address: str, sealed: str) -> None:
    """A mail that belongs to an act (`services.mails`)."""
    declared, recipient = _declared(message), _recipient(UUID(user_id))
    if recipient is None or (declared.category is Category.INVITATIONS and unsubscribing.is_silenced(address)):
        return
    facts = _opened(event_id, declared, sealed)
    if facts is None:
        return
    text = words(declared, facts, language=recipient.language)
    mail.send(compose(event_id, text, recipient=recipient, address=address, message=declared))


@outbox.on("notifications.send_text_to")
def send_text_to(event_id: UUID, user_id: str, message: str, number: str, sealed: str) -> None:
    """An SMS that belongs to an act (`services.mails`)."""
    declared, recipient = _declared(message), _recipient(UUID(user_id))
    if recipient is None:
        return
    facts = _opened(event_id, declared, sealed)
    if facts is None:
        return
    text = sms_text(declared, facts, language=recipient.language)
    sms.send(event_id, to=number, text=text, unsure_since=_unsure_since(event_id), is_counted=True)


@outbox.on("notifications.send_sms")
def send_sms(event_id: UUID, user_id: str, text: str, message: str) -> None:
    """The SMS of an inbox entry."""
    recipient = _recipient(UUID(user_id))
    if recipient is None or not preferences.is_texted(recipient, _declared(message)):
        return
    sms.send(event_id, to=recipient.phone_number, text=text, unsure_since=_unsure_since(event_id))


_ENTRY = (Notification, ("data",))
_ENTRY_AND_RECIPIENT = f"""
    SELECT {sql.columns(Notification, "n", ("data",))}, {sql.columns(Recipient, "r")}
      FROM notifications_notification n JOIN notifications_recipient r USING (user_id)
     WHERE n.id = %s
"""


def _declared(name: str) -> Message:
    """:raises LookupError: it is not declared any more"""
    message = message_called(name)
    if message is None:
        raise LookupError(f"no message is called {name}")
    return message


def _opened(event_id: UUID, message: Message, sealed: str) -> dict[str, Any] | None:
    """A message's sealed facts; None, and a line in the log, when they cannot be opened any more."""
    try:
        facts: dict[str, Any] = unseal(base64.b64decode(sealed), purpose=PURPOSE)
    except CannotOpen:
        about = {"eventId": event_id, "notice": message.name}
        logger.error("a message's facts cannot be opened; it is dropped", extra=about)
        return None
    return facts


def _unsure_since(event_id: UUID) -> datetime | None:
    """When an earlier try with unknown outcome began; None without one."""
    event = OutboxEvent.objects.get(pk=event_id)
    return event.created_at if event.attempts > 1 else None


def _recipient(user_id: UUID) -> Recipient | None:
    """None for a person who was erased meanwhile: there is nobody to write to."""
    return Recipient.objects.filter(pk=user_id).first()
