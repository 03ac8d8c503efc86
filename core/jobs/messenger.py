"""Sends the ids of waiting outbox events to the broker, from a thread of its own."""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterable

from celery import current_app

logger = logging.getLogger("vectragrow.tasks")

DELIVER = "core.deliver_events"
"""The name of the task (`core.jobs.tasks`)."""
MAX_IN_A_MESSAGE = 50
"""Event ids that one message to the broker carries."""
GATHER_SECONDS = 0.1
"""Seconds between two messages of a process: the first id is sent at once, those that follow closely go together."""
PAUSE_AFTER_FAILURE = 5.0
"""Seconds for which a broker that failed is not tried; the relay sends what was skipped."""
MAX_WAITING = 10_000
FLUSH_SECONDS = 2.0
"""Seconds that an ending process has to send what still waits."""


class Messenger:
    """
    Sends event ids to the broker from a thread of its own, so that no request waits for a slow broker.

    Ids that come close together share a message: a message costs the sender and the worker as much as delivering an
    event does. What is lost here, because the process ends or too much waits, is found by the relay.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, bool]] = deque(maxlen=MAX_WAITING)
        """Event ids, and whether they may share a message."""
        self._wake = threading.Condition()
        self._busy = False
        self._flushing = False
        self._process: int | None = None
        self._unavailable_until = 0.0
        self._sent_at = 0.0

    def send(self, event_ids: Iterable[str], *, apart: bool = False) -> None:
        """:param apart: each in a message of its own"""
        with self._wake:
            if self._process != os.getpid():  # threads do not survive a fork
                self._process, self._busy = os.getpid(), False
                self._waiting.clear()
                threading.Thread(target=self._run, name="messenger", daemon=True).start()
            self._waiting.extend((event_id, not apart) for event_id in event_ids)
            self._wake.notify_all()

    def flush(self, seconds: float = FLUSH_SECONDS) -> bool:
        """Wait until everything was sent. Returns whether it was."""
        with self._wake:
            if self._process != os.getpid():
                return True
            self._flushing = True
            self._wake.notify_all()
            try:
                return self._wake.wait_for(lambda: not self._waiting and not self._busy, seconds)
            finally:
                self._flushing = False

    def _run(self) -> None:
        while True:
            with self._wake:
                self._busy = False
                self._wake.notify_all()
                self._wake.wait_for(lambda: self._waiting)
                self._wake.wait_for(self._is_time_to_send, self._sent_at + GATHER_SECONDS - time.monotonic())
                event_ids = self._next_message()
                self._busy = True
            self._send_to_broker(event_ids)
            self._sent_at = time.monotonic()

    def _is_time_to_send(self) -> bool:
        """Whether to send before GATHER_SECONDS are over."""
        return self._flushing or len(self._waiting) >= MAX_IN_A_MESSAGE or not self._waiting[0][1]

    def _next_message(self) -> list[str]:
        event_id, shares = self._waiting.popleft()
        event_ids = [event_id]
        while shares and self._waiting and self._waiting[0][1] and len(event_ids) < MAX_IN_A_MESSAGE:
            event_ids.append(self._waiting.popleft()[0])
        return event_ids

    def _send_to_broker(self, event_ids: list[str]) -> None:
        if time.monotonic() < self._unavailable_until:
            return
        try:
            current_app.tasks[DELIVER].apply_async(kwargs={"event_ids": event_ids}, retry=False)
        except Exception as error:  # noqa: BLE001  (whatever the broker's client raises)
            self._unavailable_until = time.monotonic() + PAUSE_AFTER_FAILURE
            logger.warning("the broker is unavailable; the relay will catch up", extra={"reason": str(error)})


_messenger = Messenger()
atexit.register(_messenger.flush)


def enqueue(event_ids: Iterable[str], *, apart: bool = False) -> None:
    """
    Queue event ids for the broker. Returns at once.

    :param apart: each in a message of its own, so that several workers deliver them at the same time
    """
    _messenger.send(event_ids, apart=apart)
