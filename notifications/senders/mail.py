"""Mail by SMTP (EMAIL_URL), or into the development mailbox when that is not set."""

import logging
import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.html import format_html
from environ import Env

from core.data.ids import uuid7
from core.jobs.circuit_breaker import Breaker
from notifications.senders import mailbox
from notifications.senders.messages import Mail

logger = logging.getLogger("vectragrow.mail")


def _is_servers_fault(error: Exception) -> bool:
    """
    Whether the server did not connect, timed out or refused our login; a refusal of one address or mail is no fault.
    """
    refusals = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused)
    refused_early = (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPAuthenticationError)
    return isinstance(error, OSError) and (isinstance(error, refused_early) or not isinstance(error, refusals))


breaker = Breaker("SMTP server", is_fault=_is_servers_fault)


def send(mail: Mail) -> None:
    """
    Send it, or raise for the outbox to try again.

    :raises NotYet: the circuit is open after several failures in a row
    :raises OSError: the server is unavailable, slow (EMAIL_TIMEOUT seconds per step) or refuses
        (`smtplib.SMTPException`)
    """
    if not settings.EMAIL_URL:
        mailbox.keep_mail(mail)
        return
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        to=[mail.to],
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated", **mail.headers},
        connection=_connection(),
    )
    message.attach_alternative(mail.html, "text/html")
    with breaker.guard():
        message.send()
    logger.info("mail sent", extra={"mailId": mail.id})


class Backend(BaseEmailBackend):
    """Django's own mails, such as that of `sendtestemail`, are sent like ours."""

    def send_messages(self, messages: Sequence[EmailMessage]) -> int:
        """:raises OSError: the server is unavailable, slow or refuses, unless `fail_silently`"""
        if settings.EMAIL_URL:
            return _connection(self.fail_silently).send_messages(messages) or 0
        for message in messages:
            for address in message.recipients():
                html = format_html("<pre>{}</pre>", message.body)
                mailbox.keep_mail(Mail(uuid7(), address, str(message.subject), str(message.body), html))
        return len(messages)


def _connection(fail_silently: bool = False) -> BaseEmailBackend:
    server = Env.email_url_config(settings.EMAIL_URL)
    return get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=server["EMAIL_HOST"],
        port=server["EMAIL_PORT"] or 587,
        username=server["EMAIL_HOST_USER"],
        password=server["EMAIL_HOST_PASSWORD"],
        use_tls=server.get("EMAIL_USE_TLS", False),
        use_ssl=server.get("EMAIL_USE_SSL", False),
        timeout=settings.EMAIL_TIMEOUT,
        fail_silently=fail_silently,
    )
