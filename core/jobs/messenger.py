"""Sends the ids of waiting outbox events to the broker, from a thread of its own."""

import atexit
import logging
import os
import threading
import time
from collections import deque

from celery import current_app

logger = logging.getLogger("vectragrow.tasks")

DELIVER = "core.deliver_event"
"""The name of the task (`core.jobs.tasks`)."""
PAUSE_AFTER_FAILURE = 5.0
"""Seconds for which a broker that failed is not tried; the relay sends what was skipped."""
MOST_WAITING = 10_000
FLUSH_SECONDS = 2.0
"""Seconds that an ending process has to send what still waits."""


class Messenger:
    """
    Sends event ids to the broker from a thread of its own, so that no request waits for a slow broker.

        What is lost here, because the process ends or too much waits, is found by the relay.
    """

    def __init__(self) -> None:
        self._waiting: deque[str] = deque(maxlen=MOST_WAITING)
        self._wake = threading.Condition()
        self._busy = False
        self._process: int | None = None
        self._unavailable_until = 0.0

    def send(self, event_id: str) -> None:
        with self._wake:
            if self._process != os.getpid():  # threads do not survive a fork
                self._process, self._busy = os.getpid(), False
                self._waiting.clear()
                threading.Thread(target=self._run, name="messenger", daemon=True).start()
            self._waiting.append(event_id)
            self._wake.notify_all()

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until everything was sent. Returns whether it was."""
        with self._wake:
            if self._process != os.getpid():
                return True
            return self._wake.wait_for(lambda: not self._waiting and not self._busy, seconds)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._busy = False
                self._wake.notify_all()
                self._wake.wait_for(lambda: self._waiting)
                event_id = self._waiting.popleft()
                self._busy = True
            self._send_to_broker(event_id)

    def _send_to_broker(self, event_id: str) -> None:
        if time.monotonic() < self._unavailable_until:
            return
        try:
            current_app.tasks[DELIVER].apply_async(kwargs={"event_id": event_id}, retry=False)
        except Exception as error:  # noqa: BLE001  (whatever the broker's client raises)
            self._unavailable_until = time.monotonic() + PAUSE_AFTER_FAILURE
            logger.warning("the broker is unavailable; the relay will catch up", extra={"reason": str(error)})


_messenger = Messenger()
atexit.register(_messenger.flush)


def enqueue(event_id: str) -> None:
    """Queue one event id for the broker. Returns at once."""
    _messenger.send(event_id)
