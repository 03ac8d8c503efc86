"""The platform's one clock: the current moment, which views, tasks and commands read and pass down as `now`."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """This moment, in UTC. Limits, heartbeats and signatures of providers are about real time and use `time`."""
    return timezone.now()
