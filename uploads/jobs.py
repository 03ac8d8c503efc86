"""What runs by the clock."""

from core.jobs.runner import Job, register
from uploads.services import orphans

DELETE_ORPHANS = register(
    Job(
        "uploads.delete_orphans",
        "Delete bytes in the store that no row points to.",
        due=orphans.orphans,
        work=orphans.delete_orphan,
        batch=5000,
    )
)
