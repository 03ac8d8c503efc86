"""Transactional mails and SMS: sent whatever the preferences say, without an inbox entry."""

import base64
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core.api.limits import hit
from core.crypto.sealing import seal
from core.data.ids import derived_id
from core.jobs import outbox
from notifications.errors import NumberNotServed, SMSOff
from notifications.messages import Message
from notifications.senders import sms

PURPOSE = "mail facts"


def mail(message: Message, facts: Mapping[str, Any], *, to: UUID, address: str = "", caused_by: UUID) -> None:
    """
    Mail a person, after the caller's commit. Facts may be secret (a token): they wait sealed.

    :param address: where to, if not the person's own address
    :param caused_by: the event's id; it is mailed once
    """
    outbox.emit_once(
        [
            outbox.row(
                "notifications.send_mail_to",
                id=derived_id(caused_by, f"mail {message.name}"),
                user_id=str(to),
                message=message.name,
                address=address,
                sealed=_sealed(message, facts),
            )
        ]
    )


def text(message: Message, facts: Mapping[str, Any], *, to: UUID, number: str, caused_by: UUID) -> None:
    """Text a number, after the caller's commit; it need not be confirmed yet. Facts wait sealed, as above."""
    outbox.emit_once(
        [
            outbox.row(
                "notifications.send_text_to",
                id=derived_id(caused_by, f"sms {message.name}"),
                user_id=str(to),
                message=message.name,
                number=number,
                sealed=_sealed(message, facts),
            )
        ]
    )


def require_sms(number: str) -> None:
    """
    Count an SMS that a person asks for.

    :raises SMSOff: no SMS are sent here
    :raises NumberNotServed: of a country that is not one of SMS_COUNTRIES
    :raises RateLimited: five SMS went to this number within the hour (SECURITY-GOALS 45)
    """
    if not sms.is_on():
        raise SMSOff()
    if not sms.is_served(number):
        raise NumberNotServed()
    hit(sms.PER_NUMBER, number)


def _sealed(message: Message, facts: Mapping[str, Any]) -> str:
    chosen = {name: str(value) for name, value in message.chosen(facts).items()}
    return base64.b64encode(seal(chosen, purpose=PURPOSE)).decode()
