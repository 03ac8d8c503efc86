from collections.abc import Iterator
from typing import Any, TypeVar

import orjson
from django.core.management.base import BaseCommand
from django.db.models import Model, Prefetch, QuerySet

from core.jobs.commands import progress
from core.money import minor_text
from ledger.models import Entry, LedgerAccount, Posting, SealedDay
from ledger.selectors import snapshot

BATCH = 1000

M = TypeVar("M", bound=Model)


class Command(BaseCommand):
    help = """
        Write the whole books as JSON lines: accounts, sealed days, then postings with their entries, in the order of
        their ids. `minor` is signed minor units, debit positive; `amount` the same in major units. One moment's view.
        Reads only: safe twice and side by side.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        with snapshot():
            count = LedgerAccount.objects.count() + SealedDay.objects.count() + Posting.objects.count()
            for record in progress(_records(), label="ledger_export", length=count):
                self.stdout.write(orjson.dumps(record, option=orjson.OPT_UTC_Z).decode())


def _records() -> Iterator[dict[str, Any]]:
    entries = Prefetch("entries", Entry.objects.select_related("account").order_by("account__code"))
    for account in _in_batches(LedgerAccount.objects.all()):
        yield _account(account)
    for sealed in SealedDay.objects.order_by("day"):
        yield _sealed_day(sealed)
    for posting in _in_batches(Posting.objects.prefetch_related(entries)):
        yield _posting(posting)


def _in_batches(rows: QuerySet[M]) -> Iterator[M]:
    """All rows by id, a bounded number in memory at a time and no server-side cursor."""
    rows = rows.order_by("pk")
    batch = list(rows[:BATCH])
    while batch:
        yield from batch
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:BATCH])


def _account(account: LedgerAccount) -> dict[str, Any]:
    return {
        "type": "account",
        "id": account.pk,
        "code": account.code,
        "kind": account.kind,
        "currency": account.currency,
        "mayGoNegative": account.may_go_negative,
        "posted": account.posted,
        "pendingIn": account.pending_in,
        "pendingOut": account.pending_out,
        "createdAt": account.created_at,
    }


def _posting(posting: Posting) -> dict[str, Any]:
    return {
        "type": "posting",
        "id": posting.pk,
        "key": posting.key,
        "phase": posting.phase,
        "kind": posting.kind,
        "reference": posting.reference,
        "description": posting.description,
        "resolves": posting.resolves_id,
        "reverses": posting.reverses_id,
        "effectiveAt": posting.effective_at,
        "createdAt": posting.created_at,
        "entries": [
            {
                "account": entry.account.code,
                "minor": entry.amount,
                "amount": minor_text(entry.amount, entry.currency),
                "currency": entry.currency,
            }
            for entry in posting.entries.all()
        ],
    }


def _sealed_day(sealed: SealedDay) -> dict[str, Any]:
    return {
        "type": "sealedDay",
        "day": sealed.day,
        "postings": sealed.posting_count,
        "previous": bytes(sealed.previous).hex(),
        "digest": bytes(sealed.digest).hex(),
        "sealedAt": sealed.sealed_at,
    }
