"""Outbox handlers: compose a message and hand it to its sender. Repeats are recognisable by the event's id."""

import base64
import logging
from datetime import datetime
from uuid import UUID

from core.crypto.sealing import CannotOpen, unseal
from core.jobs import outbox
from core.models import OutboxEvent
from notifications import wishes
from notifications.composition import compose
from notifications.kinds import KINDS, MAILS, TEXTS, Category, Kind
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
    kind, recipient = MAILS[template], _recipient(UUID(user_id))
    if recipient is None or kind.category is Category.INVITATIONS and unsubscribing.is_silenced(address):
        return
    text = _words_of_an_act(event_id, template, kind, sealed, recipient)
    if text is None:
        return
    mail.send(compose(event_id, text, recipient=recipient, address=address, kind=kind))


@outbox.on("notifications.send_text_to")
def send_text_to(event_id: UUID, user_id: str, template: str, number: str, sealed: str) -> None:
    """An SMS that belongs to an act (`services.mails`)."""
    recipient = _recipient(UUID(user_id))
    if recipient is None:
        return
    text = _words_of_an_act(event_id, template, TEXTS[template], sealed, recipient)
    if text is not None:
        sms.send(event_id, to=number, text=text.sms, unsure_since=_unsure_since(event_id), is_counted=True)


@outbox.on("notifications.send_sms")
def send_sms(event_id: UUID, user_id: str, text: str, kind: str) -> None:
    recipient = _recipient(UUID(user_id))
    if recipient is None or not wishes.wants_sms(recipient, KINDS[kind]):
        return
    sms.send(event_id, to=recipient.phone_number, text=text, unsure_since=_unsure_since(event_id))


def _words_of_an_act(event_id: UUID, template: str, kind: Kind, sealed: str, recipient: Recipient) -> Words | None:
    """What a message with sealed facts says; None, and a line in the log, when they cannot be opened any more."""
    try:
        facts = unseal(base64.b64decode(sealed), purpose=PURPOSE)
    except CannotOpen:
        logger.error("a message's facts cannot be opened; it is dropped", extra={"eventId": event_id, "kind": template})
        return None
    return words(template, kind, facts, language=recipient.language)


def _unsure_since(event_id: UUID) -> datetime | None:
    """When an earlier try began, of which nobody knows how it ended."""
    event = OutboxEvent.objects.get(pk=event_id)
    return event.created_at if event.attempts > 1 else None


def _recipient(user_id: UUID) -> Recipient | None:
    """None for a person who was erased meanwhile: there is nobody to write to."""
    return Recipient.objects.filter(pk=user_id).first()
