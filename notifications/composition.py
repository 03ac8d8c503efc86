"""A mail from words: the plain text and its HTML twin, which say the same."""

from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from notifications.messages import Message
from notifications.models import Recipient
from notifications.senders.messages import Mail
from notifications.services import unsubscribing
from notifications.texts import Words


def compose(
    event_id: UUID, text: Words, *, recipient: Recipient, address: str = "", message: Message | None = None
) -> Mail:
    """
    :param address: where to, if not the recipient's own address
    :param message: what it is about; mails that a person may do without carry a link that says so
    """
    token = unsubscribing.token_for(recipient, address, message.category) if message else ""
    page = {
        "words": text,
        # Whoever registers somebody else's address must not choose words of our mail: no name until it is verified.
        "first_name": recipient.first_name if recipient.email_verified and not address else "",
        "language": recipient.language,
        "site": settings.FRONTEND_URL,
        "unsubscribe": unsubscribing.page_of(token),
        "about": message.category.value.about if message else "",
        "is_stranger": bool(address) and address != recipient.email_address,
    }
    with translation.override(recipient.language):
        return Mail(
            id=event_id,
            to=address or recipient.email_address,
            subject=text.title,
            text=render_to_string("notifications/mail.txt", page),
            html=render_to_string("notifications/mail.html", page),
            headers=unsubscribing.headers_of(token),
        )
