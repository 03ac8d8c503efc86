"""Outbox handlers: compose a message and hand it to its sender. Repeats are recognisable by the event's id."""

import base64
import logging
from datetime import datetime
from uuid import UUID

from core.crypto.sealing import CannotOpen, unseal
from core.jobs import outbox
from core.models import OutboxEvent
from notifications import preferences
from notifications.composition import compose
from notifications.effects import message_called
from notifications.messages import Category, Message
from notifications.models import Notification, Recipient
from notifications.senders import mail, sms
from notifications.services import unsubscribing
from notifications.services.mails import PURPOSE
from notifications.texts import Words, words

logger = logging.getLogger("vectragrow.notifications")


@outbox.on("notifications.send_mail")
def send_mail(event_id: UUID, notification_id: str, action: str, link: str) -> None:
    """The mail of an inbox entry."""
    notification = Notification.objects.get(pk=notification_id)
    recipient = _recipient(notification.user_id)
    message = message_called(notification.kind)
    if recipient is None or (message and not preferences.is_mailed(recipient, message)):
        return  # turned off while it waited
    text = Words(
        title=notification.title,
        paragraphs=tuple(notification.body.split("\n\n")),
        action=action,
        link=link,
    )
    mail.send(compose(event_id, text, recipient=recipient, message=message))


@outbox.on("notifications.send_mail_to")
def send_mail_to(event_id: UUID, user_id: str, message: str, address: str, sealed: str) -> None:
    """A mail that belongs to an act (`services.mails`)."""
    declared, recipient = _declared(message), _recipient(UUID(user_id))
    if recipient is None or (declared.category is Category.INVITATIONS and unsubscribing.is_silenced(address)):
        return
    text = _words_of_an_act(event_id, declared, sealed, recipient)
    if text is None:
        return
    mail.send(compose(event_id, text, recipient=recipient, address=address, message=declared))


@outbox.on("notifications.send_text_to")
def send_text_to(event_id: UUID, user_id: str, message: str, number: str, sealed: str) -> None:
    """An SMS that belongs to an act (`services.mails`)."""
    recipient = _recipient(UUID(user_id))
    if recipient is None:
        return
    text = _words_of_an_act(event_id, _declared(message), sealed, recipient)
    if text is not None:
        sms.send(event_id, to=number, text=text.sms, unsure_since=_unsure_since(event_id), is_counted=True)


@outbox.on("notifications.send_sms")
def send_sms(event_id: UUID, user_id: str, text: str, message: str) -> None:
    """The SMS of an inbox entry."""
    recipient = _recipient(UUID(user_id))
    if recipient is None or not preferences.is_texted(recipient, _declared(message)):
        return
    sms.send(event_id, to=recipient.phone_number, text=text, unsure_since=_unsure_since(event_id))


def _declared(name: str) -> Message:
    """:raises LookupError: it is not declared any more"""
    message = message_called(name)
    if message is None:
        raise LookupError(f"no message is called {name}")
    return message


def _words_of_an_act(event_id: UUID, message: Message, sealed: str, recipient: Recipient) -> Words | None:
    """What a message with sealed facts says; None, and a line in the log, when they cannot be opened any more."""
    try:
        facts = unseal(base64.b64decode(sealed), purpose=PURPOSE)
    except CannotOpen:
        about = {"eventId": event_id, "notice": message.name}
        logger.error("a message's facts cannot be opened; it is dropped", extra=about)
        return None
    return words(message, facts, language=recipient.language)


def _unsure_since(event_id: UUID) -> datetime | None:
    """When an earlier try with unknown outcome began; None without one."""
    event = OutboxEvent.objects.get(pk=event_id)
    return event.created_at if event.attempts > 1 else None


def _recipient(user_id: UUID) -> Recipient | None:
    """None for a person who was erased meanwhile: there is nobody to write to."""
    return Recipient.objects.filter(pk=user_id).first()
