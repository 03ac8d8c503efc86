"""The worker's consumer of messages, as CELERY_WORKER_CONSUMER names it: it reconnects after losing its broker."""

from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer

WORKER_TO_WORKER_STEPS = ("gossip", "mingle")


class Consumer(CeleryConsumer):
    """
    Celery's, for a Redis that may be killed at any moment.

    Gossip and mingle between workers are off: we do not need them, and closing them raises `AttributeError` in kombu
    when the connection is lost already. The same error elsewhere counts as a lost connection too, so that the
    worker connects again and does not exit.
    """

    class Blueprint(CeleryConsumer.Blueprint):
        default_steps = [
            step
            for step in CeleryConsumer.Blueprint.default_steps
            if not any(name in step for name in WORKER_TO_WORKER_STEPS)
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gossip = None
        self.connection_errors: tuple[type[Exception], ...] = (*self.conninfo.connection_errors, AttributeError)
