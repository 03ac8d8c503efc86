"""
Maker and checker (ADR 27): what moves much money takes more than one person, each bound to what they were shown.

The caller holds the lock of the thing that is decided. An approval counts while the evidence has the digest that its
person saw; what has changed since is approved anew.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import orjson
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet

from accounts.models import User
from core.api.errors import InvalidAmount
from core.money import Money
from investments.errors import AlreadyApproved, EvidenceChanged
from investments.models import Approval

TWO = 2
EVERY_CURRENCY = "*"


def digest_of(*evidence: object) -> str:
    """
    What a decision is bound to: SHA-256, in hex, of everything that was shown.

    :param evidence: texts, numbers, None, and what is written as text (ids, moments)
    """
    return hashlib.sha256(orjson.dumps(evidence, default=str)).hexdigest()


def approvals_of(kind: str, subject_id: UUID, digest: str) -> "QuerySet[Approval]":
    """Those that count for what it is now, the first one first."""
    found = Approval.objects.filter(subject_kind=kind, subject_id=subject_id, digest=digest)
    return found.select_related("person").order_by("id")


def give_approval(kind: str, subject_id: UUID, *, person: User, seen: str, digest: str, now: datetime) -> int:
    """
    Add a person's approval of something that the caller has locked.

    :param seen: the digest of what the person was shown
    :param digest: of what it is now
    :returns: how many people have approved it as it is now
    :raises EvidenceChanged: :raises AlreadyApproved:
    """
    if seen != digest:
        raise EvidenceChanged()
    given = approvals_of(kind, subject_id, digest)
    if given.filter(person=person).exists():
        raise AlreadyApproved()
    Approval.objects.create(subject_kind=kind, subject_id=subject_id, digest=digest, person=person, created_at=now)
    return given.count()


def payout_limit(currency: str) -> Money:
    """Above this, a settlement and a payout take two people."""
    return _limit(settings.TWO_PERSON_ABOVE, currency)


def refund_limit(currency: str) -> Money:
    """Above this, a refund takes two people."""
    return _limit(settings.TWO_PERSON_REFUND_ABOVE, currency)


def people_for_payout(amount: Money) -> int:
    """How many people have to approve a payout of returns: two above the limit, nobody below it."""
    return 0 if amount <= payout_limit(amount.currency) else TWO


def people_for_refund(amount: Money) -> int:
    return 0 if amount <= refund_limit(amount.currency) else TWO


def _limit(limits: Mapping[str, str], currency: str) -> Money:
    return Money.of(limits.get(currency, limits[EVERY_CURRENCY]), currency)


def check_settings() -> None:
    """:raises ImproperlyConfigured: a limit is no amount, or there is none for a currency"""
    for name in ("TWO_PERSON_ABOVE", "TWO_PERSON_REFUND_ABOVE"):
        limits = getattr(settings, name)
        if EVERY_CURRENCY not in limits:
            raise ImproperlyConfigured(f"{name} needs an amount for every other currency: *=10000.")
        for currency in {*settings.CURRENCIES, *limits} - {EVERY_CURRENCY}:
            try:
                _limit(limits, currency)
            except (InvalidAmount, ValueError, KeyError):
                raise ImproperlyConfigured(f"{name} has no amount in {currency} that the currency allows.") from None
