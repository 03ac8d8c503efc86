from celery import shared_task
from django.utils import timezone

from kyc.services import badges, evidence


@shared_task(name="kyc.follow_the_clock")
def follow_the_clock() -> None:
    """Abandoned cases expire, badges end."""
    now = timezone.now()
    evidence.expire_abandoned(now=now)
    badges.end_badges(now=now)
