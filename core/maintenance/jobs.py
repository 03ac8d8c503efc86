"""What runs by the clock for all apps."""

from core.jobs.runner import Job, register
from core.privacy import retention

RETENTION = register(
    Job(
        "core.run_retention",
        "Delete what is past its retention, in every app.",
        due=retention.rules,
        work=retention.carry_out,
    )
)
