"""A circuit breaker: a provider that failed several times in a row is not called for a while (SECURITY-GOALS 59)."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from core.jobs.outbox import NotYet

logger = logging.getLogger("vectragrow.breaker")


class Breaker:
    """
    One per provider and process. `is_fault` distinguishes a fault of the provider from a refusal of this one call.

    After `most` faults in a row calls end at once with `NotYet`, which costs an outbox event none of its ten tries.
    When the pause is over calls go through again; the next fault starts another pause, a success ends it all.
    """

    def __init__(
        self,
        name: str,
        *,
        is_fault: Callable[[Exception], bool],
        most: int = 5,
        pause: timedelta = timedelta(seconds=30),
    ) -> None:
        self.name = name
        self.is_fault = is_fault
        self.most = most
        self.pause = pause.total_seconds()
        self.faults = 0
        self.open_until = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """
        Around one call of the provider.

        :raises NotYet: the circuit is open
        """
        rest = self.open_until - time.monotonic()
        if rest > 0:
            raise NotYet(f"{self.name} is left alone", after=timedelta(seconds=rest), tried=False)
        try:
            yield
        except Exception as error:
            if self.is_fault(error):
                self._note_fault()
            raise
        self.reset()

    def _note_fault(self) -> None:
        with self._lock:
            self.faults += 1
            if self.faults >= self.most:
                self.open_until = time.monotonic() + self.pause
                logger.error("provider is left alone", extra={"provider": self.name, "seconds": self.pause})

    def reset(self) -> None:
        with self._lock:
            self.faults, self.open_until = 0, 0.0
