from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from core.jobs.commands import progress
from ledger.faults import find_faults
from ledger.selectors import snapshot

COUNTS = """
    SELECT (SELECT count(*) FROM ledger_account),
        (SELECT count(*) FROM ledger_transaction),
        (SELECT count(*) FROM ledger_entry),
        (SELECT count(*) FROM ledger_transaction reservation WHERE phase = 'reserved' AND NOT EXISTS (
            SELECT FROM ledger_transaction resolution WHERE resolution.resolves_id = reservation.id)),
        (SELECT coalesce(string_agg(DISTINCT currency, ' ' ORDER BY currency), 'none') FROM ledger_account),
        (SELECT format('; sealed up to %s as %s', day, encode(digest, 'hex'))
         FROM ledger_sealed_day ORDER BY day DESC LIMIT 1)
"""


class Command(BaseCommand):
    help = (
        "Rebuild every balance from its entries, check every rule of the books, name each fault. Exit 1 on any. "
        "Reads only: safe twice and side by side."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        with snapshot():
            for fault in find_faults(partial(progress, label="ledger_verify")):
                found += 1
                self.stdout.write(f"{fault.check}: {fault.detail}")
            with connection.cursor() as cursor:
                cursor.execute(COUNTS)
                accounts, postings, entries, reserved, currencies, sealed = cursor.fetchone()
        counts = f"{accounts} accounts, {postings} postings ({reserved} reserved), {entries} entries in {currencies}"
        counts += sealed or ""
        if found:
            raise CommandError(f"Ledger has {found} {'fault' if found == 1 else 'faults'}: {counts}.")
        self.stdout.write(f"Ledger is clean: {counts}.")
