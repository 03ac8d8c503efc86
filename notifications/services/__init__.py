"""The doors that other apps use; `services.recipients` is told where people are reached."""

from notifications.services.mails import send_mail_to, send_text_to
from notifications.services.notices import notify

__all__ = ["notify", "send_mail_to", "send_text_to"]
