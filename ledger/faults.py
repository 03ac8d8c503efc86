"""
What could be wrong in the books, and the SQL that finds it. Independent of the triggers that keep it right.

Each check selects one text per fault. The database adds up, rows are streamed, so memory stays small whatever the size.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class Fault:
    check: str
    detail: str


def find_faults(watch: Callable[[Iterable[str]], Iterable[str]] = iter) -> Iterator[Fault]:
    """
    Every fault in the books as the current transaction sees them; see `ledger.selectors.snapshot`.

    :param watch: is given the names of the checks and gives them back one by one, such as a progress bar
    """
    for check in watch(list(CHECKS)):
        sql = CHECKS[check]
        with connection.cursor() as cursor:
            # Rows come one by one from the running statement (libpq's single-row mode); no server-side cursor is open.
            for (detail,) in cursor.stream(sql):
                yield Fault(check, detail)


CHECKS = {
    "posting_unbalanced": """
        SELECT format('posting %s is off by %s minor units of %s',
            coalesce(posting.key, entry.transaction_id::text), sum(entry.amount), entry.currency)
        FROM ledger_entry entry LEFT JOIN ledger_transaction posting ON posting.id = entry.transaction_id
        GROUP BY entry.transaction_id, posting.key, entry.currency
        HAVING sum(entry.amount) <> 0
    """,
    "posting_incomplete": """
        SELECT format('posting %s has %s entries, %s were written', posting.key, count(entry.id), posting.entry_count)
        FROM ledger_transaction posting LEFT JOIN ledger_entry entry ON entry.transaction_id = posting.id
        GROUP BY posting.id
        HAVING count(entry.id) <> posting.entry_count OR (posting.phase <> 'voided' AND count(entry.id) < 2)
    """,
    "posting_repeated": """
        SELECT format('key %s names %s postings', key, count(*))
        FROM ledger_transaction GROUP BY key HAVING count(*) > 1
    """,
    "entry_homeless": """
        SELECT format('entry %s has no %s', entry.id, CASE WHEN posting.id IS NULL THEN 'posting' ELSE 'account' END)
        FROM ledger_entry entry
        LEFT JOIN ledger_transaction posting ON posting.id = entry.transaction_id
        LEFT JOIN ledger_account account ON account.id = entry.account_id
        WHERE posting.id IS NULL OR account.id IS NULL
    """,
    "entry_currency": """
        SELECT format('entry %s of posting %s is %s on account %s, which holds %s',
            entry.id, posting.key, entry.currency, account.code, account.currency)
        FROM ledger_entry entry
        JOIN ledger_transaction posting ON posting.id = entry.transaction_id
        JOIN ledger_account account ON account.id = entry.account_id
        WHERE entry.currency <> account.currency
    """,
    "reservation_resolved_twice": """
        SELECT format('reservation %s was resolved %s times', reservation.key, count(*))
        FROM ledger_transaction resolution
        JOIN ledger_transaction reservation ON reservation.id = resolution.resolves_id
        GROUP BY reservation.id HAVING count(*) > 1
    """,
    "posting_reversed_twice": """
        SELECT format('posting %s was reversed %s times', origin.key, count(*))
        FROM ledger_transaction reversal JOIN ledger_transaction origin ON origin.id = reversal.reverses_id
        GROUP BY origin.id HAVING count(*) > 1
    """,
    "link_to_wrong_phase": """
        SELECT format('posting %s (%s) resolves or reverses %s, which is %s',
            posting.key, posting.phase, origin.key, origin.phase)
        FROM ledger_transaction posting
        JOIN ledger_transaction origin ON origin.id = coalesce(posting.resolves_id, posting.reverses_id)
        WHERE origin.phase <> CASE WHEN posting.resolves_id IS NULL THEN 'posted' ELSE 'reserved' END
            OR posting.phase = 'reserved'
    """,
    "link_with_other_amounts": """
        SELECT format('posting %s does not match the entries of %s', posting.key, origin.key)
        FROM ledger_transaction posting
        JOIN ledger_transaction origin ON origin.id = coalesce(posting.resolves_id, posting.reverses_id)
        WHERE posting.phase = 'posted' AND EXISTS (
            SELECT account_id FROM (
                SELECT account_id, amount FROM ledger_entry WHERE transaction_id = posting.id
                UNION ALL
                SELECT account_id, CASE WHEN posting.resolves_id IS NULL THEN amount ELSE -amount END
                FROM ledger_entry WHERE transaction_id = origin.id
            ) both_sides
            GROUP BY account_id HAVING sum(amount) <> 0
        )
    """,
    "balance_differs": """
        WITH rebuilt AS (
            SELECT account.id,
                coalesce(sum(entry.amount) FILTER (WHERE entry.phase = 'posted'), 0) AS posted,
                coalesce(sum(greatest(entry.amount, 0)) FILTER (WHERE entry.is_open), 0) AS pending_in,
                coalesce(sum(greatest(-entry.amount, 0)) FILTER (WHERE entry.is_open), 0) AS pending_out
            FROM ledger_account account
            LEFT JOIN (
                SELECT booked.account_id, posting.phase,
                    booked.amount * CASE WHEN owner.kind IN ('asset', 'expense') THEN 1 ELSE -1 END AS amount,
                    posting.phase = 'reserved' AND NOT EXISTS (
                        SELECT FROM ledger_transaction resolution WHERE resolution.resolves_id = posting.id
                    ) AS is_open
                FROM ledger_entry booked
                JOIN ledger_transaction posting ON posting.id = booked.transaction_id
                JOIN ledger_account owner ON owner.id = booked.account_id
            ) entry ON entry.account_id = account.id
            GROUP BY account.id
        )
        SELECT format('account %s keeps posted %s, in %s, out %s; its entries give %s, %s, %s (minor units of %s)',
            account.code, account.posted, account.pending_in, account.pending_out,
            rebuilt.posted, rebuilt.pending_in, rebuilt.pending_out, account.currency)
        FROM ledger_account account JOIN rebuilt USING (id)
        WHERE (account.posted, account.pending_in, account.pending_out)
            IS DISTINCT FROM (rebuilt.posted, rebuilt.pending_in, rebuilt.pending_out)
    """,
    "sealed_posting_missing": """
        SELECT format('posting %s was sealed and is not there any more', seal.posting_id)
        FROM ledger_seal seal LEFT JOIN ledger_transaction posting ON posting.id = seal.posting_id
        WHERE posting.id IS NULL
    """,
    "sealed_posting_changed": """
        SELECT format('posting %s (%s) is not what was sealed', posting.key, posting.id)
        FROM ledger_seal seal JOIN ledger_transaction posting ON posting.id = seal.posting_id
        WHERE ledger_hash(posting) <> seal.hash
    """,
    "posting_added_to_sealed_day": """
        SELECT format('posting %s (%s) was not there when its day %s was sealed', posting.key, posting.id, sealed.day)
        FROM ledger_transaction posting
        JOIN ledger_sealed_day sealed ON sealed.day = ledger_day(posting.id)
        LEFT JOIN ledger_seal seal ON seal.posting_id = posting.id
        WHERE seal.posting_id IS NULL
    """,
    "sealed_day_changed": """
        WITH hashes AS (
            SELECT ledger_day(posting_id) AS day, count(*) AS postings,
                string_agg(hash, ''::bytea ORDER BY posting_id) AS all_of
            FROM ledger_seal GROUP BY 1
        )
        SELECT format('day %s was sealed with %s postings as %s; its %s seals give another digest',
            sealed.day, sealed.posting_count, left(encode(sealed.digest, 'hex'), 16), coalesce(hashes.postings, 0))
        FROM ledger_sealed_day sealed LEFT JOIN hashes USING (day)
        WHERE sealed.posting_count IS DISTINCT FROM hashes.postings
            OR ledger_digest(sealed.previous, sealed.day, hashes.all_of) IS DISTINCT FROM sealed.digest
        UNION ALL
        SELECT format('%s seals are of %s, which is not a sealed day', hashes.postings, hashes.day)
        FROM hashes LEFT JOIN ledger_sealed_day sealed USING (day) WHERE sealed.day IS NULL
    """,
    "sealed_day_missing": """
        SELECT format('day %s does not follow the sealed day before it, %s',
            day, coalesce(before::text, 'of which there is none'))
        FROM (
            SELECT day, previous, lag(day) OVER chain AS before,
                lag(digest, 1, decode(repeat('00', 32), 'hex')) OVER chain AS expected
            FROM ledger_sealed_day WINDOW chain AS (ORDER BY day)
        ) linked
        WHERE previous <> expected
    """,
    "account_below_zero": """
        SELECT format('account %s may not go negative and has %s posted, %s reserved to leave (minor units of %s)',
            code, posted, pending_out, currency)
        FROM ledger_account
        WHERE (NOT may_go_negative AND posted < pending_out) OR pending_in < 0 OR pending_out < 0
    """,
    "guard_missing": """
        SELECT format('trigger %s on %s is missing or switched off', guard.name, guard.relation)
        FROM (VALUES
            ('ledger_account', 'ledger_account_keeps_its_nature'),
            ('ledger_account', 'ledger_account_stays'),
            ('ledger_transaction', 'ledger_transaction_balances'),
            ('ledger_transaction', 'ledger_transaction_only_grows'),
            ('ledger_transaction', 'ledger_transaction_releases_what_it_voids'),
            ('ledger_entry', 'ledger_entry_balances'),
            ('ledger_entry', 'ledger_entry_is_counted'),
            ('ledger_entry', 'ledger_entry_only_grows'),
            ('ledger_seal', 'ledger_seal_only_grows'),
            ('ledger_sealed_day', 'ledger_sealed_day_only_grows')
        ) guard (relation, name)
        LEFT JOIN pg_trigger
            ON tgrelid = to_regclass(guard.relation) AND tgname = guard.name AND tgenabled IN ('O', 'A')
        WHERE pg_trigger.oid IS NULL
        UNION ALL
        SELECT format('constraint %s on %s is missing or not validated', guard.name, guard.relation)
        FROM (VALUES
            ('ledger_account', 'ledger_account_stays_at_or_above_zero'),
            ('ledger_account', 'ledger_account_pending_is_not_negative'),
            ('ledger_account', 'ledger_account_has_room_for_what_is_pending'),
            ('ledger_transaction', 'ledger_transaction_key_is_used_once'),
            ('ledger_transaction', 'ledger_transaction_phase_fits_its_links'),
            ('ledger_transaction', 'ledger_transaction_resolves_id_key'),
            ('ledger_transaction', 'ledger_transaction_reverses_id_key'),
            ('ledger_entry', 'ledger_entry_is_one_per_account')
        ) guard (relation, name)
        LEFT JOIN pg_constraint
            ON conrelid = to_regclass(guard.relation) AND conname = guard.name AND convalidated
        WHERE pg_constraint.oid IS NULL
    """,
}
