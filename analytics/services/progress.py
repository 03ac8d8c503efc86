"""Up to when a job has read, kept in the database: noted when nothing of a run has failed, so that it is due again."""

from datetime import datetime, timedelta

from analytics.models import Progress
from core.models import FailingItem

OVERLAP = timedelta(minutes=10)
"""A transaction may commit so long after the moments that it wrote."""


def read_since(job: str, beginning: datetime) -> datetime:
    """From when on a job reads again; `beginning` at its first run."""
    progress = Progress.objects.filter(pk=job).first()
    return progress.at - OVERLAP if progress else beginning


def note(job: str, at: datetime, *, under: str | None = None) -> bool:
    """
    :param under: the name of its progress, if that is not the job's
    :returns: False when an item of the job has failed and waits for its next try; then nothing is noted
    """
    if FailingItem.objects.filter(job=job, parked_at__isnull=True).exists():
        return False
    Progress.objects.update_or_create(pk=under or job, defaults={"at": at})
    return True
