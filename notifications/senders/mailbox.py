"""The development mailbox: what would have been sent is kept, sealed, and shown at /mailbox/."""

import logging
from typing import Any
from uuid import UUID

from django.conf import settings

from core import clock
from core.crypto.sealing import seal
from core.data import sql
from notifications.models import MailboxMessage
from notifications.senders.messages import Mail

logger = logging.getLogger("vectragrow.mailbox")
PURPOSE = "mailbox"


def keep_mail(mail: Mail) -> None:
    content = {"text": mail.text, "html": mail.html, "headers": mail.headers}
    _keep(mail.id, MailboxMessage.Channel.MAIL, mail.to, mail.subject, content)


def keep_sms(event_id: UUID, to: str, text: str) -> None:
    _keep(event_id, MailboxMessage.Channel.SMS, to, "", {"text": text, "html": "", "headers": {}})


def _keep(message_id: UUID, channel: MailboxMessage.Channel, to: str, subject: str, content: dict[str, Any]) -> None:
    message = MailboxMessage(
        id=message_id,
        created_at=clock.now(),
        channel=channel,
        to=to,
        subject=subject,
        content=seal(content, purpose=PURPOSE),
    )
    sql.insert_missing(message)
    # The text is not logged: it may contain a token.
    logger.info("%s to %s: %s/mailbox/%s", channel.value, to, settings.PUBLIC_URL, message_id)
