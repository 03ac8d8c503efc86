"""
Counting declined payments (docs/velocity.md). A decline is written and counted in the commit that records it, and a hit
suspends the payment method, or holds the person's payments, and opens a case in the same commit.

Declines side by side count each other: each takes a lock on whatever it is counted by first.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Max, QuerySet

from accounts.selectors import holders_of
from core import context, events
from core.addresses import counted_as
from core.crypto.keys import keys_for
from core.data import locks, sql
from investments.models import ChargeOrigin, Decline, Payment, PaymentMethod, RiskCase
from investments.permissions import REVIEW_RISK
from investments.services.outcomes import Charged
from investments.suspensions import suspended_cards
from investments.velocity import Consequence, Counts, Rule, rule_set

SHOWN = 50
"""Declined charges that a case names."""
MOST_TOLD = 50
"""Staff who are told of a case."""
_COLUMNS = {Counts.CARD: "card", Counts.PERSON: "person_id", Counts.ADDRESS: "address", Counts.CAMPAIGN: "campaign_id"}


def origin_of(charge_id: UUID, now: datetime) -> list[ChargeOrigin]:
    """The row that keeps from where this request asks for a charge; none without a known address."""
    address = context.client_address.get()
    return [ChargeOrigin(id=charge_id, address=hashed_address(address), created_at=now)] if address else []


def hashed_address(address: str) -> str:
    """A network address as it is counted (IPv6: its /64), hashed with a key of ours."""
    return hmac.digest(keys_for("declines by address")[0], counted_as(address).encode(), "sha256").hex()


def count_decline(charged: Charged, reason: str, *, now: datetime) -> None:
    """
    Write down that the provider has declined a charge, which the caller has locked, and see whether that is too many.

    :param reason: the provider's
    """
    origin = ChargeOrigin.objects.filter(pk=charged.pk).first()
    method = charged.paying_method
    campaign_id = charged.investment.campaign_id if isinstance(charged, Payment) else charged.distribution.campaign_id
    decline = Decline(
        key=charged.key,
        person_id=charged.payer_id,
        campaign_id=campaign_id,
        card=method.card,
        address=origin.address if origin else "",
        reason=reason[:40],
        created_at=now,
    )
    subjects = {
        counts: str(getattr(decline, column)) for counts, column in _COLUMNS.items() if getattr(decline, column)
    }
    locks.lock_names(*(f"declines of {counts} {subject}" for counts, subject in subjects.items()))
    sql.insert(decline)
    _judge(subjects, charged.payer_id, method, now)


def _judge(subjects: Mapping[Counts, str], person_id: UUID, method: PaymentMethod, now: datetime) -> None:
    rules = rule_set()
    for rule in rules.rules:
        subject = subjects.get(rule.counts)
        if subject is None:
            continue
        recent = _recent(rule, subject, now)
        count = recent.count()
        if count >= rule.failures and not _is_in_force(rule.consequence, person_id, method.card):
            charges = list(recent.order_by("-created_at", "-id").values_list("key", flat=True)[:SHOWN])
            case = RiskCase(
                rule=rule.id,
                rules_version=rules.version,
                counted=rule.counts,
                subject=subject,
                failures=count,
                limit=rule.failures,
                window_seconds=int(rule.window.total_seconds()),
                charges=charges,
                consequence=rule.consequence,
                person_id=person_id,
                method=method,
                card=method.card,
                created_at=now,
            )
            _open(case, now)


def _recent(rule: Rule, subject: str, now: datetime) -> QuerySet[Decline]:
    """Those within the window; what came before a case of this subject was lifted is done with."""
    lifted = RiskCase.objects.filter(rule=rule.id, subject=subject, status=RiskCase.Status.LIFTED)
    judged = lifted.aggregate(at=Max("decided_at"))["at"]
    since = max(now - rule.window, judged) if judged else now - rule.window
    return Decline.objects.filter(**{_COLUMNS[rule.counts]: subject}, created_at__gt=since)


def _is_in_force(consequence: Consequence, person_id: UUID, card: str) -> bool:
    """Whether an earlier case has this consequence already."""
    if consequence == Consequence.SUSPEND_METHOD:
        return bool(suspended_cards(person_id, [card]))
    return RiskCase.objects.filter(person=person_id, consequence=consequence, status__in=["open", "kept"]).exists()


def _open(case: RiskCase, now: datetime) -> None:
    case.save(force_insert=True)
    events.record(
        "risk_case.opened",
        case,
        actor=None,
        now=now,
        person_id=case.person_id,
        staff_ids=holders_of(REVIEW_RISK, most=MOST_TOLD),
        rule=case.rule,
        count=case.failures,
        consequence=str(case.consequence),
        method=str(case.method),
    )
