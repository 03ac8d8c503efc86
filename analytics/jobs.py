"""What runs by the clock."""

from datetime import date, datetime

from analytics.services import attribution, copying, erasures, rollups, shipping
from analytics.stores import partitions, store
from core.jobs.runner import Job, register


def make_partition(day: date, *, now: datetime) -> None:
    partitions.make([day])


def days_too_old(now: datetime) -> list[date]:
    return [day for day in store().days() if day < (now - partitions.KEPT).date()]


def drop_day(day: date, *, now: datetime) -> None:
    store().drop(day)


MAKE_PARTITIONS = register(
    Job(
        "analytics.make_partitions",
        "Make the tables of the raw events of the coming two weeks.",
        due=partitions.days_without,
        work=make_partition,
    )
)
DROP_PARTITIONS = register(
    Job(
        "analytics.drop_partitions",
        "Drop raw events that are older than thirteen months.",
        due=days_too_old,
        work=drop_day,
    )
)
COPY_EVENTS = register(
    Job(
        copying.JOB,
        "Copy business events into the raw events.",
        due=copying.due,
        work=copying.copy,
    )
)
SHIP_EVENTS = register(
    Job(
        shipping.JOB,
        "Carry raw events from PostgreSQL over into ClickHouse, where ANALYTICS_URL names one.",
        due=shipping.due,
        work=shipping.ship,
        batch=shipping.DAYS,
    )
)
FINISH_ERASURES = register(
    Job(
        "analytics.finish_erasures",
        "Remove the raw events of erased people wherever they are, and once more an hour later.",
        due=erasures.due,
        work=erasures.finish,
    )
)
ROLL_UP = register(
    Job(
        rollups.JOB,
        "Count the raw events of the hours and days for which events have arrived.",
        due=rollups.due,
        work=rollups.count_again,
        batch=10_000,  # every hour and day of thirteen months: what was read is noted after the last one
    )
)
ATTRIBUTE = register(
    Job(
        "analytics.attribute",
        "Note where the investors of new investments came from.",
        due=attribution.due,
        work=attribution.attribute,
        batch=5000,
    )
)
