"""Mails and SMS that belong to an act: they go out whatever the preferences say and leave no inbox entry."""

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

from core.api.limits import hit
from core.crypto.sealing import seal
from core.jobs import outbox
from notifications.errors import NumberNotServed, SMSOff
from notifications.kinds import MAILS
from notifications.senders import sms

PURPOSE = "mail facts"


def send_mail_to(*, user_id: UUID, template: str, now: datetime, address: str = "", **facts: Any) -> None:
    """
    Mail a person, after the caller's commit. Facts may be secret (a token): they wait sealed.

    :param address: where to, if not the address in the book, such as a new one that is to be verified
    :raises KeyError: there is no such mail
    :raises TypeError: a fact that it needs is missing
    """
    missing = [fact for fact in MAILS[template].facts if fact not in facts]
    if missing:
        raise TypeError(f"the mail {template} needs {', '.join(missing)}")
    outbox.emit(
        "notifications.send_mail_to",
        now=now,
        user_id=str(user_id),
        template=template,
        address=address,
        sealed=_sealed(facts),
    )


def send_text_to(*, user_id: UUID, template: str, number: str, now: datetime, **facts: Any) -> None:
    """
    Text a number, after the caller's commit; it need not be confirmed yet. Facts wait sealed, as above.

    :raises SMSOff: no SMS are sent here
    :raises NumberNotServed: of a country that is not one of SMS_COUNTRIES
    :raises RateLimited: five SMS went to this number within the hour (SECURITY-GOALS 45)
    """
    if not sms.is_on():
        raise SMSOff()
    if not sms.is_served(number):
        raise NumberNotServed()
    hit(sms.PER_NUMBER, number)
    outbox.emit(
        "notifications.send_text_to",
        now=now,
        user_id=str(user_id),
        template=template,
        number=number,
        sealed=_sealed(facts),
    )


def _sealed(facts: dict[str, Any]) -> str:
    said = {name: str(value) for name, value in facts.items()}
    return base64.b64encode(seal(said, purpose=PURPOSE)).decode()
