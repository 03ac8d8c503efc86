"""The append-only audit log."""

from typing import Any

from django.db import models

from core import context
from core.data import sql
from core.models import AuditEntry


def record(actor: Any, action: str, target: models.Model | None = None, **facts: Any) -> AuditEntry:
    """
    Write one entry in the caller's transaction, so that the act and its record are one.

    :param actor: the person, or None for the system (jobs, commands)
    :param action: `noun.past_tense`, such as `campaign.published`
    :param facts: small JSON facts; never secrets, document numbers or message bodies
    """
    entry = entry_of(actor, action, target, **facts)
    sql.insert(entry)
    return entry


def entry_of(actor: Any, action: str, target: models.Model | None = None, **facts: Any) -> AuditEntry:
    """The entry that `record` writes, for callers that write it together with other rows."""
    return AuditEntry(
        actor_id=getattr(actor, "pk", None),
        actor_label=str(getattr(actor, "role", "") or ("" if actor else "system")),
        action=action,
        target_type=target._meta.label_lower if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        facts=facts,
        request_id=context.request_id.get(),
        address=context.client_address.get(),
    )
