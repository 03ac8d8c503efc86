"""SMS by Twilio (TWILIO_*), or into the development mailbox when that is not set."""

import logging
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings

from core.limits import Limit, RateLimited, hit
from notifications.senders import mailbox

if TYPE_CHECKING:
    from twilio.rest import Client

logger = logging.getLogger("vectragrow.sms")
PER_NUMBER = Limit("sms:number", 5, timedelta(hours=1))
"""SECURITY-GOALS 45. What is beyond it is dropped: the inbox and the mail have said it too."""
TIMEOUT = 10.0
"""Seconds for the connection and for each read."""


def send(event_id: UUID, *, to: str, text: str, unsure_since: datetime | None = None) -> None:
    """
    Send it, or raise for the outbox to try again.

    :param unsure_since: an earlier try began then and its outcome is unknown: Twilio is asked before sending again
    :raises Exception: Twilio is away or refuses (`TwilioException`, `requests.RequestException`)
    """
    if unsure_since is None:
        try:
            hit(PER_NUMBER, to)
        except RateLimited:
            logger.warning("SMS dropped: too many to this number", extra={"eventId": event_id})
            return
    if not (settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN and settings.TWILIO_FROM):
        mailbox.keep_sms(event_id, to, text)
        return
    twilio = _client(settings.TWILIO_API_BASE, settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN)
    if unsure_since is not None:
        earlier = twilio.messages.list(to=to, date_sent_after=unsure_since, limit=20)
        if any(message.body == text for message in earlier):
            return
    sent = twilio.messages.create(to=to, from_=settings.TWILIO_FROM, body=text)
    logger.info("SMS sent", extra={"eventId": event_id, "sid": sent.sid})


@cache
def _client(base: str, account_sid: str, auth_token: str) -> "Client":
    """The SDK costs a third of a second to import, so only a process that sends an SMS pays for it."""
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    scheme, host, *_ = urlsplit(base)

    class Redirected(TwilioHttpClient):
        """The SDK has no setting for its address; every call goes to TWILIO_API_BASE."""

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            return super().request(method, urlunsplit((scheme, host, *urlsplit(url)[2:])), *args, **kwargs)

    return Client(account_sid, auth_token, http_client=Redirected(timeout=TIMEOUT))
