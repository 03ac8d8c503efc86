"""The Celery application. Worker: `celery -A vectragrow worker`; schedule: `celery -A vectragrow beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vectragrow.settings.dev")

app = Celery("vectragrow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
