"""Outbox handlers: compose a message and hand it to its sender. Repeats are recognisable by the event's id."""

import base64
import logging
from datetime import datetime
from uuid import UUID

from core import outbox
from core.models import OutboxEvent
from core.sealing import CannotOpen, unseal
from notifications import wishes
from notifications.composition import compose
from notifications.kinds import KINDS, MAILS, TEXTS, Category
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
    kind = KINDS.get(notification.kind)
    if recipient is None or (kind and not wishes.wants_mail(recipient, kind)):
        return  # turned off while it waited
    text = Words(
        title=notification.title,
        paragraphs=tuple(notification.body.split("\n\n")),
        action=action,
        link=link,
    )
    mail.send(compose(event_id, text, recipient=recipient, kind=kind))


@outbox.on("notifications.send_mail_to")
def send_mail_to(event_id: UUID, user_id: str, template: str, address: str, sealed: str) -> None:
    """A mail that belongs to an act (`services.mails`)."""
    recipient = _recipient(UUID(user_id))
    if recipient is None:
        return
    try:
        facts = unseal(base64.b64decode(sealed), purpose=PURPOSE)
    except CannotOpen:
        logger.error("a mail's facts cannot be opened; it is dropped", extra={"eventId": event_id, "mail": template})
        return
    kind = MAILS[template]
    if kind.category is Category.INVITATIONS and unsubscribing.is_silenced(address):
        return
    text = words(template, kind, facts, language=recipient.language)
    mail.send(compose(event_id, text, recipient=recipient, address=address, kind=kind))


@outbox.on("notifications.send_text_to")
def send_text_to(event_id: UUID, user_id: str, template: str, number: str, sealed: str) -> None:
    """An SMS that belongs to an act (`services.mails`)."""
    recipient = _recipient(UUID(user_id))
    if recipient is None:
        return
    try:
        facts = unseal(base64.b64decode(sealed), purpose=PURPOSE)
    except CannotOpen:
        logger.error("an SMS's facts cannot be opened; it is dropped", extra={"eventId": event_id, "text": template})
        return
    text = words(template, TEXTS[template], facts, language=recipient.language).sms
    sms.send(event_id, to=number, text=text, unsure_since=_unsure_since(event_id), is_counted=True)


@outbox.on("notifications.send_sms")
def send_sms(event_id: UUID, user_id: str, text: str, kind: str) -> None:
    recipient = _recipient(UUID(user_id))
    if recipient is None or not wishes.wants_sms(recipient, KINDS[kind]):
        return
    sms.send(event_id, to=recipient.phone_number, text=text, unsure_since=_unsure_since(event_id))


def _unsure_since(event_id: UUID) -> datetime | None:
    """When an earlier try began, of which nobody knows how it ended."""
    event = OutboxEvent.objects.get(pk=event_id)
    return event.created_at if event.attempts > 1 else None


def _recipient(user_id: UUID) -> Recipient | None:
    """None for a person who was erased meanwhile: there is nobody to write to."""
    return Recipient.objects.filter(pk=user_id).first()
