"""Lines of the audit log whose kinds are not declared yet."""

from typing import Any

from django.db import models

from core import context
from core.data import sql
from core.models import Event


def record(actor: Any, action: str, target: models.Model | None = None, **facts: Any) -> Event:
    """
    Write one line in the caller's transaction.

    :param actor: the person, or None for the system (jobs, commands)
    :param action: `noun.past_tense`, such as `campaign.published`
    :param facts: small JSON facts; never secrets, document numbers or message bodies
    """
    entry = entry_of(actor, action, target, **facts)
    sql.insert(entry)
    return entry


def entry_of(actor: Any, action: str, target: models.Model | None = None, **facts: Any) -> Event:
    """The row that `record` writes, for callers that write it together with other rows."""
    return Event(
        actor_id=getattr(actor, "pk", None),
        actor_label=str(getattr(actor, "role", "") or ("" if actor else "system")),
        kind=action,
        subject_type=target._meta.label_lower if target is not None else "",
        subject_id=target.pk if target is not None else None,
        facts=facts,
        request_id=context.request_id.get(),
        address=context.client_address.get(),
    )
