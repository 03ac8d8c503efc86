"""
Comparing three accounts of the same money: our business rows, our ledger, and the statement of the payment provider
(SECURITY-GOALS 19).

The provider is asked first, outside of any transaction. Then its lines and our rows are compared in one snapshot by the
database, so that 100,000 of them take seconds and little memory. What was booked after the provider was asked (by the
id of its posting) need not be in the statement.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connection

from core.data.ids import uuid7
from core.jobs.commands import Watch
from core.money import minor_text
from investments.models import Reconciliation
from investments.providers import PROVIDERS, asking
from investments.providers.base import StatementLine
from investments.reconciliation.checks import BOOKED, CHECKS, OURS, THEIRS, Check
from investments.services.provider_fees import book_provider_fees
from ledger.models import LedgerAccount
from ledger.selectors import snapshot

T = TypeVar("T")
PERIOD = timedelta(days=60)
"""How far back the provider's statement is compared when nobody says."""
EVERY = timedelta(days=1)
LATE = timedelta(minutes=15)
"""Nothing may be under way for longer (SECURITY-GOALS 11)."""
KEPT = 100
"""Findings that are kept with a comparison."""


@dataclass(frozen=True, slots=True)
class Finding:
    check: Check
    about: str
    """`charge`, `refund`, `campaign` or `provider`."""
    reference: str
    """What people quote: an investment's reference, a provider's id, a campaign's id, a key."""
    ours: str
    theirs: str
    """Amounts in major units, or empty."""
    currency: str
    detail: str

    def as_json(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Result:
    provider: str
    since: datetime
    at: datetime
    line_count: int
    findings: Sequence[Finding]

    @property
    def is_clean(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        counts = {check.value: sum(one.check == check for one in self.findings) for check in Check}
        return {
            "provider": self.provider,
            "since": self.since,
            "at": self.at,
            "clean": self.is_clean,
            "statementLines": self.line_count,
            "counts": counts,
            "findings": [one.as_json() for one in self.findings],
        }


def providers_to_reconcile(now: datetime) -> list[str]:
    """Those that moved money for us and were not compared within a day; the one for new payments in any case."""
    booked = LedgerAccount.objects.filter(code__startswith="provider:").values_list("code", flat=True)
    named = {settings.PAYMENTS_PROVIDER, *(code.split(":")[1] for code in booked)}
    done = Reconciliation.objects.filter(finished_at__gt=now - EVERY).values_list("provider", flat=True)
    return sorted(named.intersection(PROVIDERS).difference(done))


def _unwatched(items: Iterable[T], *, label: str) -> Iterable[T]:
    return items


def reconcile(
    provider: str,
    *,
    now: datetime,
    since: datetime | None = None,
    is_kept: bool = True,
    watch: Watch = _unwatched,
) -> Result:
    """
    Compare everything that moved at a provider, and keep the result. What it has taken for itself is booked before.

    :param since: from when on its statement is compared (UTC); sums are always those of now
    :param is_kept: False: nothing is written, so what the provider took for itself since the last time is a finding
    :param watch: is given the lines of the statement, then the checks
    :raises OutcomeUnknown: the provider did not answer; nothing is kept
    """
    since = since or now - PERIOD
    asked = uuid7()
    with asking(provider) as gateway:
        lines = list(watch(gateway.statement(since=since), label="statement"))
        holdings = gateway.holdings()
    if is_kept:
        book_provider_fees(provider, lines, now=now)
    with snapshot(read_only=False):
        _make_tables(lines, provider, since, now)
        findings = [*_findings(provider, asked, since, now, watch), *_differing_holdings(provider, holdings, asked)]
    result = Result(provider, since, now, len(lines), findings)
    if is_kept:
        _keep(result)
    return result


def _keep(result: Result) -> None:
    Reconciliation.objects.create(
        provider=result.provider,
        since=result.since,
        created_at=result.at,
        finished_at=result.at,
        line_count=result.line_count,
        finding_count=len(result.findings),
        findings=[one.as_json() for one in result.findings[:KEPT]],
    )


def _make_tables(lines: Iterable[StatementLine], provider: str, since: datetime, now: datetime) -> None:
    """`…_theirs` is the statement, `…_ours` are business rows with what the ledger booked for them."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.reconciled_theirs, pg_temp.reconciled_ours")
        cursor.execute(THEIRS)
        with cursor.copy("COPY reconciled_theirs FROM STDIN") as copy:
            for line in lines:
                amount = line.amount
                named = [line.move, line.key, line.provider_id, amount.minor, amount.currency]
                copy.write_row([*named, line.at, line.fee_minor, line.id])
        cursor.execute(OURS, {"provider": provider, "since": since, "late": now - LATE})
        cursor.execute("CREATE INDEX ON reconciled_ours (key)")
        cursor.execute("CREATE INDEX ON reconciled_theirs (key)")
        cursor.execute("CREATE INDEX ON reconciled_theirs (line_id)")
        cursor.execute("ANALYZE reconciled_ours, reconciled_theirs")


def _findings(provider: str, asked: UUID, since: datetime, now: datetime, watch: Watch) -> Iterator[Finding]:
    asked_for: dict[str, Any] = {"provider": provider, "asked": asked, "since": since, "started": now}
    for check, statement in watch(CHECKS, label="checks"):
        with connection.cursor() as cursor:
            cursor.execute(statement, asked_for)
            for about, reference, ours, theirs, currency, detail in cursor:
                amounts = (_text(ours, currency), _text(theirs, currency))
                yield Finding(check, about, reference, *amounts, currency, detail)


def _text(minor: int | None, currency: str) -> str:
    return "" if minor is None else minor_text(int(minor), currency)


def _differing_holdings(provider: str, holdings: Mapping[str, int], asked: UUID) -> Iterator[Finding]:
    """Between what the books had when the provider was asked, and what it held."""
    with connection.cursor() as cursor:
        cursor.execute(BOOKED, {"codes": f"provider:{provider}:%", "asked": asked, "provider": provider})
        booked = {currency: int(minor) for currency, minor in cursor.fetchall()}
    for currency in sorted({*booked, *holdings}):
        ours, theirs = booked.get(currency, 0), holdings.get(currency, 0)
        if ours != theirs:
            detail = "the provider holds another sum than the books say, payments under way considered"
            account = f"provider:{provider}:{currency}"
            yield Finding(
                Check.SUM, "provider", account, _text(ours, currency), _text(theirs, currency), currency, detail
            )
