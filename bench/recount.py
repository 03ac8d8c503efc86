"""
A recount of all raw events by day and name, and of the counts of one day, in PostgreSQL and in ClickHouse's engine.

Ten million events of thirty days, four a second, of 200,000 people, a third of them about a thousand campaigns; and a
tenth as many for comparison: `python -m bench.recount`. Both databases are made for it and removed.
ClickHouse is its present engine in a process of its own, reached through HTTP as in production (`analytics.testing`).
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from bench.platform import prepared
from bench.server import ROOT, keep

DAYS, PEOPLE = 30, 200_000
LAST = date(2026, 11, 25)
FILL = """
INSERT INTO analytics_rawevent
SELECT
    ('019ab000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
    (ARRAY['page_view', 'page_view', 'page_view', 'campaign_view', 'campaign_view', 'search'])[1 + n %% 6],
    %(first)s::timestamptz + n * %(step)s * interval '1 microsecond', %(first)s::timestamptz,
    CASE n %% 20 WHEN 0 THEN 'team' WHEN 1 THEN 'bot' ELSE 'person' END, true,
    ('019ab000-0000-7000-9000-' || lpad(to_hex(n * 7919 %% %(people)s), 12, '0'))::uuid, NULL,
    CASE WHEN n %% 6 IN (3, 4) THEN ('019ab000-0000-7000-a000-' || lpad(to_hex(n * 7919 %% 997), 12, '0'))::uuid END,
    NULL, '/c/' || n %% 1000,
    CASE WHEN n %% 4 = 0 THEN 'newsletter' ELSE '' END, CASE WHEN n %% 4 = 0 THEN 'mail' ELSE '' END, '', '{}'
FROM generate_series(0, %(rows)s::bigint - 1) n
"""
FILL_CLICKHOUSE = """
INSERT INTO raw_event
SELECT
    toUUID(concat('019ab000-0000-7000-8000-', leftPad(lower(hex(n)), 12, '0'))),
    ['page_view', 'page_view', 'page_view', 'campaign_view', 'campaign_view', 'search'][1 + n % 6],
    addMicroseconds(toDateTime64({first:String}, 6, 'UTC'), n * {step:UInt64}), toDateTime64({first:String}, 6, 'UTC'),
    multiIf(n % 20 = 0, 'team', n % 20 = 1, 'bot', 'person'), true,
    toUUID(concat('019ab000-0000-7000-9000-', leftPad(lower(hex(n * 7919 % {people:UInt64})), 12, '0'))), NULL,
    if(n % 6 IN (3, 4), toUUID(concat('019ab000-0000-7000-a000-', leftPad(lower(hex(n * 7919 % 997)), 12, '0'))), NULL),
    NULL, concat('/c/', toString(n % 1000)),
    if(n % 4 = 0, 'newsletter', ''), if(n % 4 = 0, 'mail', ''), '', '{}', toDateTime64({first:String}, 6, 'UTC')
FROM (SELECT number AS n FROM numbers({begin:UInt64}, {number:UInt64}))
"""
PARTS = 60
"""In so many inserts, two a day, so that reading has something to merge."""
RECOUNT = """
SELECT occurred_at::date, name, count(*), count(DISTINCT user_id) FROM analytics_rawevent GROUP BY 1, 2 ORDER BY 1, 2
"""
RECOUNT_CLICKHOUSE = """
SELECT toDate(occurred_at) AS day, name, count(), uniqExact(user_id) FROM raw_event FINAL
GROUP BY day, name ORDER BY day, name
"""


def measured(rows: int) -> dict[str, Any]:
    """Seconds by store."""
    folder = f"bench-recount-{rows}"
    try:
        with prepared(folder):
            return _measured(rows)
    finally:
        shutil.rmtree(ROOT / "var" / folder, ignore_errors=True)


def _measured(rows: int) -> dict[str, Any]:
    from django.conf import settings
    from django.db import connection

    from analytics.stores import clickhouse_server, partitions
    from analytics.stores.clickhouse import ClickHouseStore
    from analytics.stores.postgres import PostgresStore
    from analytics.testing.stores import ClickHouse
    from vectragrow.settings.analytics import clickhouse

    days = [LAST - timedelta(days=back) for back in range(DAYS)]
    partitions.make(days)
    values = {"rows": rows, "first": f"{days[-1]} 00:00:00", "people": PEOPLE, "step": DAYS * 86_400_000_000 // rows}
    with connection.cursor() as cursor:
        cursor.execute(FILL, values)
        cursor.execute("VACUUM ANALYZE analytics_rawevent")

        def recount_postgres() -> Any:
            cursor.execute(RECOUNT)
            return cursor.fetchall()

        postgres = PostgresStore()
        found, figures = {}, {}
        found["postgres"], figures["postgresql recount"] = timed(recount_postgres, tries=1)
        counted, figures["postgresql counts of a day"] = timed(lambda: sorted(postgres.count_day(LAST)))
        cursor.execute("SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits")
        figures["postgresql bytes an event"] = int(cursor.fetchone()[0]) / rows
    server = ClickHouse()
    try:
        settings.ANALYTICS_URL, settings.ANALYTICS_WAIT = server.url, 600
        settings.ANALYTICS_CLICKHOUSE = clickhouse(server.url, 600)
        with clickhouse_server._calling() as client:
            for part in range(PARTS):
                values |= {"begin": rows // PARTS * part, "number": rows // PARTS}
                client.command(FILL_CLICKHOUSE, parameters=values)

        def recount_clickhouse() -> Any:
            with clickhouse_server._calling() as client:
                return [tuple(row) for row in client.query(RECOUNT_CLICKHOUSE).result_rows]

        store = ClickHouseStore()
        found["clickhouse"], figures["clickhouse recount"] = timed(recount_clickhouse)
        same, figures["clickhouse counts of a day"] = timed(lambda: sorted(store.count_day(LAST)))
        assert found["clickhouse"] == found["postgres"] and same == counted
        with clickhouse_server._calling() as client:
            ((size,),) = client.query(
                "SELECT sum(bytes_on_disk) FROM system.parts WHERE table = 'raw_event' AND active"
            ).result_rows
        figures["clickhouse bytes an event"] = int(size) / rows
    finally:
        server.end()
    return {name: round(value, 3) for name, value in figures.items()}


def timed(read: Callable[[], Any], tries: int = 3) -> tuple[Any, float]:
    """What it answers, and the median of the seconds it took."""
    took, answer = [], None
    for _ in range(tries):
        begun = time.perf_counter()
        answer = read()
        took.append(time.perf_counter() - begun)
    return answer, statistics.median(took)


def main() -> None:
    match sys.argv[1:]:
        case [rows, "--print"]:  # Django is set up once per process
            for name, value in measured(int(rows)).items():
                sys.stdout.write(f"{name}\t{value}\n")
        case given:
            most = int(given[0]) if given else 10_368_000  # four a second
            found = {f"{rows:,}: {name}": value for rows in (most // 10, most) for name, value in _of(rows).items()}
            keep("recount", found | {"load average": os.getloadavg()[0]})


def _of(rows: int) -> dict[str, float]:
    told = subprocess.run(
        [sys.executable, "-m", "bench.recount", str(rows), "--print"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return {name: float(value) for name, _, value in (line.partition("\t") for line in told.splitlines()) if value}


if __name__ == "__main__":
    sys.exit(main())
