"""What runs by the clock."""

from datetime import date, datetime

from analytics.services import attribution, copying, rollups
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
COPY_EVENTS = register(
    Job(
        copying.JOB,
        "Copy business events into the raw events.",
        due=copying.due,
        work=copying.copy,
    )
)
ROLL_UP = register(
    Job(
        rollups.JOB,
        "Count the raw events of the hours and days for which events have arrived.",
        due=rollups.due,
        work=rollups.count_again,
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
