"""Mails that belong to an act: they go out whatever the preferences say and leave no inbox entry."""

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

from core import outbox
from core.sealing import seal
from notifications.kinds import MAILS

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
    said = {name: str(value) for name, value in facts.items()}
    outbox.emit(
        "notifications.send_mail_to",
        now=now,
        user_id=str(user_id),
        template=template,
        address=address,
        sealed=base64.b64encode(seal(said, purpose=PURPOSE)).decode(),
    )
