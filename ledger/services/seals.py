"""
Sealing the books: when a day is over, the hashes of its postings are kept, and the day is chained to the one before.

Who changes, removes or adds a posting of a sealed day, past every trigger, is found by `ledger_verify`, which names the
posting. Who also rewrites the seals has to rewrite every later day; the last digest, written to the log and told by the
command, is what to keep elsewhere.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from django.db import connection

from core.data.ids import first_id_at
from core.data.transactions import retrying
from core.times import bounds_of
from ledger.models import Posting, SealedDay

log = logging.getLogger(__name__)

GRACE = timedelta(hours=1)
"""How long after midnight (UTC) a day is sealed: a posting has its id some time before its commit."""


def days_to_seal(now: datetime) -> Iterator[date]:
    """Days with postings that are over and not sealed, the first one first."""
    last = SealedDay.objects.order_by("-day").values_list("day", flat=True).first()
    over = first_id_at(datetime.combine((now - GRACE).astimezone(UTC).date(), datetime.min.time(), UTC))
    while True:
        after = Posting.objects.filter(pk__lt=over)
        if last is not None:
            after = after.filter(pk__gte=first_id_at(bounds_of(last, last)[1]))
        first = after.order_by("pk").values_list("pk", flat=True).first()
        if first is None:
            return
        last = day_of(first.int)
        yield last


def day_of(posting_id: int) -> date:
    """The day (UTC) of a UUIDv7 (RFC 9562 §5.7)."""
    return datetime.fromtimestamp((posting_id >> 80) / 1000, UTC).date()


@retrying
def seal_day(day: date, *, now: datetime) -> None:
    """
    Keep the hashes of a day's postings. A day that is sealed already stays as it is.

    :raises ValueError: the day is not over, or a later one is sealed
    """
    start, end = bounds_of(day, day)
    if now < end + GRACE:
        raise ValueError(f"{day} is not over")
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ledger_sealed_day IN SHARE ROW EXCLUSIVE MODE")
        latest = SealedDay.objects.order_by("-day").first()
        if latest is not None and latest.day >= day:
            if latest.day > day and not SealedDay.objects.filter(day=day).exists():
                raise ValueError(f"{latest.day} is sealed, so {day} cannot be any more")
            return
        bounds = [first_id_at(start), first_id_at(end)]
        cursor.execute(_SEAL, [*bounds, bytes(latest.digest) if latest else bytes(32), day, now])
        count, digest = cursor.fetchone()
    log.info("a day of the books is sealed", extra={"day": day.isoformat(), "postings": count, "digest": digest.hex()})


_SEAL = """
    WITH sealed AS (
        INSERT INTO ledger_seal (posting_id, hash)
        SELECT posting.id, ledger_hash(posting) FROM ledger_transaction posting
         WHERE posting.id >= %s AND posting.id < %s
        RETURNING posting_id, hash
    ), day AS (
        SELECT count(*) AS postings, string_agg(hash, ''::bytea ORDER BY posting_id) AS hashes FROM sealed
    )
    INSERT INTO ledger_sealed_day (previous, day, sealed_at, posting_count, digest)
    SELECT asked.previous, asked.day, asked.at, day.postings, ledger_digest(asked.previous, asked.day, day.hashes)
      FROM day, (SELECT %s::bytea AS previous, %s::date AS day, %s::timestamptz AS at) asked
    RETURNING posting_count, digest
"""
