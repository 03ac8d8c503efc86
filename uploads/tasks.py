from celery import shared_task
from django.utils import timezone

from uploads.services import pruning


@shared_task(name="uploads.prune")
def prune() -> None:
    pruning.prune(now=timezone.now())
