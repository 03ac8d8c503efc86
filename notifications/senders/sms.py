"""SMS by Twilio (TWILIO_*); without it into the development mailbox, and in production nowhere."""

import logging
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from django.conf import settings

from core.api.limits import Limit, RateLimited, hit
from core.jobs.circuit_breaker import Breaker
from notifications.senders import mailbox

if TYPE_CHECKING:
    from twilio.rest import Client

logger = logging.getLogger("vectragrow.sms")
PER_NUMBER = Limit("sms:number", 5, timedelta(hours=1))
"""SECURITY-GOALS 45. Further SMS are dropped: the inbox and the mail have the same notice."""
TIMEOUT = 10.0
"""Seconds for the connection and for each read."""


def _is_twilios_fault(error: Exception) -> bool:
    """Whether Twilio did not answer, had too many requests or failed; a refused number is no fault."""
    status = getattr(error, "status", None)
    return isinstance(error, OSError) or (isinstance(status, int) and (status >= 500 or status == 429))


breaker = Breaker("Twilio", is_fault=_is_twilios_fault)


def send(event_id: UUID, *, to: str, text: str, unsure_since: datetime | None = None, is_counted: bool = False) -> None:
    """
    Send it, or raise for the outbox to try again.

    :param is_counted: the limit was already checked when the person asked for it
    :param unsure_since: an earlier try began then and its outcome is unknown: Twilio is asked before sending again
    :raises NotYet: the circuit is open after several failures in a row
    :raises Exception: Twilio is unavailable or refuses (`TwilioException`, `requests.RequestException`)
    """
    if not is_served(to):
        logger.warning("SMS dropped: not one of SMS_COUNTRIES", extra={"eventId": event_id})
        return
    if not is_on():
        logger.info("SMS not sent: there is no account for it", extra={"eventId": event_id})
        return
    with breaker.guard():
        if unsure_since is None and not is_counted and _is_too_many(to):
            logger.warning("SMS dropped: too many to this number", extra={"eventId": event_id})
        elif _has_twilio():
            _send_by_twilio(event_id, to, text, unsure_since)
        else:
            mailbox.keep_sms(event_id, to, text)


def is_on() -> bool:
    """Whether SMS go anywhere: to Twilio, or in development into the mailbox."""
    return _has_twilio() or settings.MAILBOX_ENABLED


def _has_twilio() -> bool:
    return bool(settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN and settings.TWILIO_FROM)


def _is_too_many(number: str) -> bool:
    try:
        hit(PER_NUMBER, number)
    except RateLimited:
        return True
    return False


def _send_by_twilio(event_id: UUID, to: str, text: str, unsure_since: datetime | None) -> None:
    twilio = _client(settings.TWILIO_API_BASE, settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN)
    if unsure_since is not None:
        earlier = twilio.messages.list(to=to, date_sent_after=unsure_since, limit=20)
        if any(message.body == text for message in earlier):
            return
    sent = twilio.messages.create(to=to, from_=settings.TWILIO_FROM, body=text)
    logger.info("SMS sent", extra={"eventId": event_id, "sid": sent.sid})


def is_served(number: str) -> bool:
    """Whether we pay for SMS to the number's country (SMS_COUNTRIES, ISO 3166 codes; empty: to all)."""
    if not settings.SMS_COUNTRIES:
        return True
    import phonenumbers

    return phonenumbers.region_code_for_number(phonenumbers.parse(number)) in settings.SMS_COUNTRIES


@cache
def _client(base: str, account_sid: str, auth_token: str) -> "Client":
    """The SDK takes most of a second to import, so only a process that sends an SMS pays for it."""
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    scheme, host, *_ = urlsplit(base)

    class Redirected(TwilioHttpClient):
        """The SDK has no setting for its address; every call goes to TWILIO_API_BASE."""

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            return super().request(method, urlunsplit((scheme, host, *urlsplit(url)[2:])), *args, **kwargs)

    return Client(account_sid, auth_token, http_client=Redirected(timeout=TIMEOUT))
