from celery import shared_task
from django.utils import timezone

from core.jobs.runner import each
from kyc.services import badges, evidence


@shared_task(name="kyc.follow_the_clock")
def follow_the_clock() -> None:
    """Abandoned cases expire, badges end."""
    now = timezone.now()
    each((evidence.expire_abandoned, badges.end_badges), lambda step: step(now=now), what="step")
