"""The one place where the terms of a campaign that is live change: each time as a new version (docs/amendments.md)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from campaigns.models import MATERIAL, Campaign, TermsReason, TermsVersion, stored
from core.data import sql


def write_version(
    campaign: Campaign,
    *,
    reason: TermsReason,
    actor: Any,
    now: datetime,
    words: str = "",
    reconfirm_until: datetime | None = None,
) -> TermsVersion:
    """Keep the terms of a locked campaign under the number that it has."""
    return TermsVersion.objects.create(
        campaign=campaign,
        version=campaign.terms_version,
        terms={name: stored(getattr(campaign, name)) for name in MATERIAL},
        reason=reason,
        words=words,
        actor=actor,
        reconfirm_until=reconfirm_until,
        created_at=now,
    )


def change_terms(
    campaign: Campaign,
    columns: Mapping[str, Any],
    *,
    reason: TermsReason,
    actor: Any,
    now: datetime,
    words: str = "",
    reconfirm_until: datetime | None = None,
) -> TermsVersion:
    """
    Give a locked campaign that is live new terms.

    :param columns: material fields, and what else changes with them
    :param reconfirm_until: until when investors have to confirm them, where they have to
    """
    for name, value in {**columns, "updated_at": now}.items():
        setattr(campaign, name, value)
    campaign.terms_version += 1
    campaign.version += 1
    sql.update(campaign, *columns, "terms_version", "version", "updated_at")
    return write_version(campaign, reason=reason, actor=actor, now=now, words=words, reconfirm_until=reconfirm_until)


def earliest_end(campaign: Campaign, rule: str, now: datetime) -> datetime:
    """
    The earliest deadline that a live campaign may get now.

    :param rule: of its set: the time that investors have before it
    """
    rules = campaign.rule_set
    earliest = rules[rule].after(now, campaign.place)
    if "open_at_least" in rules and campaign.starts_at is not None:
        earliest = max(earliest, rules["open_at_least"].after(campaign.starts_at, campaign.place))
    return earliest
