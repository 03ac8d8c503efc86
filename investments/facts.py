"""What `investments.eligibility` decides by, read in one statement."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from accounts.models import User
from campaigns.rules import RuleSet
from campaigns.rules.calendar import add_months
from core.data.statements import load
from investments.access import is_protected
from investments.eligibility import PLACE, Acknowledged, Counted, Facts
from investments.errors import NamedDocument
from investments.models import HOLDING, UNDER_WAY, Figures

_FACTS = load("investments/sql/investor_facts.sql")


def investor_facts(investor: User, rules: RuleSet, *, now: datetime, campaign_id: UUID | None = None) -> Facts:
    """
    What is known of a person under a rule set. To decide by it, hold the person's lock: every investment of theirs is
    placed under it.

    :param campaign_id: whose documents are looked at
    """
    (row,) = _FACTS.rows(
        investor=investor.pk,
        campaign=campaign_id,
        currency=rules.currency,
        rules=rules.name.value,
        counted_since=_counted_since(now),
        holding=[status.value for status in (*UNDER_WAY, *HOLDING)],
    )
    texts = zip(row.texts or (), row.versions or (), row.moments or (), strict=True)
    counted = zip(row.placed or (), row.amounts or (), strict=True)
    return Facts(
        protected=is_protected(investor),
        figures=None if row.figures is None else Figures.opened(row.figures),
        declared_at=row.declared_at,
        declares_otherwise=row.declares_otherwise,
        tested_at=row.tested_at,
        passed=bool(row.passed),
        acknowledged={text: Acknowledged(version, moment) for text, version, moment in texts},
        counted=[Counted(placed, int(amount)) for placed, amount in counted],
        unaccepted=msgspec.json.decode(row.unaccepted, type=list[NamedDocument]),
    )


def _counted_since(now: datetime) -> datetime:
    """Before everything that can count: months end on different days, which `eligibility.counted_at` decides."""
    return add_months(now, -12, PLACE) - timedelta(days=4)
