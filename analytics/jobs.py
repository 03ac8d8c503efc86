"""What runs by the clock."""

from datetime import date, datetime

from analytics.stores import partitions
from core.jobs.runner import Job, register


def make_partition(day: date, *, now: datetime) -> None:
    partitions.make([day])


def drop_partition(day: date, *, now: datetime) -> None:
    partitions.drop(day)


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
        due=partitions.days_too_old,
        work=drop_partition,
    )
)
