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
    """The schedule's first task is seconds away; the page of health need not wait for it."""
    from core.jobs import heartbeat

    heartbeat.beat("worker")
