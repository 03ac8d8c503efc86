"""The Celery application. Worker: `celery -A vectragrow worker`; schedule: `celery -A vectragrow beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")

app = Celery("vectragrow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def record_heartbeat(**about: Any) -> None:
    """A first heartbeat at the start, so that /readyz need not wait for the first scheduled task."""
    from core.jobs import heartbeat

    heartbeat.beat("worker")
