"""What runs by the clock."""

from core.jobs.runner import Job, register
from ledger.services import seals

SEAL_DAYS = register(
    Job(
        "ledger.seal_days",
        "Keep the hashes of the postings of each day that is over, chained to the day before.",
        due=seals.days_to_seal,
        work=seals.seal_day,
    )
)
