from notifications.services.direct import notify, send_mail_to, send_text_to

__all__ = ["notify", "send_mail_to", "send_text_to"]
