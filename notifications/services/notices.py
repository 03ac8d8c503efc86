"""Telling people: the inbox entry, its frame on the socket, and what leaves the building by preference."""

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from core.api.names import to_camel
from core.jobs import outbox
from core.money import Money
from core.realtime.publishing import publish
from notifications import wishes
from notifications.access import access_notification
from notifications.kinds import KINDS, Kind
from notifications.models import Notification, Recipient
from notifications.sockets import frame_of
from notifications.texts import Words, words

logger = logging.getLogger("vectragrow.notifications")


def notify(*, user_id: UUID, kind: str, now: datetime, **facts: Any) -> Notification | None:
    """
    Tell a person something, in the caller's transaction; frame, mail and SMS leave after the commit.

    :param facts: what `kinds.KINDS[kind]` asks for, and more for `data`: ids, ready text, `Money`
    :returns: the inbox entry, or None where the person turned the whole category off or is gone
    :raises KeyError: there is no such kind
    :raises TypeError: a fact that the kind needs is missing
    """
    rule = KINDS[kind]
    recipient = Recipient.objects.filter(pk=user_id).first()
    if recipient is None:
        logger.info("nobody to tell: the person was erased", extra={"userId": user_id, "kind": kind})
        return None
    text = words(kind, rule, facts, language=recipient.language)
    if not wishes.wants(recipient, rule) and not rule.category.value.keeps:
        return None
    notification = Notification.objects.create(
        user_id=user_id,
        kind=kind,
        title=text.title,
        body=text.body,
        data=_data(facts),
        created_at=now,
    )
    transaction.on_commit(partial(_push, notification))
    _send(recipient, notification, rule, text, now)
    return notification


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


def _send(recipient: Recipient, notification: Notification, kind: Kind, text: Words, now: datetime) -> None:
    after = wishes.wait(recipient, kind, now)
    if wishes.wants_mail(recipient, kind):
        outbox.emit(
            "notifications.send_mail",
            now=now,
            after=after,
            notification_id=str(notification.pk),
            action=text.action,
            link=text.link,
        )
    if wishes.wants_sms(recipient, kind):
        outbox.emit(
            "notifications.send_sms",
            now=now,
            after=after,
            user_id=str(recipient.pk),
            kind=notification.kind,
            text=text.sms,
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
